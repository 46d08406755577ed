// A box through every kind of layer: nothing that is sampled in it leaves the bounds.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Target } from '../../server/attack/target.ts';
import { BoundNetwork } from '../../server/certificate/boundNetwork.ts';
import type { Subject } from '../../server/certificate/certificate.ts';
import { boundOf } from '../../server/certificate/lipschitz.ts';
import type { LayerBound } from '../../server/protocol/records.ts';
import { marginsAt } from '../../server/certificate/ibp.ts';
import { usualActivation } from '../../server/formula/activationFunction.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { layOutNetwork } from '../../server/network/layout.ts';
import type { ActivationPlan, LayerPlan, ModelPlan } from '../../server/protocol/plan.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

const shape = [6, 6, 2];
const ends = { sampleShape: shape, nClasses: 3 };
const drawn = { initializer: 'glorot-uniform', bias: true } as const;
const convolution = (channels: number, stride = 1): LayerPlan => ({
  ...{ type: 'conv', channels, size: 3, stride, padding: 'same', ...drawn },
});
const act: LayerPlan = { type: 'activation', activation: null };
const toLogits: readonly LayerPlan[] = [{ type: 'global-average-pool' }, { type: 'dense', units: 'classes', ...drawn }];
const pool = (type: 'max-pool' | 'average-pool', size: number, stride: number): LayerPlan => ({
  ...{ type, size, stride, padding: 'same' },
});
const swish = usualActivation('swish');
const kaf = { type: 'kaf', dictionary: 8, boundary: 3, gamma: 0.5, init: { type: 'normal', std: 0.5 } } as const;
const winners = { type: 'k-wta', ratio: 0.3, rounding: 'floor', ties: 'index' } as const;

const networks: Readonly<Record<string, { layers: readonly LayerPlan[]; activation: ActivationPlan }>> = {
  'batch norm, max pool, residual with a scale': {
    activation: swish,
    layers: [
      convolution(4),
      { type: 'batch-norm' },
      act,
      pool('max-pool', 3, 2),
      { type: 'residual', branch: [convolution(4), act], skip: [], scale: 'trained' },
      ...toLogits,
    ],
  },
  'group and layer norm, average pool, concat, dropout': {
    activation: usualActivation('gelu'),
    layers: [
      convolution(4),
      { type: 'group-norm', groups: 2 },
      act,
      pool('average-pool', 3, 2),
      { type: 'concat', ways: [[convolution(2)], [convolution(3), { type: 'layer-norm' }, act]] },
      { type: 'dropout', rate: 0.3 },
      ...toLogits,
    ],
  },
  'KAFs, flatten, no dense layer at the end': {
    activation: kaf,
    layers: [
      convolution(3, 2),
      act,
      { type: 'flatten' },
      { type: 'dense', units: 3, ...drawn },
      { type: 'layer-norm' },
    ],
  },
  'k-winners of a layer': { activation: { ...winners, over: 'layer' }, layers: [convolution(4), act, ...toLogits] },
  'k-winners of a channel': { activation: { ...winners, over: 'channel' }, layers: [convolution(4), act, ...toLogits] },
  maxout: { activation: { type: 'maxout', maps: 3 }, layers: [convolution(4), act, ...toLogits] },
  'two-dimensional KAFs': {
    activation: { type: 'kaf-2d', dictionary: 4, boundary: 2, gamma: 0.5, init: { type: 'normal', std: 0.5 } },
    layers: [convolution(3), act, ...toLogits],
  },
};

describe.each(Object.entries(networks))('%s', (_, { layers, activation }) => {
  const n = 3;
  const open = () => {
    const model = {
      network: { type: 'layers', layers },
      activation,
      dropout: [],
      denseL2: 0,
      convolutionL2: 0,
      normalization: null,
    };
    const network = buildNetwork(model as ModelPlan, { ...ends, seed: 5 });
    // Not as they start: shifts, scales and statistics that do something.
    [...network.parameters, ...network.statistics].forEach(({ variable, name }, index) => {
      const noise = uniformValues(variable.size, 0.2, 0.9, { seed: 6, stream: index, counter: 0 });
      if (!/kernel|alpha/.test(name)) variable.assign(tf.tensor(noise, variable.shape));
    });
    const target = new Target(network, { nClasses: 3, shape, passes: { forward: 0, backward: 0 } });
    const layouts = layOutNetwork(model as ModelPlan, ends);
    const normalization = { scale: [2, 0.5], shift: [0.1, -0.3] };
    const subject: Subject = { target, network, layouts, normalization, bounds: [0, 1], epoch: 0, seed: 0 };
    const bounds = new BoundNetwork(subject);
    for (const _step of bounds.prepare());
    const values = uniformValues(n * 72, 0, 1, { seed: 7, stream: 0, counter: 0 });
    const images = tf.tensor(values, [n, ...shape]);
    const scaled = (x: tf.Tensor) => tf.add(tf.mul(x, tf.tensor1d([2, 0.5])), tf.tensor1d([0.1, -0.3]));
    const logitsOf = (x: tf.Tensor) => tf.tidy(() => target.logits(scaled(x)));
    return { subject, bounds, images, logitsOf, dispose: () => (images.dispose(), network.dispose()) };
  };

  it.each([0.001, 0.02, 0.2])(
    'at ε = %f keeps every sample within its bounds, and margins below every margin',
    (epsilon) => {
      const { subject, bounds, images, logitsOf, dispose } = open();
      const labels = Int32Array.of(0, 1, 2);
      const box = tf.tidy(() => {
        const ball = {
          low: tf.clipByValue(tf.sub(images, epsilon), 0, 1),
          high: tf.clipByValue(tf.add(images, epsilon), 0, 1),
        };
        const { low, high } = bounds.through(subject.layouts, bounds.normalize(ball));
        return { low: low.dataSync().slice(), high: high.dataSync().slice() };
      });
      const margins = marginsAt(bounds, subject, images, labels, new Float32Array(n).fill(epsilon));
      let [closest, widest] = [Infinity, 0];
      for (let draw = 0; draw < 60; draw++) {
        const offsets = uniformValues(n * 72, -1, 1, { seed: 8, stream: draw, counter: 0 });
        // Half of them corners, where bounds are nearest.
        const moved = offsets.map((one) => epsilon * (draw % 2 === 0 ? Math.sign(one) : one));
        const logits = tf.tidy(() => logitsOf(tf.clipByValue(tf.add(images, tf.tensor(moved, images.shape)), 0, 1)));
        logits.forEach((z, index) => {
          const room = 2e-5 * Math.max(1, Math.abs(z));
          expect(z).toBeGreaterThanOrEqual(box.low[index]! - room);
          expect(z).toBeLessThanOrEqual(box.high[index]! + room);
          closest = Math.min(closest, z - box.low[index]!, box.high[index]! - z);
          widest = Math.max(widest, box.high[index]! - box.low[index]!);
        });
        labels.forEach((label, row) => {
          const z = logits.subarray(row * 3, row * 3 + 3);
          const other = Math.max(...[...z].filter((__, k) => k !== label));
          expect(z[label]! - other).toBeGreaterThanOrEqual(margins[row]! - 4e-5 * Math.max(1, Math.abs(other)));
        });
      }
      // A bound that is everything would pass, too.
      expect(closest).toBeLessThan(widest / 2);
      expect(Number.isFinite(widest)).toBe(true);
      dispose();
    },
  );

  it('lengthens no difference by more than its Lipschitz bound', () => {
    const { subject, images, logitsOf, dispose } = open();
    const known: LayerBound[] = [];
    const walk = boundOf(subject, subject.layouts, 2, known);
    let step = walk.next();
    while (!step.done) step = walk.next();
    const before = logitsOf(images);
    let most = 0;
    for (let draw = 0; draw < 40; draw++) {
      const offsets = uniformValues(n * 72, -1, 1, { seed: 9, stream: draw, counter: 0 }).map(
        (one) => one * 10 ** -(draw % 4),
      );
      const after = tf.tidy(() => logitsOf(tf.add(images, tf.tensor(offsets, images.shape))));
      for (let row = 0; row < n; row++) {
        const length = Math.hypot(...offsets.subarray(row * 72, (row + 1) * 72));
        most = Math.max(most, Math.hypot(...[0, 1, 2].map((k) => after[row * 3 + k]! - before[row * 3 + k]!)) / length);
      }
    }
    expect(most).toBeGreaterThan(0);
    expect(step.value).toBeGreaterThan(most);
    expect(step.value === Infinity).toBe(activation.type === 'k-wta');
    dispose();
  });
});
