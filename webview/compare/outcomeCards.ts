// What several runs came to, as cards of curves: a card an attack, a card a measure of shift; a curve a run, or a curve a group with its band.
// Nothing is drawn here.
import { evaluationKey, epsilonText, weightsWord } from '../../server/protocol/attackFigures.ts';
import {
  boundMark,
  epsilonsOf,
  evaluationTitle,
  isAttackPlan,
  stagesOf,
  type EvaluationPlan,
} from '../../server/protocol/evaluationPlan.ts';
import type { RunOutcome, ShiftMeasure, ShiftOutcome } from '../../server/protocol/outcomes.ts';
import { meanAndStd } from '../../server/protocol/pairedTest.ts';
import type { OfWeights } from '../../server/protocol/records.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import type { Curve, YScale } from '../charts/curve.ts';
import { attackViews, curvesByEpsilon, curvesByStep, curvesOfWhole, robustOf } from '../curves/attackCurves.ts';
import { indexAt } from '../curves/decimate.ts';
import { shiftMeasures } from '../curves/shiftMeasures.ts';
import { formatCount, formatNumber, formatPercent, formatTick, percentTick, pixelTick } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import type { CompareRow } from './compareTable.ts';
import type { CompareView } from './compareView.ts';
import { groupCurve, type PlainCurve } from './runGroups.ts';

export interface OutcomeCard {
  readonly name: string;
  readonly subtitle: string;
  readonly curves: readonly Curve[];
  /** Where the axis has names or chosen places. */
  readonly xTicks: readonly number[] | null;
  readonly xUnit: number;
  readonly formatX: (value: number) => string;
  readonly yScale: YScale;
  readonly formatY: ((value: number) => string) | null;
  /** By curve, at x, or what it came to for null. */
  read(x: number | null): readonly { readonly name: string; readonly color: string; readonly text: string }[];
}

export interface OutcomeOptions {
  /** Of which each is a curve. */
  readonly rows: readonly CompareRow[];
  readonly outcomes: ReadonlyMap<string, RunOutcome>;
  readonly view: Pick<CompareView, 'grouping' | 'band'>;
  readonly colorOf: (key: string) => string;
  readonly palette: Palette;
}

/** What stands of the images of each run under one attack, by ε where it tells that, else by step; the attack that most runs have comes first. */
export function attackCards(options: OutcomeOptions): OutcomeCard[] {
  const attacks = attacksOf([...options.outcomes.values()]);
  const sorted = [...attacks.values()].sort((a, b) => b.views.size - a.views.size);
  const titles = sorted.map((attack) =>
    [evaluationTitle(attack.plan), epsilonText(attack.plan), weightsWord(attack)].join(' ').trim(),
  );
  return sorted.flatMap((attack, index) => {
    // Attacks of one name differ in what their names leave out.
    const alike = titles.slice(0, index).filter((title) => title === titles[index]).length;
    const card = attackCard(
      attack,
      alike === 0 ? titles[index]! : `${titles[index]!}, variant ${String(alike + 1)}`,
      options,
    );
    return card ? [card] : [];
  });
}

interface Attack extends OfWeights {
  readonly plan: EvaluationPlan;
  /** By run: that on its latest weights. */
  readonly views: Map<string, Attacked>;
}

interface Attacked {
  readonly view: EvaluationView;
  /** What its figure is beside the truth. */
  readonly mark: ReturnType<typeof boundMark>;
}

function attacksOf(outcomes: readonly RunOutcome[]): ReadonlyMap<string, Attack> {
  const attacks = new Map<string, Attack>();
  for (const { runId, evaluations } of outcomes) {
    for (const view of evaluations) {
      const { plan, step, weights } = view.started;
      const key = `${weights ?? ''} ${evaluationKey(plan)}`;
      const attack = attacks.get(key) ?? { plan, ...(weights && { weights }), views: new Map<string, Attacked>() };
      if (step >= (attack.views.get(runId)?.view.started.step ?? 0))
        attack.views.set(runId, { view, mark: boundMark(view, evaluations) });
      attacks.set(key, attack);
    }
  }
  return attacks;
}

function attackCard({ plan, views }: Attack, name: string, options: OutcomeOptions): OutcomeCard | null {
  const { rows, palette } = options;
  const shown = [...views.values()].map(({ view }) => view);
  const isByEpsilon = shown.some((view) => attackViews(view)[0] === 'epsilon');
  const isMeasured = shown.some(({ distances }) => distances !== null);
  const furthest = shown.reduce((most, { distances }) => furthestOf(distances, most), 0);
  const lines = rows.map(({ runs }) =>
    runs.flatMap(({ run }) => {
      const { view, mark } = views.get(run.id) ?? {};
      const curve = view && standingCurve(view, palette);
      const last = view && robustOf(view)?.value;
      if (!curve || last === undefined) return [];
      return { curve, plain: isMeasured ? onGrid(curve, furthest) : curve, last, mark };
    }),
  );
  const parts = partsOf(lines, options, (found) => {
    const { mean, std, n } = meanAndStd(found);
    return n > 1 ? `${(100 * mean).toFixed(1)} ± ${formatPercent(std)}` : formatPercent(mean);
  });
  if (parts.length === 0) return null;
  const compared = rows.flatMap(({ runs }) => runs.flatMap(({ run }) => views.get(run.id)?.view ?? []));
  const [one] = shown;
  return {
    name,
    subtitle: [...(isAttackPlan(plan) ? [] : ['certified']), axisText(one!), imagesText(compared)].join(' · '),
    curves: parts.map(({ curve }) => curve),
    xTicks: isByEpsilon && !isMeasured ? [0, ...epsilonsOf(plan)] : null,
    xUnit: isByEpsilon ? 0 : 1,
    formatX: isByEpsilon && plan.norm === 'linf' ? pixelTick : formatTick,
    yScale: 'linear',
    formatY: percentTick,
    read: readerOf(parts, formatPercent),
  };
}

/** Of a thousand runs of ten thousand images: too many for arguments. */
function furthestOf(distances: Float32Array | null, least: number): number {
  return distances?.reduce((most, one) => (one < Infinity && one > most ? one : most), least) ?? least;
}

function axisText(view: EvaluationView): string {
  const [first] = attackViews(view);
  const { distances, started } = view;
  if (first === 'epsilon') return distances ? 'by distance' : 'by ε';
  return first === 'restarts' ? `by ${stagesOf(started.plan)[0]?.axis ?? 'step'}` : 'runs one after another';
}

/** Clean first where it is by ε; of several restarts what stands after each step of the last. */
function standingCurve(view: EvaluationView, palette: Palette): Curve | null {
  const [first] = attackViews(view);
  const curves =
    first === 'epsilon'
      ? curvesByEpsilon(view, palette)
      : first === 'restarts'
        ? curvesByStep(view, 'linear', palette)
        : curvesOfWhole(view, 'linear', palette);
  const curve = curves.find(({ name }) => name === 'worst case' || name === 'certified');
  return curve && curve.x.length > 0 ? curve : null;
}

const gridPoints = 101;

/** The steps of each run are at distances of its own; groups need common ones. */
function onGrid({ x, y }: PlainCurve, furthest: number): PlainCurve {
  const grid = Array.from({ length: gridPoints }, (_, index) => (index / (gridPoints - 1)) * furthest);
  let reached = 0;
  const standing = grid.map((at) => {
    while (reached + 1 < x.length && x[reached + 1]! <= at) reached++;
    return y[reached] ?? Number.NaN;
  });
  return { x: grid, y: standing };
}

/** `512 images`, of several attacks `100 to 512 images`; those that are not at their end are counted. */
function imagesText(views: readonly EvaluationView[]): string {
  const counts = views.map(({ finished, started }) => finished?.samples ?? started.samples);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const open = views.filter(({ finished }) => finished === null || finished.isPartial).length;
  const images =
    least === most ? `${formatCount(most)} images` : `${formatCount(least)} to ${formatCount(most)} images`;
  return open === 0 ? images : `${images} · ${formatCount(open)} not at the end`;
}

/** A card a measure, each by layer from the first to the last, of the last look of each run. */
export function shiftCards(options: OutcomeOptions): OutcomeCard[] {
  const shifts = options.rows.map(({ runs }) => runs.flatMap(({ run }) => options.outcomes.get(run.id)?.shift ?? []));
  const names = layerNames(shifts.flat());
  if (names.length === 0) return [];
  return (Object.keys(shiftMeasures) as ShiftMeasure[]).map((measure) => {
    const lines = shifts.map((ofRow) =>
      ofRow.map(({ layers }) => {
        const curve = { name: '', color: '', x: [...layers.keys()], y: layers.map((layer) => layer[measure]) };
        return { curve, plain: curve, last: curve.y.at(-1) ?? Number.NaN };
      }),
    );
    const parts = partsOf(lines, options, (found) => {
      const { mean, std, n } = meanAndStd(found);
      return n > 1 ? `${formatNumber(mean, 3)} ± ${formatNumber(std, 2)}` : formatNumber(mean, 3);
    });
    const isShare = measure === 'ks' || measure === 'relative';
    return {
      ...{ name: `${shiftMeasures[measure].text} shift`, subtitle: shiftMeasures[measure].equation },
      ...{ curves: parts.map(({ curve }) => ({ ...curve, hasDots: true })), xTicks: [...names.keys()], xUnit: 1 },
      ...{ formatX: (value: number) => names[value] ?? '', yScale: isShare ? 'linear' : 'log', formatY: null },
      read: readerOf(parts, (value) => formatNumber(value, 3)),
    };
  });
}

/** How runs were looked at for their shifts, each way once: by it their figures can be compared, or can't. */
export function shiftLooks(outcomes: readonly (RunOutcome | undefined)[]): string[] {
  const looks = outcomes.flatMap((outcome) => {
    if (!outcome?.shift) return [];
    const { samples, attack, weights } = outcome.shift;
    return `${formatCount(samples)} test images, ${attack}${weights === 'average' ? ', averaged weights' : ''}`;
  });
  return [...new Set(looks)];
}

/** By depth; where runs call a layer differently, what it is the how-manieth of. */
function layerNames(shifts: readonly ShiftOutcome[]): string[] {
  const deepest = Math.max(0, ...shifts.map(({ layers }) => layers.length));
  return Array.from({ length: deepest }, (_, index) => {
    const names = new Set(shifts.flatMap(({ layers }) => layers[index]?.layer ?? []));
    return names.size === 1 ? [...names].join('') : `layer ${String(index + 1)}`;
  });
}

interface Line {
  readonly curve: Curve;
  /** At places that it has in common with others. */
  readonly plain: PlainCurve;
  /** What is told of it, and what that is beside the truth. */
  readonly last: number;
  readonly mark?: string | undefined;
}

interface Part {
  readonly curve: Curve;
  readonly told: string;
}

/** More than a few bands hide one another. */
const mostBands = 4;

function partsOf(
  lines: readonly (readonly Line[])[],
  { rows, view, colorOf }: OutcomeOptions,
  tell: (found: readonly number[]) => string,
): Part[] {
  const isGrouped = view.grouping !== 'run';
  const hasBands = lines.filter((ofRow) => ofRow.length > 0).length <= mostBands;
  return rows.flatMap(({ key, title }, place) => {
    const ofRow = lines[place]!;
    const [first] = ofRow;
    if (!first) return [];
    const mark = ofRow.find((line) => line.mark)?.mark ?? '';
    const told = `${mark}${tell(ofRow.map(({ last }) => last))}`;
    const shared = { color: colorOf(key), width: 1.8, ...(first.curve.hasDots && { hasDots: true }) };
    if (!isGrouped) {
      const { x, y, band } = first.curve;
      return [{ told, curve: { name: title, x, y, ...shared, ...(hasBands && band && { band }) } }];
    }
    const { x, middle, low, high } = groupCurve(
      ofRow.map(({ plain }) => plain),
      view.band,
    );
    const name = `${title} (${String(ofRow.length)})`;
    return [{ told, curve: { name, x, y: middle, ...shared, ...(ofRow.length > 1 && { band: { low, high } }) } }];
  });
}

function readerOf(parts: readonly Part[], format: (value: number) => string): OutcomeCard['read'] {
  return (at) =>
    parts.map(({ curve: { name, color, x, y }, told }) => {
      const isWithin = at !== null && x.length > 0 && at >= x[0]! && at <= x[x.length - 1]!;
      const text = at === null ? told : isWithin ? format(y[indexAt(x, at)] ?? Number.NaN) : '–';
      return { name, color, text };
    });
}
