// Natural evolution strategies: PGD along a gradient that is estimated from answers at random points nearby, so that a network
// whose own gradient misleads (k-WTA) is attacked all the same.
import { readFloats } from '../tensor/read.ts';
import type { Attack } from './attack.ts';
import { marginsOf } from './predictions.ts';
import { forEachRow, project } from './rows.ts';

/**
 * Ilyas et al. (2018) with antithetic pairs, on the margin m = max_{i≠y} zᵢ − z_y as Tramèr et al. (2020) took it
 * against k-WTA: g = 1/(2nσ)·Σ (m(x + σu) − m(x − σu))·u with u ~ N(0, I);  x ← Π(x + α·sign g), under L2 along g/‖g‖₂.
 */
export const nes: Attack<'nes'> = function* (trial, plan) {
  const { steps, stepSize, sigma, norm } = plan;
  const clean = readFloats(trial.clean);
  const held = trial.hold({ clean, x: clean.slice() });
  yield;
  for (let step = 0; step < steps; step++) {
    const { x } = held.now;
    const gradient = new Float64Array(x.length);
    const nPairs = pairsAt(plan, step);
    for (let pair = 0; pair < nPairs; pair++) {
      const drawn = trial.normal(pair, 1 + step);
      const u = readFloats(drawn);
      const either = ([1, -1] as const).map((way) =>
        marginsOf(trial.target.logits(x.map((value, i) => value + way * sigma * u[i]!)), trial.labels),
      );
      forEachRow(x, trial.size, (row, from, to) => {
        const difference = (either[1]![row]! - either[0]![row]!) / (2 * nPairs * sigma);
        for (let i = from; i < to; i++) gradient[i]! += difference * u[i]!;
      });
      drawn.dispose();
    }
    const next = new Float32Array(x.length);
    forEachRow(next, trial.size, (_, from, to) => {
      const length = Math.sqrt(gradient.subarray(from, to).reduce((sum, g) => sum + g * g, 0)) + 1e-12;
      for (let i = from; i < to; i++) {
        next[i] = x[i]! + stepSize * (norm === 'l2' ? gradient[i]! / length : Math.sign(gradient[i]!));
      }
      project(trial, plan, { x: next, clean: held.now.clean, from, to });
    });
    held.replace({ x: next });
    trial.drop(next, trial.target.logits(next));
    yield;
  }
};

/** With growth: 1, 10 and 200 times as many from the start, a fifth and two fifths of the steps (the attack released for k-WTA). */
function pairsAt(
  { directions, growth, steps }: { directions: number; growth: 'none' | 'late'; steps: number },
  step: number,
): number {
  if (growth === 'none') return directions;
  return directions * (step < 0.2 * steps ? 1 : step < 0.4 * steps ? 10 : 200);
}
