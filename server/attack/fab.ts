// Fast adaptive boundary attack: steps onto the linear model of the nearest boundary, drawn towards the clean image; looks for the
// nearest image that fools. Croce & Hein (2020), "Minimally distorted adversarial examples with a fast adaptive boundary attack".
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import { readFloats } from '../tensor/read.ts';
import { otherClasses } from './apgd.ts';
import type { Attack } from './attack.ts';
import { onHyperplane } from './hyperplane.ts';
import { towards } from './losses.ts';
import { areCorrect } from './predictions.ts';
import { clipTo, distancesOf, euclidean, forEachRow } from './rows.ts';
import type { Trial } from './trial.ts';

/** Towards whichever boundary is nearest: a gradient for each class and step. */
export const fab: Attack<'fab'> = (trial, plan, run) => boundary(trial, plan, { target: null, restart: run });

/** Towards one other class after the other: a gradient a step. */
export const fabT: Attack<'fab-t'> = (trial, plan, run) => {
  const [target, restart] = [Math.floor(run / plan.restarts), run % plan.restarts];
  return boundary(trial, plan, { target, restart });
};

type FabPlan = Pick<PlanOfAttack<'fab'>, 'norm' | 'epsilon' | 'steps' | 'alphaMax' | 'eta' | 'beta'>;

/** Algorithm 1 of the paper. */
function* boundary(
  trial: Trial,
  plan: FabPlan,
  { target, restart }: { target: number | null; restart: number },
): Generator<void, void, void> {
  const { norm, steps, eta, beta, alphaMax } = plan;
  if (target !== null && target >= trial.target.nClasses - 1) return;
  const clean = readFloats(trial.clean);
  const targets = target === null ? trial.labels.slice() : otherClasses(trial, target);
  const held = trial.hold({ clean, targets, x: restart === 0 ? clean.slice() : startNear(trial, plan, clean) });
  trial.leave();
  yield;
  for (let step = 0; step < steps; step++) {
    const planes = nearestPlanes(trial, held.now.x, { norm, targets: target === null ? null : held.now.targets });
    const { x } = held.now;
    const next = new Float32Array(x.length);
    forEachRow(next, trial.size, (row, from, to) => {
      const [normal, own, start] = [planes.w, x, held.now.clean].map((values) => values.subarray(from, to)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      // <w, z> + b = 0 with b = f(x) − <w, x>, for the image and for the clean one.
      const b = planes.gaps[row]! - dot(normal, own);
      const d1 = onHyperplane(own, { w: normal, b, norm, bounds: trial.bounds });
      const d2 = onHyperplane(start, { w: normal, b, norm, bounds: trial.bounds });
      const [a1, a2] = [Math.max(d1.length, 1e-8), Math.max(d2.length, 1e-8)];
      const alpha = Math.min(a1 / (a1 + a2), alphaMax); // how far towards the clean image
      for (let i = 0; i < own.length; i++) {
        const near = own[i]! + eta * d1.offset[i]!;
        const home = start[i]! + eta * d2.offset[i]!;
        next[from + i] = clipTo(trial, (1 - alpha) * near + alpha * home);
      }
    });
    const logits = trial.target.logits(next);
    const correct = areCorrect(logits, trial.labels);
    const distances = distancesOf(norm, next, held.now.clean, trial.size);
    // What is kept is the image itself; the search goes on a step nearer to the clean one.
    const onward = next.slice();
    forEachRow(onward, trial.size, (row, from, to) => {
      if (correct[row]) return;
      for (let i = from; i < to; i++) onward[i] = held.now.clean[i]! + beta * (next[i]! - held.now.clean[i]!);
    });
    held.replace({ x: onward });
    trial.note(next, logits, distances);
    yield;
  }
}

/** For each image the class whose boundary is nearest by the linear model, |f|/‖∇f‖ in the dual norm, f = z_k − z_y. */
function nearestPlanes(
  trial: Trial,
  x: Float32Array,
  { norm, targets }: { norm: 'linf' | 'l2'; targets: Int32Array | null },
): { w: Float32Array; gaps: Float32Array } {
  const { labels, size } = trial;
  if (targets) {
    const { gradient, losses } = trial.target.differentiate(x, towards(labels, targets));
    return { w: gradient, gaps: losses };
  }
  const [w, gaps] = [new Float32Array(x.length), new Float32Array(size)];
  const nearest = new Float32Array(size).fill(Infinity);
  for (let k = 0; k < trial.target.nClasses; k++) {
    const { gradient, losses } = trial.target.differentiate(
      x,
      towards(
        labels,
        labels.map(() => k),
      ),
    );
    forEachRow(x, size, (row, from, to) => {
      if (labels[row] === k) return;
      const distance = Math.abs(losses[row]!) / (1e-12 + dualLength(norm, gradient, from, to));
      if (!(distance < nearest[row]!)) return;
      nearest[row] = distance;
      gaps[row] = losses[row]!;
      w.set(gradient.subarray(from, to), from);
    });
  }
  return { w, gaps };
}

/** ‖·‖₁ for L∞, ‖·‖₂ for L2. */
export function dualLength(norm: 'linf' | 'l2', values: Float32Array, from: number, to: number): number {
  if (norm === 'l2') return euclidean(values, from, to);
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.abs(values[i]!);
  return sum;
}

/** A further restart: half of the smaller of ε and the smallest distance so far, in a random direction. */
function startNear(trial: Trial, { norm, epsilon }: FabPlan, clean: Float32Array): Float32Array {
  const drawn = norm === 'linf' ? trial.uniform(0, -1, 1) : trial.normal(0);
  const x = readFloats(drawn);
  drawn.dispose();
  forEachRow(x, trial.size, (row, from, to) => {
    const radius = Math.min(trial.distances[trial.rows[row]!]!, epsilon) / 2;
    let largest = 0;
    for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(x[i]!));
    const length = norm === 'linf' ? largest : euclidean(x, from, to);
    for (let i = from; i < to; i++) x[i] = clipTo(trial, clean[i]! + (radius * x[i]!) / length);
  });
  return x;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
