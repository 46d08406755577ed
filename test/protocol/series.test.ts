// What a client may ask of series.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seriesQueryParts } from '../../server/protocol/series.ts';

const schema = z.object(seriesQueryParts);
const least = { tags: ['loss'], pixels: 800 };

function isTaken(change: Readonly<Record<string, unknown>>): boolean {
  return schema.safeParse({ ...least, ...change }).success;
}

describe('a query of series', () => {
  it('without more than tags and pixels is of all steps, not smoothed, without means', () => {
    expect(schema.parse(least)).toEqual({
      ...least,
      ...{ from: null, to: null, rowsPerBucket: null, smoothing: 0, means: false },
    });
  });

  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['tags', [['a'.repeat(1000)], Array(4000).fill('a')], [[], [''], ['a'.repeat(1001)], Array(4001).fill('a')]],
    ['pixels', [1, 4096], [0, 4097, 1.5]],
    ['rowsPerBucket', [1, 2, 2 ** 30], [-1, 0, 0.5, 3, 2 ** 31]],
    ['smoothing', [0, 0.9999], [-0.001, 1]],
  ])('takes %s within its bounds alone', (key, taken, refused) => {
    for (const value of taken) expect(isTaken({ [key]: value }), String(value)).toBe(true);
    for (const value of refused) expect(isTaken({ [key]: value }), String(value)).toBe(false);
  });
});
