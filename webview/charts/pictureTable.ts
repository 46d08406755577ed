// What is seen in a picture as a table, and that as CSV and JSON.
import { csvText } from '../text/csv.ts';
import type { Range } from '../curves/decimate.ts';
import type { Curve } from './curve.ts';

export interface PictureTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A row a point in view: its curve, x and y. */
export function curvesTable(
  curves: readonly Curve[],
  { axis, title, range }: { axis: string; title: string; range: Range | null },
): PictureTable {
  const rows = curves.flatMap(({ name, x, y }) =>
    Array.from({ length: x.length }, (_, index) => [name, x[index]!, y[index]!] as const).filter(
      ([, at]) => !range || (at >= range.from && at <= range.to),
    ),
  );
  return { columns: ['curve', axis, title], rows };
}

export function csvOf({ columns, rows }: PictureTable): string {
  return [columns, ...rows].map((cells) => `${cells.map((cell) => csvText(String(cell))).join(',')}\r\n`).join('');
}

/** What is not finite is a text, of which JSON has no number. */
export function jsonOf(title: string, { columns, rows }: PictureTable): string {
  const named = rows.map((cells) =>
    Object.fromEntries(
      cells.map((cell, index) => [
        columns[index] ?? '',
        typeof cell === 'number' && !Number.isFinite(cell) ? String(cell) : cell,
      ]),
    ),
  );
  return JSON.stringify({ title, rows: named }, null, 1);
}
