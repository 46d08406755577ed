// Columns that stay short: which rows are left of many.
import { expect, it } from 'vitest';
import { sampleRow, type SampledColumns } from '../../server/protocol/sampledColumns.ts';

/** The column that is left of 0, 1, … after each of them. */
function columnsOf(nRows: number, most: number): number[][] {
  const columns: SampledColumns = { seen: 0, every: 1 };
  const column: number[] = [];
  return Array.from({ length: nRows }, (_, row) => {
    sampleRow(columns, [[column, row]], most);
    return [...column];
  });
}

it.each([3, 4])('beside the newest row, those at multiples of a power of two are kept, at most %i of all', (most) => {
  let every = 1;
  columnsOf(70, most).forEach((column, newest) => {
    const regular = () => Array.from({ length: Math.floor(newest / every) + 1 }, (_, index) => index * every);
    const expected = () => [...new Set([...regular(), newest])];
    if (expected().length > most) every *= 2;
    expect(column).toEqual(expected());
  });
  expect(every).toBeGreaterThan(16);
});
