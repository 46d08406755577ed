// Columns that stay short however many rows are appended: with too many, every second goes, and from then on every second one comes.
// The newest row is always there.

export interface SampledColumns {
  /** Rows appended so far. */
  seen: number;
  /** Of the rows those at multiples of this are kept, and the newest; a power of two. */
  every: number;
}

/** Appends a row in place. @param row its values, each with the column that it belongs to */
export function sampleRow(
  columns: SampledColumns,
  row: readonly (readonly [column: unknown[], value: unknown])[],
  most: number,
): void {
  const isNewestAlone = (columns.seen - 1) % columns.every !== 0;
  for (const [column, value] of row) {
    if (isNewestAlone) column[column.length - 1] = value;
    else column.push(value);
  }
  columns.seen++;
  const { length } = row[0]![0];
  if (length <= most) return;
  columns.every *= 2;
  for (const [column] of row) {
    let kept = 0;
    for (let index = 0; index < length; index += index === length - 2 ? 1 : 2) column[kept++] = column[index];
    column.length = kept;
  }
}
