// DeepFool: to the nearest boundary of the linear model, again and again until the network is fooled.
import { readFloats } from '../tensor/read.ts';
import type { Attack } from './attack.ts';
import { dualLength } from './fab.ts';
import { order, towards } from './losses.ts';
import { areCorrect } from './predictions.ts';
import { clipTo, distancesOf, forEachRow } from './rows.ts';

/**
 * Moosavi-Dezfooli et al. (2016), for several classes: with f = z_k − z_y for the candidate classes k and l = argmin |f_k|/‖∇f_k‖₂,
 * r ← |f_l|/‖∇f_l‖₂²·∇f_l;  under L∞ |f_l|/‖∇f_l‖₁·sign ∇f_l with the least |f_k|/‖∇f_k‖₁. The image looked at
 * is clip(x₀ + (1 + η)·Σr). Candidates are the classes of the largest logits of the clean image.
 */
export const deepFool: Attack<'deepfool'> = function* (trial, plan) {
  const { norm, steps, overshoot } = plan;
  const { target } = trial;
  const nCandidates = Math.min(plan.candidates, target.nClasses);
  const clean = readFloats(trial.clean);
  const logits = target.logits(clean);
  const candidates = new Int32Array(trial.size * nCandidates);
  for (let row = 0; row < trial.size; row++)
    candidates.set(
      order(logits.subarray(row * target.nClasses, (row + 1) * target.nClasses), nCandidates),
      row * nCandidates,
    );
  const held = trial.hold({ clean, candidates, x: clean.slice(), sum: new Float32Array(clean.length) });
  yield;
  for (let step = 0; step < steps; step++) {
    const { x, sum } = held.now;
    const [nearest, w, gaps] = [
      new Float32Array(trial.size).fill(Infinity),
      new Float32Array(x.length),
      new Float32Array(trial.size),
    ];
    for (let candidate = 0; candidate < nCandidates; candidate++) {
      const classes = trial.labels.map((_, row) => held.now.candidates[row * nCandidates + candidate]!);
      const { gradient, losses } = target.differentiate(x, towards(trial.labels, classes));
      forEachRow(x, trial.size, (row, from, to) => {
        if (classes[row] === trial.labels[row]) return;
        const distance = Math.abs(losses[row]!) / dualLength(norm, gradient, from, to);
        if (!(distance < nearest[row]!)) return;
        nearest[row] = distance;
        gaps[row] = losses[row]!;
        w.set(gradient.subarray(from, to), from);
      });
    }
    const next = new Float32Array(x.length);
    forEachRow(x, trial.size, (row, from, to) => {
      const length = dualLength(norm, w, from, to);
      for (let i = from; i < to; i++) {
        const way = norm === 'l2' ? w[i]! / length : Math.sign(w[i]!);
        if (length > 0) sum[i]! += (Math.abs(gaps[row]!) / length) * way;
        next[i] = clipTo(trial, held.now.clean[i]! + (1 + overshoot) * sum[i]!);
      }
    });
    held.replace({ x: next });
    const found = target.logits(next);
    const correct = areCorrect(found, trial.labels);
    trial.note(next, found, distancesOf(norm, next, held.now.clean, trial.size));
    trial.finish(correct);
    yield;
  }
};
