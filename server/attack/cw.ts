// Carlini & Wagner's attacks: the nearest image that fools, by Adam on an image that can't leave its bounds.
// Carlini & Wagner (2017), "Towards evaluating the robustness of neural networks".
import { readFloats } from '../tensor/read.ts';
import type { Attack } from './attack.ts';
import { margin } from './losses.ts';
import { areCorrect } from './predictions.ts';
import { distancesOf, forEachRow } from './rows.ts';
import type { Trial } from './trial.ts';

const [beta1, beta2, tiny] = [0.9, 0.999, 1e-8];
/** c is not raised beyond. */
const largestC = 1e10;

/**
 * With x′ = ½(tanh w + 1) minimises, by Adam on w, ‖x′ − x‖₂² + c·f(x′), or under L∞ c·f(x′) + Σ max(|x′ᵢ − xᵢ| − τ, 0)
 * with f(x′) = max(z_y − max_{i≠y} zᵢ, −κ) (f₆). After each search: under L2 c is halved between what fooled and what did
 * not, and ten times as large while nothing has; under L∞ τ falls to 0.9 of the distance found, or c is raised.
 */
export const cw: Attack<'cw'> = function* (trial, plan) {
  const { norm, searches, steps, learningRate, confidence } = plan;
  if (!trial.bounds)
    throw new Error('The attack cw needs samples with bounds, such as pictures. Choose another attack.');
  const [low, high] = trial.bounds;
  const clean = readFloats(trial.clean);
  const half = (high - low) / 2;
  const inTanh = (values: Float32Array) => values.map((value) => Math.atanh(((value - low) / half - 1) * 0.999999));
  const held = trial.hold({
    ...{
      clean,
      w: inTanh(clean),
      start: inTanh(clean),
      m: new Float32Array(clean.length),
      v: new Float32Array(clean.length),
    },
    ...{ c: perImage(trial, plan.constant), least: perImage(trial, 0), most: perImage(trial, largestC) },
    ...{ tau: perImage(trial, high - low), nearest: perImage(trial, Infinity) },
  });
  yield;
  for (let search = 0; search < searches; search++) {
    held.now.m.fill(0);
    held.now.v.fill(0);
    held.now.nearest.fill(Infinity);
    held.now.w.set(held.now.start);
    for (let step = 1; step <= steps; step++) {
      const { w, m, v, c, tau, nearest, start } = held.now;
      const x = w.map((value) => low + half * (Math.tanh(value) + 1));
      // The gradient of max_{i≠y} zᵢ − z_y, whose negative f₆ is where it is not cut off.
      const { gradient, losses, logits } = trial.target.differentiate(x, margin(trial.labels));
      const correct = areCorrect(logits, trial.labels);
      const distances = distancesOf(norm, x, held.now.clean, trial.size);
      forEachRow(x, trial.size, (row, from, to) => {
        if (!correct[row] && losses[row]! >= confidence && distances[row]! < nearest[row]!) {
          nearest[row] = distances[row]!;
          if (norm === 'linf') start.set(w.subarray(from, to), from);
        }
        const pull = losses[row]! < confidence ? c[row]! : 0;
        for (let i = from; i < to; i++) {
          const offset = x[i]! - held.now.clean[i]!;
          const length = norm === 'l2' ? 2 * offset : Math.abs(offset) > tau[row]! ? Math.sign(offset) : 0;
          const slope = (length - pull * gradient[i]!) * half * (1 - Math.tanh(w[i]!) ** 2);
          m[i] = beta1 * m[i]! + (1 - beta1) * slope;
          v[i] = beta2 * v[i]! + (1 - beta2) * slope ** 2;
          const corrected = m[i]! / (1 - beta1 ** step) / (Math.sqrt(v[i]! / (1 - beta2 ** step)) + tiny);
          w[i]! -= learningRate * corrected;
        }
      });
      trial.note(x, logits, distances);
      yield;
    }
    if (norm === 'l2') halveC(held.now);
    else lowerTau(held.now);
  }
};

interface Searched {
  readonly c: Float32Array;
  readonly least: Float32Array;
  readonly most: Float32Array;
  readonly tau: Float32Array;
  /** Of the search that has ended; Infinity where nothing fooled. */
  readonly nearest: Float32Array;
}

function halveC({ c, least, most, nearest }: Searched): void {
  nearest.forEach((distance, row) => {
    if (distance < Infinity) most[row] = Math.min(most[row]!, c[row]!);
    else least[row] = Math.max(least[row]!, c[row]!);
    c[row] = most[row]! < largestC ? (least[row]! + most[row]!) / 2 : Math.min(c[row]! * 10, largestC);
  });
}

function lowerTau({ c, tau, nearest }: Searched): void {
  nearest.forEach((distance, row) => {
    if (distance < Infinity) tau[row] = 0.9 * Math.min(tau[row]!, distance);
    else c[row] = Math.min(c[row]! * 10, largestC);
  });
}

function perImage({ size }: Trial, value: number): Float32Array {
  return new Float32Array(size).fill(value);
}
