// A sweep's results by axis: of each setting the mean and the deviation over its seeds, which are best, and which no other beats in both
// accuracies. Pure; what reads runs stands in sweepResults.ts.
import { meanAndStd, pairedTest } from '../protocol/pairedTest.ts';
import type { AttackFigure } from '../protocol/attackFigures.ts';
import { figureName, isBound } from '../protocol/attackFigures.ts';

/** A cell whose run has finished. */
export interface CellResult {
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
  readonly identity: string;
  readonly runId: string;
  readonly seed: number;
  /** On all test images; null where none was tested. */
  readonly clean: number | null;
  readonly figures: readonly AttackFigure[];
  readonly device: string | null;
  readonly version: string;
}

export interface Measure {
  readonly mean: number;
  /** Null of one seed. */
  readonly std: number | null;
  readonly n: number;
  readonly isBest: boolean;
  /** Of the paired test against the best, over the seeds that both have; null of the best, and where there are too few. */
  readonly p: number | null;
}

export interface Column {
  readonly title: string;
  /** Whether it says how many stand under an attack that may not be the strongest. */
  readonly isUpperBound: boolean;
}

export interface TableRow {
  /** By the axes. */
  readonly labels: readonly string[];
  readonly seeds: readonly number[];
  /** One a column; null where the setting has none. */
  readonly measures: readonly (Measure | null)[];
  /** No other setting is better in the first two columns at once. */
  readonly isPareto: boolean;
}

export interface SweepTable {
  /** Paths of the axes, seeds left out. */
  readonly axes: readonly string[];
  /** Clean accuracy, then of each attack robust accuracy by the worst case and, where it was counted, by the thesis. */
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
}

type Values = Map<number, number>;

export function tableOf(results: readonly CellResult[]): SweepTable {
  const axes = axesOf(results);
  const groups = Map.groupBy(results, ({ values }) => axes.map((axis) => values[axis] ?? '–').join('\u0000'));
  const readers = columnsOf(results);
  const byColumn = readers.map(({ read }) => [...groups.values()].map((group) => valuesOf(group, read)));
  const measures = byColumn.map(measuresOf);
  const [clean, robust] = measures;
  const rows = [...groups.values()].map((group, index) => ({
    labels: axes.map((axis) => group[0]!.values[axis] ?? '–'),
    seeds: group.map(({ seed }) => seed),
    measures: measures.map((column) => column[index] ?? null),
    isPareto: isPareto(index, clean, robust),
  }));
  return { axes, columns: readers.map(({ title, isUpperBound }) => ({ title, isUpperBound })), rows };
}

/** Those by which cells differ, or the only one. */
function axesOf(results: readonly CellResult[]): string[] {
  const paths = [...new Set(results.flatMap(({ values }) => Object.keys(values)))].filter((path) => path !== 'seed');
  const varied = paths.filter((path) => new Set(results.map(({ values }) => values[path])).size > 1);
  return varied.length > 0 ? varied : paths.slice(0, 1);
}

interface Reader extends Column {
  readonly read: (result: CellResult) => number | null;
}

function columnsOf(results: readonly CellResult[]): Reader[] {
  const named = (result: CellResult) =>
    result.figures
      .filter(({ isOfTest }) => !isOfTest)
      .map((figure) => ({ name: figureName(figure, figure.step), figure }));
  const names = [...new Set(results.flatMap((result) => named(result).map(({ name }) => name)))];
  const clean: Reader = { title: 'clean', isUpperBound: false, read: (result) => result.clean };
  return [
    clean,
    ...names.flatMap((name) => {
      const figureOf = (result: CellResult) => named(result).find((one) => one.name === name)?.figure;
      const isUpperBound = results.some((result) => {
        const figure = figureOf(result);
        return figure !== undefined && isBound(figure, result.figures);
      });
      const share = (result: CellResult, count: 'standing' | 'thesis') => {
        const figure = figureOf(result);
        const value = figure?.[count];
        return figure === undefined || value === undefined || figure.samples === 0 ? null : value / figure.samples;
      };
      const worst: Reader = { title: name, isUpperBound, read: (result) => share(result, 'standing') };
      const hasThesis = results.some((result) => share(result, 'thesis') !== null);
      const thesis: Reader = {
        title: `${name}, thesis`,
        isUpperBound: false,
        read: (result) => share(result, 'thesis'),
      };
      return hasThesis ? [worst, thesis] : [worst];
    }),
  ];
}

function valuesOf(group: readonly CellResult[], read: Reader['read']): Values {
  return new Map(
    group.flatMap((result) => {
      const value = read(result);
      return value === null ? [] : [[result.seed, value] as const];
    }),
  );
}

function measuresOf(groups: readonly Values[]): (Measure | null)[] {
  const means = groups.map((values) => (values.size > 0 ? meanAndStd([...values.values()]) : null));
  const best = means.reduce<number>((at, one, index) => (one && one.mean > (means[at]?.mean ?? -1) ? index : at), 0);
  return means.map((one, index) => {
    if (!one) return null;
    const p = index === best ? NaN : pairedWith(groups[best]!, groups[index]!);
    const std = one.n > 1 ? one.std : null;
    return { ...one, std, isBest: index === best, p: Number.isNaN(p) ? null : p };
  });
}

/** Its p; NaN of fewer than two seeds that both have. */
function pairedWith(best: Values, other: Values): number {
  const seeds = [...best.keys()].filter((seed) => other.has(seed));
  return pairedTest(
    seeds.map((seed) => best.get(seed)!),
    seeds.map((seed) => other.get(seed)!),
  ).p;
}

function isPareto(
  index: number,
  clean: readonly (Measure | null)[] = [],
  robust: readonly (Measure | null)[] = [],
): boolean {
  const [x, y] = [clean[index]?.mean, robust[index]?.mean];
  if (x === undefined || y === undefined) return false;
  return clean.every((other, at) => {
    const [otherX, otherY] = [other?.mean, robust[at]?.mean];
    if (otherX === undefined || otherY === undefined) return true;
    return !(otherX >= x && otherY >= y && (otherX > x || otherY > y));
  });
}
