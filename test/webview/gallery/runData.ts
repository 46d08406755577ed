// A made-up run for pictures and measurements: the rows that a trainer would send, drawn from a seeded generator.
import { testAttack, type AttackFigure } from '../../../server/protocol/attackFigures.ts';
import type { EvaluationPlan, Plan } from '../../../server/protocol/plan.ts';
import {
  coefficientsOf,
  type KafKernels,
  type Row,
  type RunRecord,
  type ShapeInfo,
  type ValidationFigures,
} from '../../../server/protocol/records.ts';
import type { RunStatus, RunSummary } from '../../../server/protocol/run.ts';
import { applyRow, emptySnapshot, type RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { attackPlan } from '../../attack/plans.ts';
import { clamp, makeRandom, type Random } from './random.ts';
import { runActivation, type RunActivation } from './runActivations.ts';
import { pushAttack, pushEvaluation } from './runEvaluations.ts';
import { makeHistograms, makeNorms, makeResponses, makeUpdates } from './runNorms.ts';

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
    pushEvaluation(push, totalSteps, evaluation, 10, true, random);
  }
  options.attacks?.forEach((plan, index) => {
    pushAttack(push, totalSteps, (options.evaluations ?? 0) + index + 1, plan, random);
  });
  if (options.restartsUnderWay)
    pushEvaluation(push, totalSteps, (options.evaluations ?? 0) + 1, options.restartsUnderWay, false, random);
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
