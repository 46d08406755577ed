// Columns that stay short however many rows are appended: with too many, every second goes, and from then on every second one comes.
// The newest row is always there.

export interface SampledColumns {
  /** Rows appended so far. */
  seen: number;
  /** Of the rows those at multiples of this are kept, and the newest; a power of two. */
  every: number;
}

type ColumnsOf<Row> = SampledColumns & { readonly [Key in keyof Row]: Row[Key][] };

/** Appends a row, by column, in place. */
export function sampleRow<Row extends object>(columns: ColumnsOf<Row>, row: Row, most: number): void {
  const parts = Object.entries(row).map(([name, value]) => ({
    column: (columns as unknown as Record<string, unknown[]>)[name]!,
    value: value as unknown,
  }));
  const isNewestAlone = columns.seen > 0 && (columns.seen - 1) % columns.every !== 0;
  for (const { column, value } of parts) {
    if (isNewestAlone) column.pop();
    column.push(value);
  }
  columns.seen++;
  const length = parts[0]!.column.length;
  if (length <= most) return;
  columns.every *= 2;
  for (const { column } of parts) {
    let kept = 0;
    for (let index = 0; index < length; index += index === length - 2 ? 1 : 2) column[kept++] = column[index];
    column.length = kept;
  }
}
