// Auto-PGD: projected gradient ascent with momentum whose steps halve where they no longer pay; no step size to choose.
// Croce & Hein (2020), "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks".
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import { readFloats } from '../tensor/read.ts';
import type { Attack } from './attack.ts';
import { crossEntropy, differenceOfLogitsRatio, order, targetedDifferenceOfLogitsRatio, type Loss } from './losses.ts';
import { euclidean, forEachRow, project } from './rows.ts';
import type { Trial } from './trial.ts';

/** APGD with cross-entropy. */
export const apgdCe: Attack<'apgd-ce'> = (trial, plan) => autoPgd(trial, plan, () => crossEntropy(trial.labels));

/** APGD with the difference of logits ratio. */
export const apgdDlr: Attack<'apgd-dlr'> = (trial, plan) =>
  autoPgd(trial, plan, () => differenceOfLogitsRatio(trial.labels));

/** APGD towards the (run + 1)-th other class of the clean image, with the targeted difference of logits ratio. */
export const apgdT: Attack<'apgd-t'> = function* (trial, plan, run) {
  if (run >= trial.target.nClasses - 1) return;
  const targets = trial.hold({ classes: otherClasses(trial, run) });
  yield* autoPgd(trial, plan, () => targetedDifferenceOfLogitsRatio(trial.labels, targets.now.classes));
};

/** Of each that stands, the class with the (rank + 1)-th largest logit of the clean image, the true class left out. */
export function otherClasses({ target, clean, labels }: Trial, rank: number): Int32Array {
  const { nClasses } = target;
  const logits = target.logits(clean);
  return labels.map((label, row) => {
    const ordered = order(logits.subarray(row * nClasses, (row + 1) * nClasses), nClasses);
    return ordered.filter((k) => k !== label)[rank]!;
  });
}

type ApgdPlan = Pick<PlanOfAttack<'apgd-ce'>, 'norm' | 'epsilon' | 'steps' | 'expectation'>;

/** ρ of condition 1, and α of the momentum. */
const [rho, alpha] = [0.75, 0.75];

/** For a look at the algorithm from outside: where it starts, and its state after the start and after each step. */
export interface Watch {
  readonly start: Float32Array;
  readonly onStep: (state: Readonly<Pick<State, 'loss' | 'eta'>>) => void;
}

/** Algorithm 1 of the paper. */
export function* autoPgd(trial: Trial, plan: ApgdPlan, lossOf: () => Loss, watch?: Watch): Generator<void, void, void> {
  const { epsilon, steps, expectation } = plan;
  const look = (x: Float32Array) => trial.target.expect(x, lossOf(), expectation);
  const clean = readFloats(trial.clean);
  const start = watch?.start ?? startOnBall(trial, plan, clean);
  const { gradient, losses, logits } = look(start);
  const held = trial.hold<State>({
    ...{ clean, x: start, previous: start.slice(), gradient },
    ...{ best: start.slice(), bestGradient: gradient.slice(), loss: losses, bestLoss: losses.slice() },
    ...{ eta: new Float32Array(trial.size).fill(2 * epsilon), increases: new Float32Array(trial.size) },
    // At the last checkpoint; the first one has nothing to compare with.
    ...{ checkedLoss: losses.slice(), wasHalved: new Float32Array(trial.size).fill(1) },
  });
  watch?.onStep(held.now);
  trial.drop(start, logits);
  yield;
  const checkpoints = checkpointsOf(steps);
  let lastCheckpoint = 0;
  for (let k = 0; k < steps; k++) {
    const x = ascend(trial, plan, held.now, k === 0 ? 1 : alpha);
    const found = look(x);
    held.replace({ previous: held.now.x, x, gradient: found.gradient });
    const { loss, bestLoss, best, bestGradient, increases } = held.now;
    forEachRow(x, trial.size, (row, from, to) => {
      const next = found.losses[row]!;
      if (next > loss[row]!) increases[row]! += 1;
      loss[row] = next;
      if (!(next > bestLoss[row]!)) return;
      bestLoss[row] = next;
      best.set(x.subarray(from, to), from);
      bestGradient.set(found.gradient.subarray(from, to), from);
    });
    if (checkpoints.has(k + 1)) {
      halveWhereStuck(held.now, k + 1 - lastCheckpoint);
      lastCheckpoint = k + 1;
    }
    watch?.onStep(held.now);
    trial.drop(x, found.logits);
    yield;
  }
}

/** A row an image, or a number. */
type State = {
  readonly clean: Float32Array;
  readonly x: Float32Array;
  readonly previous: Float32Array;
  readonly gradient: Float32Array;
  readonly best: Float32Array;
  readonly bestGradient: Float32Array;
  readonly loss: Float32Array;
  readonly bestLoss: Float32Array;
  readonly eta: Float32Array;
  readonly increases: Float32Array;
  readonly checkedLoss: Float32Array;
  readonly wasHalved: Float32Array;
};

/** z = Π(x + η·sign ∇f);  x′ = Π(x + α(z − x) + (1 − α)(x − x₋₁)); under L2 ∇f/‖∇f‖₂. */
function ascend(trial: Trial, plan: ApgdPlan, state: State, share: number): Float32Array {
  const { clean, x, previous, gradient, eta } = state;
  const next = new Float32Array(x.length);
  forEachRow(x, trial.size, (row, from, to) => {
    const length = plan.norm === 'l2' ? eta[row]! / (euclidean(gradient, from, to) + 1e-12) : eta[row]!;
    for (let i = from; i < to; i++) {
      next[i] = x[i]! + length * (plan.norm === 'l2' ? gradient[i]! : Math.sign(gradient[i]!));
    }
    project(trial, plan, { x: next, clean, from, to });
    for (let i = from; i < to; i++) {
      next[i] = x[i]! + share * (next[i]! - x[i]!) + (1 - share) * (x[i]! - previous[i]!);
    }
    project(trial, plan, { x: next, clean, from, to });
  });
  return next;
}

/**
 * At a checkpoint, where the loss rose in at most ρ of the steps since the last (condition 1), or where neither the step size was
 * halved there nor the best loss has risen since (condition 2): η ← η/2, and on from the best.
 */
export function halveWhereStuck(state: State, nSteps: number): void {
  const { x, gradient, best, bestGradient, bestLoss, eta, increases, checkedLoss, wasHalved } = state;
  forEachRow(x, eta.length, (row, from, to) => {
    const oscillates = increases[row]! <= rho * nSteps;
    const stands = wasHalved[row] === 0 && bestLoss[row]! <= checkedLoss[row]!;
    increases[row] = 0;
    checkedLoss[row] = bestLoss[row]!;
    wasHalved[row] = oscillates || stands ? 1 : 0;
    if (!oscillates && !stands) return;
    eta[row]! /= 2;
    x.set(best.subarray(from, to), from);
    gradient.set(bestGradient.subarray(from, to), from);
  });
}

/** w₁ = ⌊0.22·N⌋, and each next interval 0.03·N shorter, but at least 0.06·N, as in the public code: of whole steps. */
export function checkpointsOf(steps: number): ReadonlySet<number> {
  const part = (share: number) => Math.max(1, Math.floor(share * steps));
  const checkpoints = new Set<number>();
  let interval = part(0.22);
  for (let at = interval; at <= steps; at += interval) {
    checkpoints.add(at);
    interval = Math.max(interval - part(0.03), part(0.06));
  }
  return checkpoints;
}

/** ε from the image in a random direction: under L∞ uniform in the cube and stretched to its side, under L2 normal. */
function startOnBall(trial: Trial, { norm, epsilon }: ApgdPlan, clean: Float32Array): Float32Array {
  const drawn = norm === 'linf' ? trial.uniform(0, -1, 1) : trial.normal(0);
  const x = readFloats(drawn);
  drawn.dispose();
  forEachRow(x, trial.size, (_, from, to) => {
    let largest = 0;
    for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(x[i]!));
    const length = norm === 'linf' ? largest : euclidean(x, from, to);
    for (let i = from; i < to; i++) x[i] = clean[i]! + (epsilon * x[i]!) / (length + 1e-12);
    project(trial, { norm, epsilon }, { x, clean, from, to });
  });
  return x;
}
