// The curves of several runs, a card a tag: a curve a run, or a curve a group with its band. Nothing is drawn here.
import type { ComparedRun } from '../../server/protocol/panel.ts';
import { gradientNormTag, scalarTags, testTags, type RunSeries } from '../../server/protocol/series.ts';
import type { Curve } from '../charts/curve.ts';
import { bucketCurve } from '../curves/bucketCurve.ts';
import { indexAt } from '../curves/decimate.ts';
import { formatNumber, formatPercent, percentTick } from '../text/numbers.ts';
import type { CompareView } from './compareView.ts';
import type { CompareRow } from './compareTable.ts';
import { groupCurve } from './runGroups.ts';

export const comparedTags = [...scalarTags, gradientNormTag, ...testTags];

export interface CompareCard {
  readonly tag: string;
  readonly curves: readonly Curve[];
  /** Of the axis; null for the usual one. */
  readonly formatY: ((value: number) => string) | null;
  /** By curve that has a name in the legend, at x, or at its end for null. */
  read(x: number | null): readonly { readonly name: string; readonly color: string; readonly text: string }[];
}

export interface CompareOptions {
  /** Of which each is a curve. */
  readonly rows: readonly CompareRow[];
  readonly series: ReadonlyMap<string, RunSeries>;
  /** First recorded moment of each run, for relative time. */
  readonly startMs: ReadonlyMap<string, number>;
  readonly view: CompareView;
  readonly colorOf: (key: string) => string;
}

interface Line {
  readonly name: string;
  readonly color: string;
  readonly raw: { readonly x: readonly number[]; readonly y: readonly number[] };
  readonly smooth: { readonly x: readonly number[]; readonly y: readonly number[] } | null;
}

/** Null where none of the runs has the tag. */
export function compareCard(tag: string, options: CompareOptions): CompareCard | null {
  const isGrouped = options.view.grouping !== 'run';
  const parts = options.rows.map(({ key, title, runs }) => {
    const color = options.colorOf(key);
    const lines = runs.flatMap((run) => lineOf(run, tag, title, color, options) ?? []);
    return isGrouped ? groupPart(title, color, lines, options.view) : runPart(lines);
  });
  const shown = parts.filter(({ curves }) => curves.some(({ x, y }) => x.length > 0 && !isNone(tag, y)));
  if (shown.length === 0) return null;
  const isProportion = /accuracy/i.test(tag);
  const format = isProportion ? formatPercent : (value: number) => formatNumber(value);
  return {
    tag,
    curves: shown.flatMap(({ curves }) => curves),
    formatY: isProportion ? percentTick : null,
    read: (x) =>
      shown.flatMap(({ told }) =>
        told ? [{ name: told.name, color: told.color, text: format(valueAt(told, x)) }] : [],
      ),
  };
}

/** Each once, in the order of the first run that has it. */
export function answeredTags(series: ReadonlyMap<string, RunSeries>): string[] {
  const tags = [...series.values()].flatMap(({ tables }) =>
    tables.flatMap((table) => table.series.map(({ tag }) => tag)),
  );
  return [...new Set(tags)];
}

/** What a card is called: norms by their layer. */
export function cardName(tag: string): string {
  return cardNames[tag] ?? normTag.exec(tag)?.[1] ?? tag;
}

const cardNames: Readonly<Record<string, string>> = {
  accuracy: 'batch accuracy',
  learningRate: 'learning rate',
  [gradientNormTag]: 'gradient norm',
  'test/loss': 'test loss',
  'test/accuracy': 'test accuracy',
  'test/robustAccuracy': 'test accuracy under attack',
  'test/validationLoss': 'kept back, loss',
  'test/validationAccuracy': 'kept back, accuracy',
  'test/auc': 'AUC',
};

const normTag = /^(?:weights|gradients|ratio|update)\/(.*?)(?:\/\*)?$/;

/** Of a figure that no test of the run has. */
function isNone(tag: string, y: ArrayLike<number>): boolean {
  return tag.startsWith('test/') && Array.from(y).every(Number.isNaN);
}

interface Part {
  readonly curves: readonly Curve[];
  readonly told: Curve | null;
}

function runPart([line]: readonly Line[]): Part {
  if (!line) return { curves: [], told: null };
  const { name, color, raw, smooth } = line;
  const hasDots = raw.x.length < 60;
  if (!smooth) {
    const curve: Curve = { name, ...raw, color, hasDots };
    return { curves: [curve], told: curve };
  }
  const curve: Curve = { name, ...smooth, color, width: 1.7, hasNoMarks: true };
  return { curves: [{ name: `${name}, raw`, ...raw, color, width: 1, opacity: 0.22 }, curve], told: curve };
}

function groupPart(name: string, color: string, lines: readonly Line[], { band }: CompareView): Part {
  if (lines.length === 0) return { curves: [], told: null };
  const { x, middle, low, high } = groupCurve(
    lines.map(({ raw, smooth }) => smooth ?? raw),
    band,
  );
  const told: Curve = {
    name: `${name} (${lines.length.toString()})`,
    ...{ x, y: middle, color, width: 1.8, hasDots: x.length < 60, band: { low, high } },
  };
  return { curves: [told, ...lines.map(marksOf)], told };
}

/** What of a run is not finite is marked, however many others are. */
function marksOf({ name, color, raw }: Line): Curve {
  const places = raw.y.flatMap((value, index) => (Number.isFinite(value) ? [] : [index]));
  return {
    ...{ name: `${name}, not finite`, color, hasNoLine: true },
    ...{ x: places.map((index) => raw.x[index]!), y: places.map((index) => raw.y[index]!) },
  };
}

function lineOf(
  { run }: ComparedRun,
  tag: string,
  name: string,
  color: string,
  { series, startMs, view }: CompareOptions,
): Line | null {
  const tables = series.get(run.id)?.tables ?? [];
  const isTime = view.axis === 'wall' || view.axis === 'relative';
  const curve = bucketCurve(tables, tag, isTime ? 'time' : 'step');
  if (!curve) return null;
  const stepsPerEpoch = run.epochs > 0 ? run.steps / run.epochs : 1;
  const begunMs = startMs.get(run.id) ?? run.createdMs;
  const placed = (at: readonly number[]): readonly number[] => {
    if (view.axis === 'epoch') return at.map((step) => step / stepsPerEpoch);
    return view.axis === 'relative' ? at.map((ms) => ms - begunMs) : at;
  };
  const smooth = curve.smooth && !tag.startsWith('test/') && tag !== 'learningRate' ? curve.smooth : null;
  return {
    ...{ name, color },
    raw: { x: placed(curve.step), y: curve.value },
    smooth: smooth ? { x: placed(smooth.step), y: smooth.value } : null,
  };
}

function valueAt({ x, y }: Curve, at: number | null): number {
  if (at === null) return y[y.length - 1] ?? Number.NaN;
  // Behind its end a curve says nothing.
  if (x.length === 0 || at < x[0]! || at > x[x.length - 1]!) return Number.NaN;
  return y[indexAt(x, at)] ?? Number.NaN;
}
