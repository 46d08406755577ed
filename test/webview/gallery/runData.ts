// A made-up run for pictures and measurements: the rows that a trainer would send, drawn from a seeded generator.
import { testAttack, type AttackFigure } from '../../../server/protocol/attackFigures.ts';
import { isAttackPlan, isDetectorPlan, measuresDistances, stagesOf } from '../../../server/protocol/evaluationPlan.ts';
import { wilsonInterval } from '../../../server/protocol/proportion.ts';
import type { EvaluationPlan, Plan } from '../../../server/protocol/plan.ts';
import type { AttackedImages } from '../../../server/protocol/attackedImages.ts';
import {
  densityBins,
  histogramBins,
  shiftBins,
  type LayerResponse,
  type TensorHistograms,
  coefficientsOf,
  type AuditFlag,
  type KafKernels,
  type Row,
  type RunRecord,
  type ShapeInfo,
  type ValidationFigures,
} from '../../../server/protocol/records.ts';
import type { RunStatus, RunSummary } from '../../../server/protocol/run.ts';
import { applyRow, emptySnapshot, type RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { attackPlan } from '../../attack/plans.ts';
import { runActivation, type RunActivation } from './runActivations.ts';

export interface RunDataOptions {
  readonly steps: number;
  readonly status: RunStatus;
  readonly activation?: RunActivation;
  /** Gradients stop being finite at this step, and training ends. */
  readonly divergesAt?: number;
  /** The network withstands one step alone from here on, which the watch finds and goes back from. */
  readonly collapsesAt?: number;
  /** Evaluations done, and restarts of one more under way. */
  readonly evaluations?: number;
  /** More evaluations that have ended, by these attacks. */
  readonly attacks?: readonly EvaluationPlan[];
  readonly restartsUnderWay?: number;
  readonly normsEverySteps?: number;
  /** Tests and evaluations are of the moving average of the weights, and choose by robust accuracy on samples kept back. */
  readonly isAveraged?: true;
}

const totalSteps = 4700;
const stepsPerEpoch = 391;
const dictionary = Array.from({ length: 20 }, (_, index) => -3 + (6 * index) / 19);
const gamma = 1 / (6 * (6 / 19) ** 2);
const kafChannels = [32, 32, 64, 64, 128];

export function makePlan(activation: RunActivation): Plan {
  return {
    version: 1,
    name: 'kaf-vgg',
    seed: 1,
    runtime: 'auto',
    threads: null,
    dataset: { name: 'cifar10', path: '/data/cifar-10-batches-bin', trainSamples: 50_000, testSamples: 10_000 },
    model: {
      network: 'vgg',
      activation: runActivation(activation).plan,
      dropout: [0.2, 0.3, 0.4, 0.5],
      denseL2: 0,
      convolutionL2: 0,
      normalization: null,
    },
    training: {
      method: { type: 'fgsm-rs', start: 'ball', statistics: 'batch' },
      threat: { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 },
      epochs: 12,
      batchSize: 128,
      optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
      schedule: { type: 'triangular', min: 0.01, max: 1, cooldownEpochs: 0 },
      augmentation: { crop: 4, flip: true },
      checkpointEveryEpochs: 2,
    },
    observe: {
      normsEverySteps: 10,
      shapesEverySteps: 50,
      testEveryEpochs: 1,
      robustSamples: 512,
      robustSteps: 10,
      histogramsEverySteps: 100,
      shiftSamples: 32,
      tensorboard: true,
    },
    checkpoints: { keep: 'all' },
    evaluation: [attackPlan('pgd')],
  };
}

export function makeSummary(options: RunDataOptions): RunSummary {
  const hasEnded = !['queued', 'preparing', 'training', 'paused'].includes(options.status);
  return {
    id: 'kaf-vgg-1',
    name: 'kaf-vgg',
    seed: 1,
    status: options.status,
    message: null,
    createdMs: 1.78e12,
    updatedMs: 1.78e12,
    step: options.steps,
    steps: totalSteps,
    epoch: Math.max(1, Math.ceil(options.steps / stepsPerEpoch)),
    epochs: 12,
    loss: 1.317,
    cleanAccuracy: 0.641,
    ...(options.isAveraged && { cleanWeights: 'average' }),
    robustAccuracy: 0.389,
    figures: makeFigures(options, { hasEnded }).map((one) =>
      options.isAveraged ? { ...one, weights: 'average' } : one,
    ),
    imagesPerSecond: 1143,
    device: 'wasm · 8 threads · relaxed SIMD',
    memory: options.steps > 0 ? { usedBytes: 14e6, peakBytes: 612e6 } : null,
    description: `vgg · ${runActivation(options.activation ?? 'kaf').description} · FGSM-RS 8/255 · cifar10`,
    experimentFile: '/home/ada/kaf-vgg.kaf.yaml',
    folder: '/home/ada/.kafscope/runs/kaf-vgg-1',
    incarnation: 0,
    revision: 0,
    checkpoints: hasEnded ? [{ file: 'epoch-12.safetensors', step: totalSteps, epoch: 12 }] : [],
  };
}

function makeFigures({ steps }: RunDataOptions, { hasEnded }: { readonly hasEnded: boolean }): AttackFigure[] {
  const plan = makePlan('kaf');
  const ofTest = {
    plan: testAttack(plan, { samples: 512 }),
    step: steps,
    samples: 512,
    standing: 206,
    isOfTest: true,
  } as const;
  const evaluated = { plan: attackPlan('pgd'), step: steps, samples: 1000, standing: 389, clean: 641 };
  return [...(hasEnded ? [evaluated] : []), ...(steps > stepsPerEpoch ? [ofTest] : [])];
}

export function makeSnapshot(options: RunDataOptions): RunSnapshot {
  const plan = makePlan(options.activation ?? 'kaf');
  const weightAverage = { decay: 0.995, warmUp: true, statistics: 'average' } as const;
  const chosen = { weightAverage, chooseBy: 'robustAccuracy', earlyStopping: { patience: 5, minDelta: 0 } } as const;
  const training = options.isAveraged ? { ...plan.training, ...chosen } : plan.training;
  const dataset = options.isAveraged ? { ...plan.dataset, validationSamples: 5000 } : plan.dataset;
  const snapshot = emptySnapshot(makeSummary(options), { ...plan, dataset, training });
  for (const row of makeRows(options)) applyRow(snapshot, row);
  return snapshot;
}

/** The log up to `options.steps`. */
export function makeRows(options: RunDataOptions): Row[] {
  const random = makeRandom(11);
  const rows: Row[] = [];
  let timeMs = 1.78e12;
  const push = (record: RunRecord): void => {
    const isOfAverage = options.isAveraged && (record.type === 'test' || record.type === 'evaluationStarted');
    rows.push({ seq: rows.length + 1, timeMs, record: isOfAverage ? { ...record, weights: 'average' } : record });
  };
  const network = makeNetwork(options.activation ?? 'kaf');
  push({ type: 'prepared', ...network, steps: totalSteps, stepsPerEpoch, epochs: 12 });
  const hasKaf = network.activations.length > 0;
  const starts = makeCoefficients(options.activation ?? 'kaf', null);
  const ends = makeCoefficients(options.activation ?? 'kaf', random);
  const normsEvery = options.normsEverySteps ?? 10;
  const kernelsAt = (part: number) =>
    options.activation === 'kaf-free' ? { kernels: kafChannels.map((channels) => makeKernels(channels, part)) } : {};
  if (hasKaf) push({ type: 'shapes', step: 0, alphas: starts, ...kernelsAt(0) });
  for (let step = 1; step <= options.steps; step++) {
    const part = step / totalSteps;
    timeMs += 112 + 9 * random.normal() ** 2 + (step % 391 === 0 ? 2600 : 0);
    const spike = step === 1711 ? 3.4 : 0;
    push({
      type: 'step',
      step,
      epoch: Math.ceil(step / stepsPerEpoch),
      loss:
        step === options.divergesAt ? Number.NaN : 1.27 + 1.1 * Math.exp(-5 * part) + 0.09 * random.normal() + spike,
      accuracy: clamp(0.52 - 0.38 * Math.exp(-5 * part) + 0.045 * random.normal()),
      learningRate: part < 0.5 ? 0.01 + 1.98 * part : 1.99 - 1.98 * part,
    });
    if (step % normsEvery === 0 || step === options.divergesAt) {
      push(makeNorms(network.parameters.length, step, part, random, step === options.divergesAt));
      push(makeUpdates(network.parameters.length, step, part));
    }
    if (step % 100 === 0) push(makeHistograms(network.parameters.length, step, part));
    if (options.collapsesAt !== undefined && step % 50 === 0) {
      pushLook(push, step, step - options.collapsesAt, random);
    }
    if (hasKaf && step % 50 === 0) {
      push({
        type: 'shapes',
        step,
        alphas: starts.map((start, layer) => blend(start, ends[layer]!, 1 - Math.exp(-3 * part))),
        ...kernelsAt(part),
      });
    }
    if (step % stepsPerEpoch === 0) {
      push({
        type: 'test',
        step,
        epoch: step / stepsPerEpoch,
        loss: 1.02 + 1.1 * Math.exp(-5 * part),
        accuracy: clamp(0.66 - 0.42 * Math.exp(-4 * part) + 0.01 * random.normal()),
        samples: 10_000,
        robustAccuracy: clamp(0.41 - 0.26 * Math.exp(-4 * part) + 0.012 * random.normal()),
        robustSamples: 512,
        ...(options.isAveraged && { validation: heldAt(part, random) }),
      });
    }
    if (step % stepsPerEpoch === 0) push(makeResponses(network.activations, step, part));
    if (step === options.divergesAt) {
      push({
        type: 'diverged',
        step,
        quantity: 'bn4.gamma',
        message: 'Lower training.schedule.max or clip: the gradient overflowed float32.',
      });
      break;
    }
  }
  for (let evaluation = 1; evaluation <= (options.evaluations ?? 0); evaluation++) {
    pushEvaluation(push, evaluation, 10, true, random);
  }
  options.attacks?.forEach((plan, index) => {
    pushAttack(push, (options.evaluations ?? 0) + index + 1, plan, random);
  });
  if (options.restartsUnderWay)
    pushEvaluation(push, (options.evaluations ?? 0) + 1, options.restartsUnderWay, false, random);
  return rows;
}

/** What the samples kept back say; they are attacked. */
function heldAt(part: number, random: Random): ValidationFigures {
  const accuracy = clamp(0.65 - 0.42 * Math.exp(-4 * part) + 0.01 * random.normal());
  const robustAccuracy = clamp(0.4 - 0.26 * Math.exp(-4 * part) + 0.012 * random.normal());
  return { loss: 1.1, accuracy, samples: 5000, robustAccuracy, robustSamples: 512 };
}

/** One look of the watch; `since` counts steps after the collapse, which the next look finds. */
function pushLook(push: (record: RunRecord) => void, step: number, since: number, random: Random): void {
  const robust = 0.36 - 0.25 * Math.exp(-step / 300);
  const isFallen = since > 0 && since <= 50;
  const fgsm = clamp((isFallen ? 0.78 : robust + 0.06) + 0.02 * random.normal());
  const pgd = isFallen ? 0.03 : clamp(robust + 0.02 * random.normal());
  const cosine = isFallen ? 0.12 : 0.62 + 0.03 * random.normal();
  push({ type: 'watch', step, samples: 32, of: 'validation', fgsm, pgd, cosine });
  if (!isFallen) return;
  const to = step - 50;
  const message = `78 % withstand one step, 3 % withstand 10. Training goes on from the weights of step ${to.toString()}, its learning rate times 0.5.`;
  push({ type: 'collapsed', step, action: 'roll-back', to, message });
}

function pushEvaluation(
  push: (record: RunRecord) => void,
  evaluation: number,
  restarts: number,
  isFinished: boolean,
  random: Random,
): void {
  const epsilon = [8, 4, 12][evaluation - 1] ?? 8;
  const plan = attackPlan('pgd', { epsilon: epsilon / 255 });
  push({ type: 'evaluationStarted', evaluation, plan, step: totalSteps, samples: 1000 });
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
function pushAttack(push: (record: RunRecord) => void, evaluation: number, plan: EvaluationPlan, random: Random): void {
  push({ type: 'evaluationStarted', evaluation, plan, step: totalSteps, samples: 1000 });
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

function makeNetwork(
  activation: RunActivation,
): Pick<Extract<RunRecord, { type: 'prepared' }>, 'parameters' | 'activations'> {
  const { info, layer, start } = runActivation(activation);
  const activations: ShapeInfo[] = [];
  const parameters: { name: string; layer: string; shape: number[] }[] = [];
  const add = (of: string, name: string, shape: number[]): void => {
    parameters.push({ name: `${of}.${name}`, layer: of, shape });
  };
  kafChannels.forEach((channels, index) => {
    const number = (index + 1).toString();
    add(`conv${number}`, 'kernel', [3, 3, kafChannels[index - 1] ?? 3, channels]);
    add(`conv${number}`, 'bias', [channels]);
    add(`bn${number}`, 'gamma', [channels]);
    add(`bn${number}`, 'beta', [channels]);
    if (info) {
      const made = info(`${layer}${number}`, channels);
      activations.push(made);
      add(made.layer, coefficientsOf(made), [channels, start.length]);
    }
    if (activation === 'kaf-free') {
      add(`kaf${number}`, 'dictionary', [channels, 20]);
      add(`kaf${number}`, 'logGamma', [channels]);
    }
  });
  add('dense1', 'kernel', [2048, 128]);
  add('dense1', 'bias', [128]);
  add('dense2', 'kernel', [128, 10]);
  add('dense2', 'bias', [10]);
  return { parameters, activations };
}

function makeNorms(
  count: number,
  step: number,
  part: number,
  random: Random,
  isBad: boolean,
): Extract<RunRecord, { type: 'norms' }> {
  const gradients = Float32Array.from({ length: count }, (_, index) => {
    const scale =
      0.03 * 1.09 ** index * (1 + 5 * Math.exp(-12 * part)) * (index % 5 === 1 || index % 5 === 3 ? 0.2 : 1);
    return scale * Math.exp(0.28 * random.normal());
  });
  const nonFiniteGradients = new Int32Array(count);
  if (isBad) {
    for (let index = Math.floor(count * 0.6); index < count; index++) {
      gradients[index] = index % 2 ? Number.NaN : Infinity;
      nonFiniteGradients[index] = 64;
    }
  }
  return {
    type: 'norms',
    step,
    weights: Float32Array.from(
      { length: count },
      (_, index) => (1 + (index % 5 === 0 ? 6 : 0.6)) * (1 + 0.6 * part + 0.003 * random.normal()),
    ),
    gradients,
    nonFiniteWeights: new Int32Array(count),
    nonFiniteGradients,
  };
}

function makeHistograms(count: number, step: number, part: number): Extract<RunRecord, { type: 'histograms' }> {
  const bell = (width: number): TensorHistograms => ({
    ranges: Float32Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? -1 : 1) * width * (1 + at / count)),
    bins: Uint8Array.from({ length: histogramBins * count }, (_, at) =>
      bellAt((at % histogramBins) / histogramBins, 0.5),
    ),
  });
  return { type: 'histograms', step, weights: bell(0.1 * (1 + 2 * part)), gradients: bell(0.03 * Math.exp(-4 * part)) };
}

/** In 255ths of its highest, around a place in [0, 1]. */
function bellAt(place: number, centre: number): number {
  return Math.round(255 * Math.exp(-((place - centre) ** 2) / 0.02));
}

/** An attack moves later layers more, less as training goes on. */
function makeResponses(
  activations: readonly ShapeInfo[],
  step: number,
  part: number,
): Extract<RunRecord, { type: 'responses' }> {
  const row = (bins: number, centre: number): Uint8Array =>
    Uint8Array.from({ length: bins }, (_, bin) => bellAt((bin + 0.5) / bins, centre));
  const layers = [...activations, null].map((info, depth): LayerResponse => {
    const relative = (0.08 + 0.11 * depth) * (1 - 0.5 * part);
    const size = densityBins + 2;
    const rows = (offset: number): Uint8Array =>
      Uint8Array.from({ length: (info?.channels ?? 0) * size }, (_, at) =>
        bellAt(((at % size) + 0.5) / size, 0.42 + 0.1 * Math.sin(Math.floor(at / size)) + offset),
      );
    return {
      ...{ layer: info?.layer ?? 'logits', l2: relative * 30, relative, thesis: relative ** 2 * 3, ks: relative / 3 },
      outputs: { low: -1.5, high: 2.5, clean: row(shiftBins, 0.4), attacked: row(shiftBins, 0.4 + relative / 4) },
      ...(info &&
        !('axis' in info) && { inputs: { low: -4, high: 4, clean: rows(0), attacked: rows(0.05 + relative / 9) } }),
    };
  });
  return { type: 'responses', step, samples: 32, attack: 'PGD-10 8/255', layers };
}

/** About 10⁻³ of the weights, more at the start; some layers move too little. */
function makeUpdates(count: number, step: number, part: number): Extract<RunRecord, { type: 'updates' }> {
  const ratio = (index: number): number =>
    1e-3 * (1 + 8 * Math.exp(-9 * part)) * (index % 5 === 3 ? 0.03 : 1) * (1 + 0.4 * Math.sin(step / 60 + index));
  return {
    ...{ type: 'updates', step, before: new Float32Array(count).fill(2) },
    updates: Float32Array.from({ length: count }, (_, index) => 2 * ratio(index)),
    attack: { norms: Float32Array.of(0.02 * (1 + part) * (1 + 0.2 * Math.sin(step / 40))), zeros: Int32Array.of(0) },
  };
}

/** As training starts, or with `random` as it left them. */
function makeCoefficients(activation: RunActivation, random: Random | null): Float32Array[] {
  const { start, moved } = runActivation(activation);
  return kafChannels.map((channels) =>
    Float32Array.from({ length: channels * start.length }, (_, index) => {
      const size = moved * (1 + (Math.floor(index / start.length) % 3));
      return start[index % start.length]! + (random ? size * random.normal() : 0);
    }),
  );
}

/** Dictionaries that drift apart, some elements past their neighbours, and bandwidths that widen or narrow. */
function makeKernels(channels: number, part: number): KafKernels {
  return {
    dictionaries: Float32Array.from(
      { length: channels * 20 },
      (_, index) => dictionary[index % 20]! + 0.6 * part * Math.sin(1.7 * index),
    ),
    gammas: Float32Array.from({ length: channels }, (_, channel) => gamma * Math.exp(part * Math.cos(channel))),
  };
}

function blend(from: Float32Array, to: Float32Array, part: number): Float32Array {
  return from.map((value, index) => value + part * (to[index]! - value));
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

interface Random {
  normal(): number;
}

/** Lehmer's generator with Box and Muller's normal numbers: enough for pictures. */
function makeRandom(seed: number): Random {
  let state = seed;
  const uniform = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  return { normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()) };
}
