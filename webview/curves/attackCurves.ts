// An evaluation as curves and numbers: accuracy by step for each restart, and by restart. The worst case is cumulative: an image
// counts while it stands after every step of this restart and of all before.
import type { Proportion } from '../../server/protocol/records.ts';
import {
  epsilonsOf,
  isAttackPlan,
  isDetectorPlan,
  measuresDistances,
  stagesOf,
  stageText,
} from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import type { Curve, YScale } from '../charts/curve.ts';
import { wilsonInterval } from '../../server/protocol/proportion.ts';
import { formatCount, formatFraction, formatPercent } from '../text/numbers.ts';
import { worstCase } from '../state/progress.ts';
import type { Palette } from '../theme/palette.ts';

/** What there is to see of an evaluation, the first of it where nothing was chosen. */
export function attackViews({ started }: EvaluationView): AttackView[] {
  const { plan } = started;
  if (isDetectorPlan(plan)) return ['whole'];
  if (!isAttackPlan(plan)) return ['epsilon'];
  if (measuresDistances(plan)) return ['epsilon', 'whole'];
  const isCurve = epsilonsOf(plan).length > 1;
  const isComposed = new Set(stagesOf(plan).map(({ attack }) => attack)).size > 1;
  return [...(isCurve ? (['epsilon'] as const) : isComposed ? [] : (['restarts'] as const)), 'whole'];
}

export type AttackView = 'restarts' | 'whole' | 'epsilon';

/** By step: earlier restarts thin, the deepest strong with its Wilson band, clean accuracy dashed. */
export function curvesByStep(view: EvaluationView, scale: YScale, palette: Palette): Curve[] {
  const first = scale === 'log' ? 1 : 0; // the random start, before any step, has no place on a log axis
  const last = (stagesOf(view.started.plan)[0]?.nPoints ?? 1) - 1;
  const steps = Array.from({ length: last + 1 - first }, (_, index) => index + first);
  const worst = worstCase(view);
  const curves = cleanLine(view, [first, last], palette);
  view.restarts.forEach((restart, index) => {
    if (restart === worst || restart.samples === 0) return;
    curves.push({
      name: `restart ${(index + 1).toString()}`,
      x: steps,
      y: steps.map((step) => (restart.robust[step] ?? Number.NaN) / restart.samples),
      color: palette.attacked,
      // The first does nearly all of the work; those after it start from what it left.
      width: index === 0 ? 1.8 : 1,
      opacity: index === 0 ? 0.75 : 0.25 + (0.35 * index) / view.restarts.length,
    });
  });
  if (worst) {
    const intervals = steps.map((step) => wilsonInterval(worst.robust[step] ?? Number.NaN, worst.samples));
    curves.push({ name: 'worst case', x: steps, ...withBand(intervals), color: palette.attacked, width: 2.2 });
  }
  return curves;
}

/** Stages one after another: since the counts are cumulative, one falling curve, with its Wilson band. */
export function curvesOfWhole(view: EvaluationView, scale: YScale, palette: Palette): Curve[] {
  const x: number[] = [];
  const intervals: Proportion[] = [];
  const place = placesOf(view);
  view.restarts.forEach(({ samples, robust }, stage) => {
    robust.forEach((count, point) => {
      const at = place(stage, point);
      if (scale === 'log' && at === 0) return;
      x.push(at);
      intervals.push(wilsonInterval(count, samples));
    });
  });
  const curve = { name: 'worst case', x, ...withBand(intervals), color: palette.attacked, width: 2 };
  return [curve, ...cleanLine(view, [x[0] ?? 0, x.at(-1) ?? 1], palette)];
}

/**
 * Where a point of a stage stands in the whole: stages of one length follow one another, those of several (steps here, queries
 * there) take a unit each.
 */
function placesOf({ started }: EvaluationView): (stage: number, point: number) => number {
  const stages = stagesOf(started.plan);
  const length = stages[0]?.nPoints ?? 1;
  if (stages.every(({ nPoints }) => nPoints === length)) return (stage, point) => stage * length + point;
  return (stage, point) => stage + point / (stages[stage]?.nPoints ?? 1);
}

/**
 * Robust accuracy by ε: where distances were measured the share of images that nothing fooled, or is certified to fool, nearer; else a
 * dot at each ε that was attacked. Begins at the clean accuracy, at ε = 0.
 */
export function curvesByEpsilon(view: EvaluationView, palette: Palette): Curve[] {
  const { plan } = view.started;
  const isAttack = isAttackPlan(plan);
  const curve = isAttack
    ? { name: 'worst case', color: palette.attacked, width: 2 }
    : { name: 'certified', color: palette.good, width: 2 };
  const { distances } = view;
  if (distances) {
    const found = [...new Set(distances)].filter((distance) => distance < Infinity).sort((a, b) => a - b);
    const x = found.flatMap((distance) => (distance === 0 ? [0] : [distance, distance]));
    // A step at each distance: what stands up to it, and what stands from it on.
    const sorted = Float32Array.from(distances).sort();
    const beyond = (epsilon: number): number => sorted.length - countUpTo(sorted, epsilon);
    const standing = found.flatMap((distance, index) =>
      distance === 0 ? [beyond(0)] : [beyond(found[index - 1] ?? 0), beyond(distance)],
    );
    const start = found[0] === 0 ? [] : [sorted.length];
    const intervals = [...start, ...standing].map((count) => wilsonInterval(count, sorted.length));
    return [{ ...curve, x: found[0] === 0 ? x : [0, ...x], ...withBand(intervals) }];
  }
  const stages = stagesOf(plan);
  const points = epsilonsOf(plan).flatMap((epsilon) => {
    const last = view.restarts[stages.findLastIndex((stage) => stage.epsilon === epsilon)];
    return last ? [{ epsilon, interval: wilsonInterval(last.robust.at(-1) ?? Number.NaN, last.samples) }] : [];
  });
  const clean = cleanOf(view);
  const all = [...(clean ? [{ epsilon: 0, interval: clean }] : []), ...points];
  const x = all.map(({ epsilon }) => epsilon);
  return [{ ...curve, x, ...withBand(all.map(({ interval }) => interval)), hasDots: true }];
}

/** The distance within which half of the images that are right as they are were fooled; null before half were. */
export function medianDistance({ distances }: EvaluationView): number | null {
  const right = distances?.filter((distance) => distance > 0).sort();
  const median = right?.[Math.floor((right.length - 1) / 2)];
  return median === undefined || median === Infinity ? null : median;
}

function countUpTo(sorted: Float32Array, limit: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

function withBand(intervals: readonly Proportion[]): Pick<Curve, 'y' | 'band'> {
  return {
    y: intervals.map(({ value }) => value),
    band: { low: intervals.map(({ low }) => low), high: intervals.map(({ high }) => high) },
  };
}

function cleanLine(view: EvaluationView, x: number[], palette: Palette): Curve[] {
  const clean = cleanOf(view);
  return clean ? [{ name: 'clean', x, y: [clean.value, clean.value], color: palette.clean, isDashed: true }] : [];
}

/** `step 12: 41.2 %`, in the whole attack `restart 3, step 12: 38.1 %`. */
export function atStepText(view: EvaluationView, at: number, isWhole: boolean): string {
  const stages = stagesOf(view.started.plan);
  const place = placesOf(view);
  const reached = view.restarts.length - 1;
  const index = isWhole
    ? Math.min(
        reached,
        view.restarts.findLastIndex((_, stage) => place(stage, 0) <= at + 1e-9),
      )
    : reached;
  const [stage, restart] = [stages[index], view.restarts[index]];
  if (!stage || !restart) return '';
  const unit = place(index, 1) - place(index, 0);
  const point = Math.min(stage.nPoints - 1, Math.round(isWhole ? (at - place(index, 0)) / unit : at));
  const share = formatPercent((restart.robust[point] ?? Number.NaN) / restart.samples);
  return `${stageText(view.started.plan, stage, formatFraction)}, ${stage.axis} ${formatCount(point)}: ${share}`;
}

/** What each further restart takes: accuracy after all steps of restarts 1…r. */
export function curvesByRestart(view: EvaluationView, palette: Palette): Curve[] {
  const intervals = view.restarts.map(({ samples, robust }) => wilsonInterval(robust.at(-1) ?? Number.NaN, samples));
  return [
    {
      name: 'worst case by restart',
      x: intervals.map((_, index) => index + 1),
      y: intervals.map(({ value }) => value),
      band: { low: intervals.map(({ low }) => low), high: intervals.map(({ high }) => high) },
      color: palette.attacked,
      hasDots: true,
    },
  ];
}

/** Final figures, or those so far: an attack stopped before any image had passed every restart has no final ones. */
export function robustOf(view: EvaluationView): Proportion | null {
  if (view.finished && view.finished.samples > 0) return view.finished.robust;
  const { distances, started } = view;
  if (distances && distances.length > 0)
    return wilsonInterval(distances.filter((one) => one > started.plan.epsilon).length, distances.length);
  const worst = worstCase(view);
  return worst ? wilsonInterval(worst.robust.at(-1) ?? Number.NaN, worst.samples) : null;
}

/** Of the images so far; in evaluations of version 0.1 known once they ended. */
export function cleanOf(view: EvaluationView): Proportion | null {
  if (view.finished && view.finished.samples > 0) return view.finished.clean;
  return view.clean && wilsonInterval(view.clean.count, view.clean.samples);
}

/** Accuracy after `step` steps of the first restart. */
export function afterFirstRestart(view: EvaluationView, step: number): Proportion | null {
  const first = view.restarts[0];
  const count = first?.robust.at(step);
  return first && count !== undefined ? wilsonInterval(count, first.samples) : null;
}
