// Runs side by side: which figures and settings there are to compare, runs made groups, and each row's values. Pure; whoever has a set of
// runs makes a table of it.
import { bestOf } from './best.ts';
import { evaluationTitle } from '../../server/protocol/evaluationPlan.ts';
import { meanAndStd, pairedTest, type PairedTest } from '../../server/protocol/pairedTest.ts';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import { runTitle, type RunSummary } from '../../server/protocol/run.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import { sortableText, sortByValue } from './sortByValue.ts';

export interface CompareColumn {
  /** `loss`, `attack/<title>`, or the path of a setting. */
  readonly key: string;
  readonly title: string;
  readonly kind: 'figure' | 'setting';
  /** Shown in per cent. */
  readonly isProportion: boolean;
  /** Less is better. */
  readonly isCost: boolean;
}

export interface CompareRow {
  readonly key: string;
  readonly title: string;
  readonly runs: readonly ComparedRun[];
}

/**
 * One row a run; one for runs that differ in nothing but their seed; one for those of an experiment, or with a tag; or one a value of a
 * setting, named by its path.
 */
export type Grouping = (typeof namedGroupings)[number] | { readonly setting: string };

export const namedGroupings = ['run', 'seeds', 'experiment', 'tag'] as const;

/** Those that make of these runs something else than one group or none. */
export function usefulGroupings(runs: readonly ComparedRun[]): string[] {
  const hasSeveralNames = new Set(runs.map(({ run }) => run.name)).size > 1;
  const hasTags = runs.some(({ run }) => tagsOf(run).length > 0);
  return ['run', 'seeds', ...(hasSeveralNames ? ['experiment'] : []), ...(hasTags ? ['tag'] : [])].concat(
    differingSettings(runs),
  );
}

const notCompared = new Set(['name', 'threads', 'runtime']);

/** Paths of settings that are not the same in all runs. */
export function differingSettings(runs: readonly ComparedRun[]): string[] {
  const paths = new Set(runs.flatMap(({ settings }) => Object.keys(settings ?? {})));
  return [...paths].filter(
    (path) => !notCompared.has(path) && new Set(runs.map((run) => settingText(run, path))).size > 1,
  );
}

/** Whether these are the same runs: how they stand and what they have found by now changes neither titles nor groups nor curves. */
export function areSameRuns(before: readonly ComparedRun[], after: readonly ComparedRun[]): boolean {
  return (
    before.length === after.length &&
    after.every(({ run, settings, cell }, index) => {
      const old = before[index]!;
      const isSame = settings === old.settings && cell === old.cell && run.id === old.run.id;
      const isCalled = run.name === old.run.name && run.seed === old.run.seed && isMarkedAs(run, old.run);
      return isSame && isCalled && run.steps === old.run.steps && run.epochs === old.run.epochs;
    })
  );
}

function isMarkedAs({ mark }: RunSummary, { mark: old }: RunSummary): boolean {
  return mark === old || JSON.stringify(mark) === JSON.stringify(old);
}

/** Empty where the run has no such setting. */
export function settingText({ settings }: ComparedRun, path: string): string {
  const value = settings?.[path];
  return value === undefined ? '' : String(value);
}

export function compareColumns(runs: readonly ComparedRun[]): CompareColumn[] {
  const attacks = new Set(runs.flatMap(({ run }) => (run.figures ?? []).map(({ plan }) => evaluationTitle(plan))));
  const figure = (key: string, title: string, shown: Partial<CompareColumn> = {}): CompareColumn => ({
    ...{ key, title, kind: 'figure', isProportion: false, isCost: false },
    ...shown,
  });
  return [
    figure('step', 'step'),
    figure('loss', 'loss', { isCost: true }),
    figure('clean', 'clean', { isProportion: true }),
    ...[...attacks].map((title) => figure(`attack/${title}`, title, { isProportion: true })),
    ...differingSettings(runs).map((path) => ({ ...figure(path, path), kind: 'setting' as const })),
  ];
}

/** NaN where the run has no such figure. */
export function figureOf({ run }: ComparedRun, key: string): number {
  switch (key) {
    case 'step':
      return run.step;
    case 'loss':
      return run.loss ?? Number.NaN;
    case 'clean':
      return run.cleanAccuracy ?? Number.NaN;
    default: {
      const figure = (run.figures ?? []).find(({ plan }) => `attack/${evaluationTitle(plan)}` === key);
      return figure ? figure.standing / figure.samples : Number.NaN;
    }
  }
}

export function groupRuns(runs: readonly ComparedRun[], grouping: Grouping): CompareRow[] {
  if (grouping === 'run') {
    const titles = runTitles(runs);
    return runs.map((one, index) => ({ key: one.run.id, title: titles[index]!, runs: [one] }));
  }
  const titlesOf = groupTitles(runs, grouping);
  const groups = new Map<string, ComparedRun[]>();
  for (const one of runs) {
    for (const title of titlesOf(one)) {
      const members = groups.get(title);
      if (members) members.push(one);
      else groups.set(title, [one]);
    }
  }
  return Array.from(groups, ([title, members]) => ({ key: title, title, runs: members }));
}

/** Of the groups that a run is in; a run with several tags is in one for each. */
function groupTitles(
  runs: readonly ComparedRun[],
  grouping: Exclude<Grouping, 'run'>,
): (run: ComparedRun) => readonly string[] {
  switch (grouping) {
    case 'experiment':
      return ({ run }) => [run.name];
    case 'tag':
      return ({ run }) => (tagsOf(run).length > 0 ? tagsOf(run).map((tag) => `#${tag}`) : ['no tag']);
    case 'seeds': {
      const paths = differingSettings(runs).filter((path) => path !== 'seed');
      return (one) => {
        const names = one.cell === undefined ? [one.run.name] : [];
        return [[...names, ...settingParts(one, paths, { none: null })].join(' · ') || one.run.name];
      };
    }
    default:
      return (one) => [settingParts(one, [grouping.setting], { none: '–' }).join('')];
  }
}

function tagsOf({ mark }: RunSummary): readonly string[] {
  return mark?.tags ?? [];
}

/** The cell's name, what its owner calls the run, or name and seed; of runs that share them, as those of a sweep do, the settings in which they differ, too. */
export function runTitles(runs: readonly ComparedRun[]): string[] {
  const plain = runs.map(({ run, cell }) => cell ?? runTitle(run));
  const alike = Map.groupBy(runs, (_, index) => plain[index]!);
  const paths = new Map([...alike].map(([title, some]) => [title, some.length > 1 ? differingSettings(some) : []]));
  return runs.map((one, index) => {
    const title = plain[index]!;
    return [title, ...settingParts(one, paths.get(title)!, { none: null })].join(' · ');
  });
}

/** `type kaf`, `max 0.1`; where a run has no such setting, `none` stands in its place, or nothing. */
function settingParts(
  run: ComparedRun,
  paths: readonly string[],
  { none }: { readonly none: string | null },
): string[] {
  return paths.flatMap((path) => {
    const text = settingText(run, path) || none;
    if (text === null) return [];
    // What a matrix says in a word tells by itself what it is of.
    return [run.cell !== undefined && /^[a-z]/i.test(text) ? text : `${path.split('.').at(-1)!} ${text}`];
  });
}

/** Of a figure the mean with the deviation over the row's runs; of a setting its values, each once. */
export function cellText(row: CompareRow, column: CompareColumn): string {
  if (column.kind === 'setting') return [...new Set(row.runs.map((run) => settingText(run, column.key)))].join(', ');
  const values = row.runs.map((run) => figureOf(run, column.key));
  const { mean, std, n } = meanAndStd(values);
  if (n === 0) return values.every((value) => Number.isNaN(value)) ? '–' : formatNumber(values[0]!);
  if (column.key === 'step') return formatCount(mean);
  const figure = (value: number, digits: number): string =>
    column.isProportion ? (100 * value).toFixed(1) : formatNumber(value, digits);
  return n === 1 ? figure(mean, 4) : `${figure(mean, 4)} ± ${figure(std, 2)}`;
}

/** What a row is sorted by. */
export function cellValue(row: CompareRow, column: CompareColumn): number | string {
  if (column.kind === 'figure') return meanAndStd(row.runs.map((run) => figureOf(run, column.key))).mean;
  return sortableText(cellText(row, column));
}

export function sortRows(
  rows: readonly CompareRow[],
  column: CompareColumn | undefined,
  { isDescending }: { readonly isDescending: boolean },
): CompareRow[] {
  return column ? sortByValue(rows, (row) => cellValue(row, column), { isDescending }) : [...rows];
}

/** A row against another, by the runs of the same seeds. */
export function compareRows(row: CompareRow, baseline: CompareRow, column: CompareColumn): PairedTest {
  const bySeed = new Map(baseline.runs.map((run) => [run.run.seed, figureOf(run, column.key)]));
  const paired = row.runs.filter(({ run }) => bySeed.has(run.seed));
  return pairedTest(
    paired.map((run) => figureOf(run, column.key)),
    paired.map(({ run }) => bySeed.get(run.seed)!),
  );
}

/** Positions of the rows with the best mean of a figure; none where fewer than two have one, or where more is not better. */
export function bestRows(rows: readonly CompareRow[], column: CompareColumn): ReadonlySet<number> {
  if (column.kind === 'setting' || !(column.isProportion || column.isCost)) return new Set();
  const sign = column.isCost ? -1 : 1;
  return bestOf(rows.map((row) => sign * Number(cellValue(row, column))));
}

/** Positions of the points that no other beats in both: more of one and no less of the other. */
export function paretoFront(points: readonly { readonly x: number; readonly y: number }[]): number[] {
  return points.flatMap(({ x, y }, index) => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return [];
    const isBeaten = points.some((other) => other.x >= x && other.y >= y && (other.x > x || other.y > y));
    return isBeaten ? [] : [index];
  });
}
