import { expect, it } from 'vitest';
import { formatDuration } from '../../server/protocol/duration.ts';

const [second, minute, hour] = [1000, 60_000, 3_600_000];

it.each([
  [0, '0 s'],
  [89.499 * second, '89 s'],
  [89.5 * second, '2 min'],
  [59.49 * minute, '59 min'],
  [59.5 * minute, '1 h'],
  [23 * hour + 59 * minute, '23 h 59 min'],
  [24 * hour, '1 d'],
  [24 * hour + 29 * minute, '1 d'],
  [24 * hour + 30 * minute, '1 d 1 h'],
  [49 * hour, '2 d 1 h'],
  [-1, 'unknown'],
  [Number.NaN, 'unknown'],
])('%d ms are %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
