// An evaluation as curves and numbers: accuracy by step for each restart, and by restart. The worst case is cumulative: an image
// counts while it stands after every step of this restart and of all before.
import type { Proportion } from '../../server/protocol/records.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import type { Curve, YScale } from '../charts/curve.ts';
import { wilsonInterval } from '../../server/protocol/proportion.ts';
import { formatCount, formatPercent } from '../text/numbers.ts';
import { worstCase } from '../state/progress.ts';
import type { Palette } from '../theme/palette.ts';

/** By step: earlier restarts thin, the deepest strong with its Wilson band, clean accuracy dashed. */
export function curvesByStep(view: EvaluationView, scale: YScale, palette: Palette): Curve[] {
  const first = scale === 'log' ? 1 : 0; // the random start, before any step, has no place on a log axis
  const steps = Array.from({ length: view.started.plan.steps + 1 - first }, (_, index) => index + first);
  const worst = worstCase(view);
  const curves: Curve[] = [];
  const clean = cleanOf(view);
  if (clean)
    curves.push({
      name: 'clean',
      x: [first, view.started.plan.steps],
      y: [clean.value, clean.value],
      color: palette.clean,
      isDashed: true,
    });
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
    curves.push({
      name: 'worst case',
      x: steps,
      y: intervals.map(({ value }) => value),
      band: { low: intervals.map(({ low }) => low), high: intervals.map(({ high }) => high) },
      color: palette.attacked,
      width: 2.2,
    });
  }
  return curves;
}

/** Restarts one after another: since the counts are cumulative, one falling curve, with its Wilson band. */
export function curvesOfWhole(view: EvaluationView, scale: YScale, palette: Palette): Curve[] {
  const length = view.started.plan.steps + 1;
  const x: number[] = [];
  const intervals: Proportion[] = [];
  view.restarts.forEach(({ samples, robust }, restart) => {
    robust.forEach((count, step) => {
      if (scale === 'log' && restart === 0 && step === 0) return;
      x.push(restart * length + step);
      intervals.push(wilsonInterval(count, samples));
    });
  });
  const clean = cleanOf(view);
  const curves: Curve[] = [
    {
      name: 'worst case',
      x,
      y: intervals.map(({ value }) => value),
      band: { low: intervals.map(({ low }) => low), high: intervals.map(({ high }) => high) },
      color: palette.attacked,
      width: 2,
    },
  ];
  if (clean) {
    const ends = [x[0] ?? 0, x.at(-1) ?? 1];
    curves.push({ name: 'clean', x: ends, y: [clean.value, clean.value], color: palette.clean, isDashed: true });
  }
  return curves;
}

/** `step 12: 41.2 %`, in the whole attack `restart 3, step 12: 38.1 %`. */
export function atStepText(view: EvaluationView, at: number, isWhole: boolean): string {
  const length = view.started.plan.steps + 1;
  const index = isWhole ? Math.min(view.restarts.length - 1, Math.floor(at / length)) : view.restarts.length - 1;
  const restart = view.restarts[index];
  const step = isWhole ? at - index * length : at;
  const share = formatPercent((restart?.robust[step] ?? Number.NaN) / (restart?.samples ?? 1));
  return `restart ${formatCount(index + 1)}, step ${formatCount(step)}: ${share}`;
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
  const worst = worstCase(view);
  return worst ? wilsonInterval(worst.robust.at(-1) ?? Number.NaN, worst.samples) : null;
}

/** Known once the evaluation ends. */
export function cleanOf(view: EvaluationView): Proportion | null {
  return view.finished && view.finished.samples > 0 ? view.finished.clean : null;
}

/** Accuracy after `step` steps of the first restart. */
export function afterFirstRestart(view: EvaluationView, step: number): Proportion | null {
  const first = view.restarts[0];
  const count = first?.robust.at(step);
  return first && count !== undefined ? wilsonInterval(count, first.samples) : null;
}
