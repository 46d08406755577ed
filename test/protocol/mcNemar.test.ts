import { expect, it } from 'vitest';
import { discordance, mcNemarP } from '../../server/protocol/mcNemar.ts';

// scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue (SciPy 1.17.1)
it.each([
  [0, 0, 1],
  [5, 5, 1],
  [1, 9, 0.021484375],
  [9, 1, 0.021484375],
  [0, 6, 0.03125],
  [12, 30, 0.0079159],
])('%i against %i: p = %f, whichever way round', (onlyFirst, onlySecond, p) => {
  expect(mcNemarP({ onlyFirst, onlySecond })).toBeCloseTo(p, 5);
});

it('does not underflow for thousands of images', () => {
  expect(mcNemarP({ onlyFirst: 900, onlySecond: 1100 }) / 8.45708953550381e-6).toBeCloseTo(1, 6);
});

it('counts the images on which one stands alone, fooled or wrong being the same to it', () => {
  expect(discordance(Uint8Array.of(2, 2, 1, 0, 2, 0), Uint8Array.of(2, 1, 2, 2, 0, 1))).toEqual({
    onlyFirst: 2,
    onlySecond: 2,
  });
});
