// One training step after the other as the trainer makes them: batch, attack, forward, backward, norms, update.
import path from 'node:path';
import { datasetHere, type openDataset } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import { usualActivation } from '../../server/formula/activationFunction.ts';
import { activations, type ActivationName } from '../../server/formula/activations.ts';
import { namedNetwork } from '../../server/network/named/named.ts';
import { completeMethod, methodEntry } from '../../server/protocol/methodTable.ts';
import type { ActivationPlan, KafPlan, ModelPlan, NetworkPlan, Plan, WatchPlan } from '../../server/protocol/plan.ts';
import { findLearningRate } from '../../server/trainer/findLearningRate.ts';
import { train, type TrainerEvent } from '../../server/trainer/train.ts';
import { otherKafs, stepsOfMany, typedFormulas, type Work } from './work.ts';

const nBatches = 4;
/** An experiment's usual one. */
const watch = {
  ...{ everySteps: stepsOfMany, samples: 32, steps: 10, gap: 0.1, onCollapse: 'tell', factor: 0.5 },
} as const satisfies WatchPlan;
/** More than any benchmark makes. */
const epochs = 100_000;

type Stepper = () => Promise<void>;

const neverAborted = new AbortController().signal;

/** @returns a function that makes one step; the runtime must be open */
export function makeStepper(work: Work): Stepper {
  const plan = planOf(work);
  const shapes = { trainSamples: work.batchSize * nBatches, testSamples: 10, seed: 0 };
  const dataset = datasetHere(plan.dataset, makeShapes(shapes));
  return stepperOf(train(plan, dataset, { from: null, signal: neverAborted }), stepsOf(work));
}

/** The same by the trainer and the data of a checkout, which may be of another commit. */
export async function makeStepperOf(folder: string, work: Work): Promise<Stepper> {
  const trainer = (await import(path.join(folder, 'server/trainer/train.ts'))) as { readonly train: typeof train };
  const data = (await import(path.join(folder, 'server/data/dataset.ts'))) as {
    readonly openDataset: typeof openDataset;
  };
  const plan = planOf(work);
  const surroundings = { cacheFolder: '', signal: neverAborted, onProgress: () => undefined };
  const dataset = await data.openDataset(plan.dataset, { assetsFolder: path.join(folder, 'dist'), ...surroundings });
  return stepperOf(trainer.train(plan, dataset, { from: null, signal: neverAborted }), stepsOf(work));
}

function stepsOf({ kind }: Work): number {
  return kind === 'step' ? 1 : stepsOfMany;
}

function stepperOf(events: AsyncGenerator<TrainerEvent>, nSteps: number): Stepper {
  return async () => {
    for (let done = 0; done < nSteps;) {
      const next = await events.next();
      if (next.done) throw new Error('the training has ended');
      const event = next.value;
      if (event.type === 'record' && event.record.type === 'diverged') throw new Error(event.record.message);
      // The step's norms are measured before any of its records comes.
      if (event.type === 'record' && event.record.type === 'step') done++;
    }
  };
}

/** @returns a function that sweeps as many steps, the making of its network among them; the runtime must be open */
export function makeSweeper(work: Work): () => Promise<void> {
  const plan = planOf(work);
  const dataset = datasetHere(
    plan.dataset,
    makeShapes({ trainSamples: work.batchSize * nBatches, testSamples: 10, seed: 0 }),
  );
  const { signal } = new AbortController();
  return async () => {
    let last = 0;
    const points = findLearningRate(plan, dataset, { from: 1e-6, to: 1e-5, steps: stepsOfMany, signal });
    for await (const { step } of points) last = step;
    if (last !== stepsOfMany) throw new Error('the sweep has ended early');
  };
}

const networks = {
  light: 'light',
  vgg: 'vgg',
  resnet20: { type: 'resnet', depth: 20 },
  'preact-resnet18': 'preact-resnet18',
  cnn5: { type: 'cnn5', blocks: 4 },
} as const satisfies Record<Work['network'], NetworkPlan>;

/** The thesis's settings: KAF on [−3, 3] with γ = 1/(6Δ²). */
export function modelOf({ network, activation, dictionary }: Work): ModelPlan {
  const { entry, numbers } = namedNetwork(networks[network])!;
  return {
    network: networks[network],
    activation: activationOf(activation, dictionary),
    dropout: entry.dropout(numbers),
    denseL2: entry.denseL2,
    convolutionL2: entry.convolutionL2,
    normalization: null,
  };
}

function activationOf(activation: Work['activation'], dictionary: number): ActivationPlan {
  if (activation === 'kaf') return kafOf(dictionary);
  if (activation === 'kaf-2d') return { ...kafOf(10), type: activation, gamma: 81 / 144 };
  if (isOtherKaf(activation)) {
    const kernels = otherKafs[activation];
    return { ...kafOf(dictionary), type: kernels.length > 1 ? 'multi-kaf' : 'kaf', kernels };
  }
  if (isNamed(activation)) return usualActivation(activation);
  const { formula, parameters } = typedFormulas[activation];
  const named = parameters.map((name) => ({ name, start: 1, min: null, max: null }));
  return { type: 'formula', formula, parameters: named };
}

function isNamed(activation: string): activation is ActivationName {
  return Object.hasOwn(activations, activation);
}

function isOtherKaf(activation: string): activation is keyof typeof otherKafs {
  return activation in otherKafs;
}

function kafOf(dictionary: number): KafPlan {
  const gamma = (dictionary - 1) ** 2 / (6 * 6 ** 2);
  return { type: 'kaf', dictionary, boundary: 3, gamma, init: { type: 'normal', std: 0.3 } };
}

export function planOf(work: Work): Plan {
  const { method, batchSize, normsEverySteps } = work;
  const epsilon = 8 / 255;
  const { stepSize } = methodEntry(method);
  return {
    version: 1,
    name: 'bench',
    seed: 0,
    runtime: 'auto',
    threads: null,
    dataset: { name: 'shapes', trainSamples: batchSize * nBatches, testSamples: 10, seed: 0 },
    model: modelOf(work),
    training: {
      method: completeMethod(method, {}, epsilon),
      threat: stepSize === 0 ? null : { norm: 'linf', epsilon, stepSize: stepSize * epsilon },
      epochs,
      batchSize,
      optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      // Small enough not to diverge; the time doesn't depend on it.
      schedule: { type: 'constant', learningRate: 1e-4 },
      augmentation: { crop: 0, flip: false },
      checkpointEveryEpochs: epochs,
      ...(work.kind === 'watched-steps' && { watch }),
    },
    observe: {
      normsEverySteps,
      shapesEverySteps: 0,
      testEveryEpochs: 0,
      robustSamples: 0,
      robustSteps: 0,
      histogramsEverySteps: 0,
      shiftSamples: 0,
      tensorboard: true,
    },
    checkpoints: { keep: 'all' },
    evaluation: [],
  };
}
