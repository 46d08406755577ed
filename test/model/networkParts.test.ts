// What a network shows of itself beside its logits: what a layer takes, how it begins.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pass } from '../../server/model/layer.ts';
import { buildNetwork, type Network, type NetworkOptions } from '../../server/model/network.ts';
import type { LayerPlan, ModelPlan } from '../../server/protocol/plan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

let network: Network;

afterEach(() => {
  network.dispose();
  expect(tf.memory().numTensors).toBe(0);
});

const pass: Pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null };

function build(layers: readonly LayerPlan[], model: Partial<ModelPlan> = {}, ends: Partial<NetworkOptions> = {}): void {
  const plan: ModelPlan = {
    ...{ network: { type: 'layers', layers }, activation: { type: 'tanh' } },
    ...{ dropout: [], denseL2: 0, convolutionL2: 0, normalization: null },
    ...model,
  };
  network = buildNetwork(plan, { sampleShape: [3], nClasses: 2, seed: 1, ...ends });
}

const dense = (units: number | 'classes'): LayerPlan => ({
  ...{ type: 'dense', units, bias: true, initializer: 'glorot-uniform' },
});
const layers = [dense(4), { type: 'batch-norm' }, { type: 'activation', activation: null }, dense('classes')] as const;
const samples = [0.5, -1, 2, 0.1, 0.2, 0.3];

function valuesOf(read: (x: tf.Tensor) => tf.Tensor): number[] {
  const found = tf.tidy(() => [...read(tf.tensor2d(samples, [2, 3])).dataSync()]);
  return found.map((value) => Number(value.toPrecision(5)));
}

const before = (depth: number) => valuesOf((x) => network.before(depth, x, pass));

describe('what a layer takes', () => {
  it('is counted from the end, a normalisation and its activation as one, down to the samples as they are normalised', () => {
    build(layers, { normalization: { mean: [0.1, 0.2, 0.3], std: [1, 2, 4] } });
    const rounded = (values: number[]) => values.map((value) => Number(value.toPrecision(5)));
    const normalised = samples.map((value, index) => (value - [0.1, 0.2, 0.3][index % 3]!) / [1, 2, 4][index % 3]!);
    for (const depth of [3, 4, 9])
      before(depth).forEach((v, i) => {
        expect(v).toBeCloseTo(normalised[i]!, 4);
      });
    expect(before(0)).toEqual(valuesOf((x) => network.forward(x, pass)));
    const [kernel, bias] = ['dense2.kernel', 'dense2.bias'].map(
      (name) => network.parameters.find((one) => one.name === name)!.variable,
    );
    const logits = valuesOf((x) =>
      tf.add(tf.matMul(network.before(1, x, pass) as tf.Tensor2D, kernel as tf.Tensor2D), bias!),
    );
    expect(logits).toEqual(rounded(before(0)));
    expect(before(1).every((value) => Math.abs(value) < 1)).toBe(true);
    expect(before(2)).not.toEqual(before(1));
    expect(before(2)).toHaveLength(8);
  });

  it('is where one value stands for two classes the value alone, beside which the logits have a 0', () => {
    build([dense('classes')], {}, { nOutputs: 1 });
    const [first, second] = before(0);
    expect(valuesOf((x) => network.forward(x, pass))).toEqual([0, first, 0, second]);
  });
});

describe('a network begins', () => {
  it.each([{ type: 'layer-norm' }, { type: 'group-norm', groups: 2 }, { type: 'batch-norm' }] as const)(
    'with normalisations that change nothing more: $type',
    (layer) => {
      build([dense(4), layer, dense('classes')]);
      const of = (quantity: string) => [
        ...network.parameters.find((one) => one.quantity === quantity)!.variable.dataSync(),
      ];
      expect([of('gamma'), of('beta')]).toEqual([
        [1, 1, 1, 1],
        [0, 0, 0, 0],
      ]);
    },
  );

  it('with its activation layers by name, for whoever looks at one alone', () => {
    build(layers);
    expect([...network.parts.keys()]).toEqual(['tanh1']);
    expect(valuesOf((x) => network.parts.get('tanh1')!(x, pass))).toEqual(valuesOf((x) => tf.tanh(x)));
  });

  it('before its first epoch', () => {
    const lowering = { to: 0.2, by: 0.5, everyEpochs: 1, afterEpochs: 1 };
    const activation = {
      type: 'k-wta',
      rounding: 'ceiling',
      over: 'layer',
      ties: 'all',
      ratio: 0.8,
      lowering,
    } as const;
    build([dense(8), { type: 'activation', activation: null }, dense('classes')], { activation });
    const logits = () => valuesOf((x) => network.forward(x, pass));
    const atFirst = logits();
    network.setEpoch(0);
    expect(logits()).toEqual(atFirst);
    network.setEpoch(1);
    expect(logits()).not.toEqual(atFirst);
  });

  it('with PyTorch’s biases uniform on ±1/√fan-in', () => {
    build([{ ...dense(200), initializer: 'pytorch' } as LayerPlan, dense('classes')]);
    const bias = [...network.parameters.find(({ name }) => name === 'dense1.bias')!.variable.dataSync()];
    const limit = 1 / Math.sqrt(3);
    expect(bias.every((value) => Math.abs(value) <= limit)).toBe(true);
    for (const edge of [-limit, limit])
      expect(Math.min(...bias.map((value) => Math.abs(value - edge)))).toBeLessThan(0.1);
  });
});

it('a normalisation has a scale for each channel, however high and wide its input', () => {
  build([{ type: 'batch-norm' }, { type: 'flatten' }, dense('classes')], {}, { sampleShape: [4, 5, 3] });
  expect(network.parameters.find(({ quantity }) => quantity === 'gamma')!.shape).toEqual([3]);
});

it('group normalisation adds 1e-5 to the variance', () => {
  build([{ type: 'layer-norm' }, dense('classes')]);
  const values = [0.003, 0, -0.003];
  const found = tf.tidy(() => [...network.before(1, tf.tensor2d(values, [1, 3]), pass).dataSync()]);
  const variance = (2 * 0.003 ** 2) / 3;
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(values[index]! / Math.sqrt(variance + 1e-5), 5);
  });
});

it('whoever looks on sees the name, the input and the output of every activation layer', () => {
  build(layers);
  const seen: [string, boolean][] = [];
  tf.tidy(() => {
    const looked: Pass = {
      ...pass,
      seen: (name, x, y) => {
        seen.push([name, tf.all(tf.equal(tf.tanh(x), y)).dataSync()[0] === 1]);
      },
    };
    network.forward(tf.tensor2d(samples, [2, 3]), looked);
  });
  expect(seen).toEqual([['tanh1', true]]);
});
