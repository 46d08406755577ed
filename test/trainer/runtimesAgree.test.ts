// `wasm` beside `tensorflow` and `torch`, which share no kernel with it, on ten steps of the trainer: batches, augmentation, dropout, layers,
// optimizers. Not under attack: the sign of a gradient near 0 is rounding's, and a pixel then differs by twice the step.
// ARCHITECTURE.md has what was measured.
import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import { shapesHere } from '../data/shapesHere.ts';
import type { Dataset } from '../../server/data/split.ts';
import type { ActivationPlan, KafPlan, Plan, TrainingPlan } from '../../server/protocol/plan.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';
import { openContractRuntime } from '../tensor/ops/runtimes.ts';
import { collect, tinyPlan } from './tinyPlan.ts';

const nSteps = 10;
const batchSize = 8;

const optimizers = {
  sgd: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  adam: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 5e-4 },
} as const;

const kaf = { type: 'kaf', dictionary: 20, boundary: 3, gamma: 19 ** 2 / (6 * 6 ** 2) } as const;
const randomKaf: KafPlan = { ...kaf, init: { type: 'normal', std: 0.3 } };
const smoothKaf: KafPlan = { ...kaf, init: { type: 'ridge', target: 'swish', epsilon: 1e-4 } };
const spline: ActivationPlan = {
  ...({ type: 'spline', points: 21, boundary: 3, basis: 'b-spline', start: 'tanh', noise: 0 } as const),
};
const maxout: ActivationPlan = { type: 'maxout', maps: 2 };

interface Settings {
  readonly network: 'light' | 'vgg';
  readonly optimizer: TrainingPlan['optimizer'];
  readonly learningRate: number;
  readonly activation: ActivationPlan;
}

function planOf({ network, optimizer, learningRate, activation }: Settings): Plan {
  return {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: nSteps * batchSize, testSamples: 10, seed: 0 },
    model: {
      ...tinyPlan.model,
      network,
      activation,
      dropout: network === 'light' ? [0.2, 0.3, 0.4] : [0.2, 0.25, 0.3, 0.4],
    },
    training: {
      ...tinyPlan.training,
      method: { type: 'standard' },
      threat: null,
      epochs: 1,
      batchSize,
      optimizer,
      schedule: { type: 'constant', learningRate },
      augmentation: { crop: 4, flip: true },
    },
    observe: {
      normsEverySteps: 1,
      shapesEverySteps: 0,
      testEveryEpochs: 0,
      robustSamples: 0,
      robustSteps: 0,
      histogramsEverySteps: 0,
      shiftSamples: 0,
      tensorboard: false,
    },
  };
}

afterEach(() => {
  tf.disposeVariables();
});

interface Step {
  readonly loss: number;
  readonly state: TrainingState;
}

/** The one step after `from`, or the first. */
async function stepFrom(plan: Plan, dataset: Dataset, from: TrainingState | null): Promise<Step> {
  const stop = new AbortController();
  const { records, states } = await collect(plan, dataset, {
    from,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'record' && event.record.type === 'step') stop.abort();
    },
  });
  const losses = records.flatMap((record) => (record.type === 'step' ? [record.loss] : []));
  expect(losses).toHaveLength(1);
  return { loss: losses[0]!, state: states.at(-1)! };
}

async function initialState(plan: Plan, dataset: Dataset): Promise<TrainingState> {
  const { states } = await collect(plan, dataset, { from: null, signal: AbortSignal.abort() });
  return states[0]!;
}

/** The values of these tensors of a, those of b taken off where it is given. */
function valuesOf(names: readonly string[], a: TrainingState, b?: TrainingState): Float64Array[] {
  return names.map((name) => {
    const taken = b?.tensors.get(name)!.values;
    return Float64Array.from(a.tensors.get(name)!.values, (value, index) => value - (taken?.[index] ?? 0));
  });
}

/** ‖·‖₂ over all tensors. */
function norm(tensors: readonly Float64Array[]): number {
  return Math.hypot(...tensors.map((values) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))));
}

/** ‖·‖∞ over all tensors. */
function largest(tensors: readonly Float64Array[]): number {
  return Math.max(...tensors.map((values) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0)));
}

const isStatistic = (name: string) => /\.(mean|variance)$/.test(name);
/** Before a batch normalisation, which takes it out again: its gradient is 0, and what float32 gives is rounding. */
const isBiasWithoutEffect = (name: string) => /\bconv\d+\.bias$/.test(name);

/**
 * How far a step may lead apart, in ‖·‖₂ over all parameters: relative to the weights, and to the step. Where the winner of a max
 * pooling hangs on the last digits, a gradient goes to another pixel: up to 4e-3 of a step. Adam makes ± the learning rate of a
 * gradient's sign, however small it is: up to 2e-2. Measured with four seeds: 6e-6 of the weights by SGD, 3e-4 by Adam.
 */
const tolerances = { sgd: { weights: 1e-4, step: 2e-2 }, adam: { weights: 1e-3, step: 0.1 } } as const;

const others = ['tensorflow', 'torch'] as const;

describe.each(others)('ten training steps, each from the same weights, agree on wasm and %s', (other) => {
  it.each([
    ['light', 'sgd'],
    ['light', 'adam'],
    ['vgg', 'sgd'],
    ['vgg', 'adam'],
  ] as const)('%s-KAF by %s', async (network, type) => {
    const learningRate = 1e-3;
    const plan = planOf({ network, optimizer: optimizers[type], learningRate, activation: randomKaf });
    const dataset = shapesHere(plan);
    await openContractRuntime('wasm');
    const starts = [await initialState(plan, dataset)];
    const ours: Step[] = [];
    for (let step = 0; step < nSteps; step++) {
      ours.push(await stepFrom(plan, dataset, starts[step]!));
      starts.push(ours[step]!.state);
    }
    const names = [...starts[0]!.tensors.keys()].filter((name) => name.startsWith('model/'));
    const parameters = names.filter((name) => !isStatistic(name));
    const compared = parameters.filter((name) => type === 'sgd' || !isBiasWithoutEffect(name));
    const statistics = names.filter(isStatistic);

    await openContractRuntime(other);
    const worst = { loss: 0, weights: 0, step: 0, element: 0, statistics: 0 };
    for (let step = 0; step < nSteps; step++) {
      const { loss, state } = ours[step]!;
      const theirs = await stepFrom(plan, dataset, starts[step]!);
      const apart = norm(valuesOf(compared, theirs.state, state));
      const found = {
        loss: Math.abs(theirs.loss / loss - 1),
        weights: apart / norm(valuesOf(compared, state)),
        step: apart / norm(valuesOf(compared, state, starts[step])),
        element: largest(valuesOf(parameters, theirs.state, state)),
        statistics: norm(valuesOf(statistics, theirs.state, state)) / norm(valuesOf(statistics, state)),
      };
      for (const key of Object.keys(worst) as (keyof typeof worst)[]) worst[key] = Math.max(worst[key], found[key]);
    }
    console.info(`${other}, ${network}-KAF by ${type}, ten steps apart by at most`, worst);
    expect(worst.loss).toBeLessThan(1e-4);
    expect(worst.weights).toBeLessThan(tolerances[type].weights);
    expect(worst.step).toBeLessThan(tolerances[type].step);
    expect(worst.statistics).toBeLessThan(1e-4);
    // Two steps of Adam in opposite directions, of at most 1.05 learning rates each in the first ten (Cauchy–Schwarz).
    expect(worst.element).toBeLessThan(2.1 * learningRate);
  });
});

describe.each(others)('ten training steps, one after the other, agree on wasm and %s', (other) => {
  // With VGG no steps so long, or functions so steep (α at random), that training itself magnifies rounding two hundredfold in a
  // step: our own builds with relaxed and plain SIMD then part as fast.
  it.each([
    ['light', 'sgd', 1e-3, randomKaf],
    ['vgg', 'sgd', 1e-4, smoothKaf],
    ['light', 'adam', 1e-4, spline],
    ['light', 'sgd', 1e-4, maxout],
  ] as const)('%s by %s at %d, %o', async (network, type, learningRate, activation) => {
    const plan = planOf({ network, optimizer: optimizers[type], learningRate, activation });
    const dataset = shapesHere(plan);
    const losses: number[][] = [];
    for (const runtime of ['wasm', other] as const) {
      await openContractRuntime(runtime);
      const { records } = await collect(plan, dataset);
      losses.push(records.flatMap((record) => (record.type === 'step' ? [record.loss] : [])));
    }
    const [ours, theirs] = losses as [number[], number[]];
    expect(ours).toHaveLength(nSteps);
    ours.forEach((loss, step) => {
      expect(Math.abs(theirs[step]! / loss - 1), `loss of step ${String(step + 1)}`).toBeLessThan(1e-4);
    });
  });
});
