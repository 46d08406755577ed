// Three whole training steps of the light, the VGG and a small residual network against PyTorch: losses, gradients, and what the optimizer
// made of them. Weights and images come from a hash on both sides; the file holds norms, sums and samples.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { buildNetwork, type Network } from '../../server/model/network.ts';
import type { KafPlan } from '../../server/protocol/plan.ts';
import { beginFigures, computeGradients } from '../../server/trainer/gradients.ts';
import { makeOptimizer } from '../../server/trainer/optimizer.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { openContractRuntime, runtimeNames } from '../tensor/ops/runtimes.ts';
import { hashed } from './hashed.ts';
import { readGolden } from './readGolden.ts';

interface Summary {
  readonly norm: number;
  readonly sum: number;
  /** Of elements ⌊k·size/16⌋, k = 0 … 15. */
  readonly samples: readonly number[];
}

interface Steps {
  readonly labels: readonly number[];
  /** The images' stream of hashed numbers. */
  readonly images: number;
  /** Height and width of the images. */
  readonly side: number;
  readonly l2: { readonly dense: number; readonly convolution: number };
  readonly gamma: number;
  readonly boundary: number;
  readonly runs: readonly {
    readonly parameters: readonly {
      readonly name: string;
      readonly shape: readonly number[];
      readonly scale: number;
      readonly centre: number;
    }[];
    readonly optimizer: ({ readonly type: 'sgd'; readonly momentum: number } | AdamSettings) & {
      readonly learningRate: number;
      readonly weightDecay: number;
    };
    /** `pssilu` is typed, as a formula. */
    readonly activation: 'relu' | 'pssilu' | KafPlan['type'];
    readonly steps: readonly {
      readonly loss: number;
      readonly gradients: Readonly<Record<string, Summary>>;
      /** Of the parameters since the start. */
      readonly changes: Readonly<Record<string, Summary>>;
    }[];
  }[];
}

interface AdamSettings {
  readonly type: 'adam';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The deeper network amplifies rounding: PyTorch's own float32 norms are off by up to 2.4e-4 from its float64 ones. */
const relativeTolerance = { light: 1e-4, vgg: 5e-4, resnet8: 1e-4 };

const networks = { light: 'light', vgg: 'vgg', resnet8: { type: 'resnet', depth: 8 } } as const;

function casesOf(name: keyof typeof networks) {
  const golden = readGolden<Steps>(`trainingSteps.${name}`);
  return golden.runs.map((run) => ({ name, golden, run, optimizer: run.optimizer.type, activation: run.activation }));
}

// The larger networks not on `cpu`: tfjs's own convolutions take minutes, and the contract suites compare the runtimes op by op.
describe.each(runtimeNames)('on %s, three training steps agree with PyTorch', (runtime) => {
  const cases = [...(runtime === 'cpu' ? [] : [...casesOf('light'), ...casesOf('vgg')]), ...casesOf('resnet8')];

  beforeAll(async () => {
    await openContractRuntime(runtime);
  });

  afterEach(() => {
    tf.disposeVariables();
  });

  it.each(cases)('$name with $activation by $optimizer', ({ name, golden, run }) => {
    const relative = relativeTolerance[name];
    const network = build(name, golden, run);
    const nTensors = tf.memory().numTensors;
    const starts = new Map(network.parameters.map((parameter) => [parameter.name, read(parameter.variable)]));
    const optimizer = makeOptimizer(run.optimizer, network);
    const images = tf.tensor4d(
      Float32Array.from(hashed(golden.images, golden.labels.length * golden.side ** 2 * 3), (value) => (value + 1) / 2),
      [golden.labels.length, golden.side, golden.side, 3],
    );
    const labels = tf.tensor1d([...golden.labels], 'int32');
    run.steps.slice(0, comparableSteps(runtime, name, run.activation)).forEach((wanted, index) => {
      const step = index + 1;
      const computed = computeGradients(
        network,
        { images, labels },
        {
          key: { seed: 0, stream: 0, counter: 0 },
          penalties: golden.l2,
        },
      );
      expect(
        Math.abs(beginFigures(computed.said)().loss / wanted.loss - 1),
        `loss of step ${String(step)}`,
      ).toBeLessThan(1e-4);
      const gradients = new Map(network.parameters.map(({ name: key }, i) => [key, read(computed.gradients[i]!)]));
      expectSummaries(gradients, wanted.gradients, `gradient in step ${String(step)}`, { relative, rounding: 0 });
      optimizer.update(computed.gradients, { learningRate: run.optimizer.learningRate, step });
      computed.dispose();
      const changes = new Map(
        network.parameters.map(({ name: key, variable }) => [
          key,
          read(variable).map((value, i) => value - starts.get(key)![i]!),
        ]),
      );
      // Three updates, each rounded to the float32 nearest, of weights up to 2 (half a unit in their last place).
      expectSummaries(changes, wanted.changes, `change by step ${String(step)}`, { relative, rounding: 3 * 2 ** -24 });
    });
    optimizer.dispose();
    tf.dispose([images, labels]);
    expect(tf.memory().numTensors).toBe(nTensors);
    network.dispose();
  });
});

/**
 * Which kernels TensorFlow takes depends on the processor. Rounding otherwise than PyTorch, they decide a near tie in a pooling of
 * the second step (VGG) or the third (light, on some of Intel) with KAF, which moves every gradient below it by up to a
 * percent. Its float64 errors in each op are no larger than those of `wasm`, and `runtimesAgree.test.ts` compares ten steps, each
 * from the same weights.
 */
function comparableSteps(runtime: string, name: keyof typeof networks, activation: string): number {
  return runtime === 'tensorflow' && name !== 'resnet8' && activation === 'kaf' ? 1 : 3;
}

/** Its β is b − 1. */
const pssilu = {
  type: 'formula',
  formula: 'x * (sigmoid(a * x) - (b - 1)) / (2 - b)',
  parameters: ['a', 'b'].map((name) => ({ name, start: 1, min: null, max: null })),
} as const;

function build(name: keyof typeof networks, golden: Steps, { activation, parameters }: Steps['runs'][number]): Network {
  const { boundary, gamma } = golden;
  const kaf = { dictionary: 20, boundary, gamma, init: { type: 'normal', std: 0.3 } } as const;
  const network = buildNetwork(
    {
      network: networks[name],
      activation:
        activation === 'relu' ? { type: activation } : activation === 'pssilu' ? pssilu : { type: activation, ...kaf },
      dropout: [],
      denseL2: golden.l2.dense,
      convolutionL2: golden.l2.convolution,
      normalization: null,
    },
    { sampleShape: [golden.side, golden.side, 3], nClasses: 10, seed: 0 },
  );
  expect(network.parameters.map((parameter) => parameter.name)).toEqual(parameters.map((one) => one.name));
  network.parameters.forEach((parameter, i) => {
    const { shape, scale, centre } = parameters[i]!;
    expect(parameter.shape).toEqual(shape);
    const values = hashed(1 + i, parameter.variable.size).map((value) => centre + scale * value);
    tf.tidy(() => {
      parameter.variable.assign(tf.tensor(Float32Array.from(values), [...shape]));
    });
  });
  return network;
}

function read(tensor: tf.Tensor): Float64Array {
  return Float64Array.from(tensor.dataSync());
}

/** A bias before a batch normalisation has gradient 0, so what float32 gives is rounding: small against its kernel's. */
function expectSummaries(
  values: ReadonlyMap<string, Float64Array>,
  wanted: Readonly<Record<string, Summary>>,
  what: string,
  tolerance: SummaryTolerance,
): void {
  for (const [name, given] of values) {
    if (/\b(conv\d+|skip)\.bias$/.test(name)) {
      const largest =
        1e-3 * wanted[name.replace('bias', 'kernel')]!.norm + tolerance.rounding * Math.sqrt(given.length);
      expect(normOf(given), `norm of ${name}: ${what}`).toBeLessThan(largest);
    } else {
      expectSummary(given, wanted[name]!, `${name}: ${what}`, tolerance);
    }
  }
}

interface SummaryTolerance {
  readonly relative: number;
  /** What one element may be off by its own rounding alone. */
  readonly rounding: number;
}

/**
 * Agreement of the norm, and of the sum by what its terms can add up to. An element may be off by 3e-3 of the root mean
 * square: PyTorch's own float32 gradients are off by up to 1.3e-3 from its float64 ones in the first step.
 */
function expectSummary(
  values: Float64Array,
  wanted: Summary,
  name: string,
  { relative, rounding }: SummaryTolerance,
): void {
  const n = values.length;
  const samples = Float64Array.from({ length: 16 }, (_, k) => values[Math.floor((k * n) / 16)]!);
  const sum = values.reduce((total, value) => total + value, 0);
  const within = (absolute: number) => ({ absolute, relative });
  const norms = [normOf(values), wanted.norm].map((norm) => Float64Array.of(norm)) as [Float64Array, Float64Array];
  expectClose(...norms, within(rounding * Math.sqrt(n)), `norm of ${name}`);
  const sums = [sum, wanted.sum].map((value) => Float64Array.of(value)) as [Float64Array, Float64Array];
  expectClose(...sums, within(relative * Math.sqrt(n) * wanted.norm + rounding * n), `sum of ${name}`);
  const offset = (3e-3 * wanted.norm) / Math.sqrt(n) + rounding;
  expectClose(samples, Float64Array.from(wanted.samples), within(offset), name);
}

function normOf(values: Float64Array): number {
  return Math.sqrt(values.reduce((total, value) => total + value ** 2, 0));
}
