// Mean, deviation and histogram of a table's columns, overall and by class. The values that were looked at are kept: the ends of
// a histogram are known only once all have been seen, and two passes tell a deviation that is small beside its mean.
import type { ColumnLook, ColumnPart, Moments, TableLook } from '../protocol/datasetLook.ts';
import type { Samples } from './split.ts';

/** Of more columns the first are shown. */
export const maxColumns = 48;
export const nBins = 24;

export class ColumnsOfClasses {
  readonly #nColumns: number;
  readonly #nClasses: number;
  readonly #names: readonly string[];
  /** Block by block, of the columns that are shown. */
  readonly #blocks: Float32Array[] = [];
  readonly #labels: Int32Array[] = [];

  constructor(nColumns: number, nClasses: number, names: readonly string[]) {
    this.#nColumns = nColumns;
    this.#nClasses = nClasses;
    this.#names = names;
  }

  add({ values, labels }: Samples): void {
    const nShown = this.#nShown;
    const block = new Float32Array(labels.length * nShown);
    for (let row = 0; row < labels.length; row++) {
      const from = row * this.#nColumns;
      block.set(values.subarray(from, from + nShown), row * nShown);
    }
    this.#blocks.push(block);
    this.#labels.push(labels);
  }

  finish(): TableLook {
    const labels = this.#labels.flatMap((block) => [...block]);
    const columns = Array.from({ length: this.#nShown }, (_, index) => this.#column(index, labels));
    return { nColumns: this.#nColumns, columns };
  }

  get #nShown(): number {
    return Math.min(maxColumns, this.#nColumns);
  }

  #column(index: number, labels: readonly number[]): ColumnLook {
    const values: number[] = [];
    for (const block of this.#blocks) {
      for (let at = index; at < block.length; at += this.#nShown) values.push(block[at]!);
    }
    const byClass = Array.from({ length: this.#nClasses }, (): number[] => []);
    values.forEach((value, row) => byClass[labels[row]!]?.push(value));
    const [least, most] = endsOf(values);
    const partOf = (part: readonly number[]): ColumnPart => ({ ...momentsOf(part), bins: binsOf(part, least, most) });
    const name = this.#names[index] ?? `column ${index + 1}`;
    return { ...{ name, least, most }, all: partOf(values), classes: byClass.map(partOf) };
  }
}

function endsOf(values: readonly number[]): [number, number] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least > most ? [0, 0] : [least, most];
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / values.length) };
}

/** The last part holds its end; a column that never changes is all in the first. */
function binsOf(values: readonly number[], least: number, most: number): number[] {
  const bins = new Array<number>(nBins).fill(0);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    const part = most > least ? ((value - least) / (most - least)) * nBins : 0;
    bins[Math.min(nBins - 1, Math.floor(part))]!++;
  }
  return bins;
}
