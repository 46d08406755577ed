// Attacks, certificates and detectors of a made-up run.
import type { AttackedImages } from '../../../server/protocol/attackedImages.ts';
import { isAttackPlan, isDetectorPlan, measuresDistances, stagesOf } from '../../../server/protocol/evaluationPlan.ts';
import type { EvaluationPlan } from '../../../server/protocol/plan.ts';
import { wilsonInterval } from '../../../server/protocol/proportion.ts';
import type { AuditFlag, RunRecord } from '../../../server/protocol/records.ts';
import { attackPlan } from '../../attack/plans.ts';
import type { Random } from './random.ts';

export function pushEvaluation(
  push: (record: RunRecord) => void,
  atStep: number,
  evaluation: number,
  restarts: number,
  isFinished: boolean,
  random: Random,
): void {
  const epsilon = [8, 4, 12][evaluation - 1] ?? 8;
  const plan = attackPlan('pgd', { epsilon: epsilon / 255 });
  push({ type: 'evaluationStarted', evaluation, plan, step: atStep, samples: 1000 });
  const floor = 0.77 - epsilon * 0.047;
  let previous = new Int32Array(plan.steps + 1).fill(2000);
  for (let restart = 0; restart < restarts; restart++) {
    const samples = !isFinished && restart === restarts - 1 ? 256 : 1000;
    const robust = Int32Array.from({ length: plan.steps + 1 }, (_, step) => {
      const value =
        floor - 0.006 * Math.log(restart + 1) + (0.74 - floor) * Math.exp(-step / 3.5) + 0.001 * random.normal();
      return Math.round(value * samples);
    });
    for (let step = 1; step < robust.length; step++) robust[step] = Math.min(robust[step]!, robust[step - 1]!);
    if (restart > 0) {
      const limit = previous[plan.steps]! / 1000;
      for (let step = 0; step < robust.length; step++)
        robust[step] = Math.min(robust[step]!, Math.round(limit * samples));
    }
    previous = robust;
    push({ type: 'attackProgress', evaluation, restart, samples, robust });
  }
  if (!isFinished) return;
  const value = previous[plan.steps]! / 1000;
  push({
    type: 'evaluationFinished',
    evaluation,
    samples: 1000,
    clean: { value: 0.774, low: 0.747, high: 0.799 },
    robust: { value, low: value - 0.03, high: value + 0.031 },
    isPartial: false,
  });
}

/** Falls over the points of each stage, ever less; with distances where the attack measures them. */
export function pushAttack(
  push: (record: RunRecord) => void,
  atStep: number,
  evaluation: number,
  plan: EvaluationPlan,
  random: Random,
): void {
  push({ type: 'evaluationStarted', evaluation, plan, step: atStep, samples: 1000 });
  const isAttack = isAttackPlan(plan);
  const isThesis = isAttack && plan.protocol === 'thesis';
  let standing = 774;
  let headline = 774;
  let nearest = Float32Array.from({ length: 1000 }, (_, image) =>
    image < 226 ? 0 : Math.max(1e-4, (isAttack ? 1 : 10) * (0.025 + 0.014 * random.normal())),
  );
  const stages = stagesOf(plan);
  for (const [restart, { nPoints, epsilon }] of stages.entries()) {
    const floor = Math.max(0, Math.min(standing, Math.round(774 * Math.exp(-epsilon * 28)) - 3 * restart));
    const robust = Int32Array.from({ length: nPoints }, (_, point) =>
      Math.round(floor + (standing - floor) * Math.exp((-6 * point) / nPoints)),
    );
    standing = robust.at(-1)!;
    const common = {
      evaluation,
      restart,
      samples: 1000,
      robust,
      clean: 774,
      passes: { forward: 1000, backward: 1000 },
    };
    nearest = nearest.map((distance) => distance * (restart === 0 ? 1 : 1 - 0.03 * Math.abs(random.normal())));
    const distances = nearest.slice();
    // Flattering by a few points: right at the end of one restart, or wrong images that came to be right.
    const thesis = { right: robust.map((count) => count + 31), fooled: robust.map((count) => 1000 - count - 60) };
    push({
      type: 'attackProgress',
      ...common,
      ...(measuresDistances(plan) && { distances }),
      ...(isThesis && { thesis }),
      ...(isDetectorPlan(plan) && { detections: detectionsOf(random) }),
      ...(plan.attack === 'lipschitz' && { layers: layerBounds }),
      ...(!isAttack && { outcomes: Uint8Array.from(distances, (_, image) => (image % 90 === 0 ? 3 : 1)) }),
    });
    if (measuresDistances(plan)) standing = distances.filter((distance) => distance > plan.epsilon).length;
    if (epsilon <= plan.epsilon) headline = standing;
  }
  const [clean, robust] = [wilsonInterval(774, 1000), wilsonInterval(headline, 1000)];
  const isStopped = 'seed' in plan && plan.seed === 1;
  const isDoubtful = isThesis;
  push({
    ...({ type: 'evaluationFinished', evaluation, samples: 1000, clean, robust, isPartial: isStopped } as const),
    ...(isDoubtful && { thesis: wilsonInterval(headline + 31, 1000) }),
    ...(!isAttack && { abstained: 12 }),
    ...(!isStopped && isAttack && { audit: isDoubtful ? doubts : [] }),
  });
}

const detectionsOf = (random: Random) =>
  ['PGD-50-10 8/255', 'AutoAttack standard 8/255', 'C&W-9-200 L2 0.5', 'noise × 100 8/255'].map((against, index) => ({
    against,
    clean: Float32Array.from({ length: 774 }, () => 40 + 8 * random.normal()),
    attacked: Float32Array.from({ length: [420, 480, 510, 0][index]! }, () => 52 - 5 * index + 9 * random.normal()),
  }));

const layerBounds = ['conv1', 'bn1', 'kaf1', 'conv2', 'bn2', 'kaf2', 'pool1', 'flatten1', 'dense1'].map(
  (layer, index, all) => {
    const boundAt = (name: string, at: number) =>
      /conv|kaf/.test(name) ? 2.4 + 0.7 * at : /dense|bn/.test(name) ? 1.7 : 1;
    const product = all.slice(0, index + 1).reduce((so, name, at) => so * boundAt(name, at), 1);
    return { layer, kind: 'convolution', bound: boundAt(layer, index), product };
  },
);

/** As the audit of a network with saturated logits reads. */
const doubts: AuditFlag[] = [
  {
    flag: 'zero-gradients',
    measured: 'The gradient of cross-entropy is 0 at 52 of 77 images.',
    means: 'Where there is no gradient the attack does not move: these images were hardly attacked.',
    next: 'The logits saturate the softmax: attack with loss margin, which no scale of the logits hides from.',
  },
  {
    flag: 'black-box',
    measured: 'Square, with 100 queries, fools 8 of 100 images that stood.',
    means: 'An attack that sees answers only should never beat one that sees gradients: these are masked.',
    next: 'Run square with 5000 queries and nes, and take the least of all figures.',
  },
];

/** Noise that fooled, some that stood, one wrong as it is. */
export function makeAttackedImages(first: number): AttackedImages {
  const [n, size] = [24, 32 * 32 * 3];
  const value = (seed: number) => (Math.sin(seed * 12.9898) * 43758.5453) % 1;
  const clean = Float32Array.from({ length: n * size }, (_, i) => {
    const [row, x, y] = [Math.floor(i / size), Math.floor(i / 3) % 32, Math.floor((i % size) / 96)];
    return 0.5 + 0.35 * Math.sin((x * (1 + (row % 3))) / 6 + row) * Math.cos(y / (3 + (row % 5))) + 0.05 * value(i);
  });
  const outcomes = Uint8Array.from({ length: n }, (_, row) => (row === 5 ? 0 : row % 4 === 3 ? 2 : 1));
  const attacked = clean.map((one, i) =>
    outcomes[Math.floor(i / size)] === 1 ? Math.min(1, Math.max(0, one + (8 / 255) * Math.sign(value(i + 7)))) : one,
  );
  return {
    ...{ first, total: 100, clean, attacked, outcomes, shape: [32, 32, 3] },
    classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    labels: Int32Array.from({ length: n }, (_, row) => row % 10),
    predictions: Int32Array.from({ length: n }, (_, row) => (outcomes[row] === 2 ? row : row + 3) % 10),
    distances: Float32Array.from(outcomes, (outcome) => (outcome === 1 ? 8 / 255 : 0)),
  };
}
