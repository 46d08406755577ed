// The names by which values of a run are asked for by step, and what each is made of. Norms of tensors are stored; those of a layer, of all
// gradients, and the ratio of gradient to weight are made from them, in float32 as they are.
import type { ParameterInfo } from '../../protocol/records.ts';
import { gradientNormTag, normLines, normQuantities, scalarTags, testTags } from '../../protocol/series.ts';

export interface SeriesTags {
  readonly names: readonly string[];
  readonly nSeries: number;
  /** That are stored a row. */
  readonly nColumns: number;
  /** All series of a row. */
  derive(row: ArrayLike<number>, series: Float64Array): void;
  /** Stored columns that a series is made of. */
  columnsOf(series: number): readonly number[];
  /** A series by its columns' values, row by row. */
  valuesOf(series: number, columns: readonly ArrayLike<number>[]): Float64Array;
}

/** Series that are stored as they are. */
function plainTags(names: readonly string[]): SeriesTags {
  return {
    ...{ names, nSeries: names.length, nColumns: names.length },
    derive: (row, series) => {
      for (let index = 0; index < series.length; index++) series[index] = row[index]!;
    },
    columnsOf: (series) => [series],
    valuesOf: (_series, [column]) => Float64Array.from(column!),
  };
}

export const stepTags = plainTags(scalarTags);
export const testRowTags = plainTags(testTags);

/** A row has the norms of all weights, then of all gradients, then that of all gradients together, which many ask for. */
export function normTags(parameters: readonly ParameterInfo[]): SeriesTags {
  const nTensors = parameters.length;
  const lines = normLines(parameters);
  const names = [gradientNormTag, ...lines.flatMap(({ name }) => normQuantities.map((each) => `${each}/${name}`))];
  const total = 2 * nTensors;
  const columnsOf = (series: number): readonly number[] => {
    if (series === 0) return [total];
    const { members } = lines[Math.floor((series - 1) / 3)]!;
    const gradients = members.map((member) => nTensors + member);
    return [members, gradients, [...members, ...gradients]][(series - 1) % 3]!;
  };
  return {
    ...{ names, nSeries: names.length, nColumns: total + 1, columnsOf },
    derive: (row, series) => {
      series[0] = row[total]!;
      for (let line = 0; line < lines.length; line++) {
        const { members } = lines[line]!;
        const weight = lengthAt(row, members, 0);
        const gradient = lengthAt(row, members, nTensors);
        series[1 + 3 * line] = weight;
        series[2 + 3 * line] = gradient;
        series[3 + 3 * line] = Math.fround(gradient / weight);
      }
    },
    valuesOf: (series, columns) => {
      const { length } = columns[0]!;
      const half = columns.length / 2;
      const values = new Float64Array(length);
      for (let row = 0; row < length; row++) {
        values[row] =
          (series - 1) % 3 === 2
            ? Math.fround(lengthAcross(columns, row, half, half) / lengthAcross(columns, row, 0, half))
            : lengthAcross(columns, row, 0, columns.length);
      }
      return values;
    },
  };
}

/** A row has the norms of all tensors before an update, then those of what moved them. */
export function updateTags(parameters: readonly ParameterInfo[]): SeriesTags {
  const nTensors = parameters.length;
  const lines = normLines(parameters);
  return {
    ...{ names: lines.map(({ name }) => `update/${name}`), nSeries: lines.length, nColumns: 2 * nTensors },
    columnsOf: (series) => {
      const { members } = lines[series]!;
      return [...members, ...members.map((member) => nTensors + member)];
    },
    derive: (row, series) => {
      lines.forEach(({ members }, line) => {
        series[line] = Math.fround(lengthAt(row, members, nTensors) / lengthAt(row, members, 0));
      });
    },
    valuesOf: (_series, columns) => {
      const half = columns.length / 2;
      return Float64Array.from(columns[0]!, (_, row) =>
        Math.fround(lengthAcross(columns, row, half, half) / lengthAcross(columns, row, 0, half)),
      );
    },
  };
}

function lengthAt(row: ArrayLike<number>, members: readonly number[], from: number): number {
  if (members.length === 1) return row[from + members[0]!]!;
  let sum = 0;
  for (const member of members) sum += row[from + member]! * row[from + member]!;
  return Math.fround(Math.sqrt(sum));
}

function lengthAcross(columns: readonly ArrayLike<number>[], row: number, from: number, count: number): number {
  if (count === 1) return columns[from]![row]!;
  let sum = 0;
  for (let index = from; index < from + count; index++) sum += columns[index]![row]! * columns[index]![row]!;
  return Math.fround(Math.sqrt(sum));
}
