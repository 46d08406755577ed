// Three training steps of networks that are declared in layers, against PyTorch's own modules: losses, gradients, and what SGD made of them.
// Weights and pictures come from a hash on both sides; the file holds norms and samples.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { beginFigures, computeGradients } from '../../server/trainer/gradients.ts';
import { makeOptimizer } from '../../server/trainer/optimizer.ts';
import { openContractRuntime, runtimeNames } from '../tensor/ops/runtimes.ts';
import { hashed } from './hashed.ts';
import { readGolden } from './readGolden.ts';

interface Summary {
  readonly norm: number;
  /** Of elements ⌊k·size/8⌋, k = 0 … 7. */
  readonly samples: readonly number[];
}

interface Golden {
  readonly labels: readonly number[];
  readonly images: number;
  readonly optimizer: { readonly learningRate: number; readonly momentum: number; readonly weightDecay: number };
  readonly networks: Readonly<
    Record<
      keyof typeof networks,
      {
        readonly side: number;
        readonly parameters: readonly {
          readonly name: string;
          readonly shape: readonly number[];
          readonly scale: number;
          readonly centre: number;
        }[];
        readonly steps: readonly { readonly loss: number; readonly gradients: Readonly<Record<string, Summary>> }[];
        readonly changes: Readonly<Record<string, Summary>>;
      }
    >
  >;
}

/** As they would stand in a file. */
const networks = {
  'preact-resnet18': 'network: preact-resnet18',
  cnn5: 'network: {type: cnn5, blocks: 2}\n  dropout: [0, 0]',
  mixed: `network:
    layers:
      - conv: { channels: 12, size: 7, padding: valid }
      - group-norm: 3
      - activation
      - residual:
          branch:
            - conv: 12
            - activation: tanh
            - conv: { channels: 12, size: 1, bias: false }
          scale: trained
      - layer-norm
      - concat:
          - - conv: { channels: 4, size: 1 }
          - - conv: { channels: 4, size: 1 }
            - activation
            - conv: { channels: 6, size: 5 }
          - - average-pool: { size: 3, stride: 1, padding: same }
      - average-pool
      - global-average-pool
      - dense: 16
      - activation
      - dense: classes`,
} as const;

/** Eighteen layers of batch normalisation over few values amplify rounding; the others don't. */
const gradientTolerance = { 'preact-resnet18': 1e-3, cnn5: 1e-4, mixed: 1e-4 };

// Not on `cpu`, whose convolutions take minutes: the contract suites compare the runtimes op by op.
const runtimes = runtimeNames.filter((name) => name !== 'cpu');

describe.each(runtimes)('on %s, three training steps agree with PyTorch', (runtime) => {
  const golden = readGolden<Golden>('declaredNetworks');

  beforeAll(async () => {
    await openContractRuntime(runtime);
  });

  afterEach(() => {
    tf.disposeVariables();
  });

  it.each(Object.keys(networks) as (keyof typeof networks)[])('%s', (name) => {
    const { side, parameters, steps, changes } = golden.networks[name];
    const network = build(name, side);
    expect(network.parameters.map((one) => [one.name, one.shape])).toEqual(
      parameters.map((one) => [one.name, one.shape]),
    );
    const starts = network.parameters.map((parameter, i) => {
      const { shape, scale, centre } = parameters[i]!;
      const values = Float32Array.from(hashed(1 + i, parameter.variable.size).map((value) => centre + scale * value));
      tf.tidy(() => {
        parameter.variable.assign(tf.tensor(values, [...shape]));
      });
      return values;
    });
    const { momentum, weightDecay, learningRate } = golden.optimizer;
    const optimizer = makeOptimizer({ type: 'sgd', momentum, weightDecay }, network);
    const size = golden.labels.length * side ** 2 * 3;
    const images = tf.tensor4d(
      Float32Array.from(hashed(golden.images, size), (value) => (value + 1) / 2),
      [golden.labels.length, side, side, 3],
    );
    const labels = tf.tensor1d([...golden.labels], 'int32');
    const relative = gradientTolerance[name];
    steps.forEach((wanted, index) => {
      const computed = computeGradients(
        network,
        { images, labels },
        { key: { seed: 0, stream: 0, counter: 0 }, penalties: { dense: 0, convolution: 0 } },
      );
      expect(Math.abs(beginFigures(computed.said)().loss / wanted.loss - 1), `loss of step ${index + 1}`).toBeLessThan(
        1e-4,
      );
      network.parameters.forEach((parameter, i) => {
        const given = computed.gradients[i]!.dataSync<'float32'>();
        expectSummary(given, wanted.gradients[parameter.name]!, `${parameter.name} in step ${index + 1}`, relative);
      });
      optimizer.update(computed.gradients, { learningRate, step: index + 1 });
      computed.dispose();
    });
    network.parameters.forEach(({ name: key, variable }, i) => {
      const change = variable.dataSync<'float32'>().map((value, n) => value - starts[i]![n]!);
      // Three updates, each rounded to the float32 nearest, of weights up to 2 (half a unit in their last place).
      expectSummary(change, changes[key]!, `change of ${key}`, relative, 3 * 2 ** -24);
    });
    optimizer.dispose();
    network.dispose();
    tf.dispose([images, labels]);
  });
});

function build(name: keyof typeof networks, side: number) {
  const text = `model:\n  ${networks[name]}\n  activation: swish\n`;
  const { plans, issues } = compileExperiment(text, { file: null, homeFolder: '/' });
  expect(issues).toEqual([]);
  return buildNetwork(plans[0]!.model, { sampleShape: [side, side, 3], nClasses: 10, seed: 0 });
}

/** `rounding` is what each value may be off besides. */
function expectSummary(given: Float32Array, wanted: Summary, what: string, relative: number, rounding = 0): void {
  const allowed = relative * wanted.norm + rounding * Math.sqrt(given.length);
  const norm = Math.sqrt(given.reduce((sum, value) => sum + value * value, 0));
  expect(Math.abs(norm - wanted.norm), `norm of ${what}`).toBeLessThanOrEqual(allowed);
  wanted.samples.forEach((value, k) => {
    const index = Math.floor((k * given.length) / wanted.samples.length);
    expect(Math.abs(given[index]! - value), `value ${index} of ${what}`).toBeLessThanOrEqual(allowed);
  });
}
