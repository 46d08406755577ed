// APGD's trajectories, FAB's projection and DeepFool's distances against PyTorch.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { autoPgd } from '../../server/attack/apgd.ts';
import { deepFool } from '../../server/attack/deepFool.ts';
import { onHyperplane } from '../../server/attack/hyperplane.ts';
import { crossEntropy, differenceOfLogitsRatio, targetedDifferenceOfLogitsRatio } from '../../server/attack/losses.ts';
import { Target } from '../../server/attack/target.ts';
import { Trial } from '../../server/attack/trial.ts';
import { multiply } from '../../server/model/linear.ts';
import type { Network } from '../../server/model/network.ts';
import { flatten } from '../../server/model/pooling.ts';
import { kaf } from '../../server/tensor/ops/kaf.ts';
import { attackPlan } from '../attack/plans.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

interface ApgdCase {
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  readonly loss: 'cross-entropy' | 'dlr' | 'targeted dlr';
  readonly start: GoldenTensor;
  /** Of the start and after each step, `[21, images]`. */
  readonly losses: GoldenTensor;
  readonly etas: GoldenTensor;
  /** By image, the steps before float32 might order two losses otherwise than float64. */
  readonly clear: GoldenTensor;
}

interface PlaneCase extends Readonly<Record<'x' | 'w' | 'offset', GoldenTensor>> {
  readonly norm: 'linf' | 'l2';
  readonly b: number;
}

const golden = readGolden<
  Readonly<Record<'kernel' | 'bias' | 'lastKernel' | 'lastBias' | 'clean' | 'labels' | 'targets', GoldenTensor>> & {
    readonly shape: readonly [number, number, number];
    readonly apgd: readonly ApgdCase[];
    readonly hyperplanes: readonly PlaneCase[];
    readonly deepfool: Readonly<Record<'linf' | 'l2', GoldenTensor>>;
  }
>('attacks');

beforeAll(openCpu);

describe('APGD from the same start', () => {
  it.each(golden.apgd)('$norm, $loss: losses to 1e-4 and step sizes over 20 steps', (one) => {
    withTrial((trial) => {
      const [labels, targets] = [trial.labels, Int32Array.from(golden.targets.values)];
      const lossOf = () => {
        // Those that stand, with their own targets.
        const own = Int32Array.from(trial.rows, (row) => targets[row]!);
        if (one.loss === 'cross-entropy') return crossEntropy(trial.labels);
        return one.loss === 'dlr'
          ? differenceOfLogitsRatio(trial.labels)
          : targetedDifferenceOfLogitsRatio(trial.labels, own);
      };
      const nImages = labels.length;
      let point = 0;
      let compared = 0;
      const onStep = ({ loss, eta }: { loss: Float32Array; eta: Float32Array }) => {
        trial.rows.forEach((row, index) => {
          expect(Math.abs(loss[index]! - one.losses.values[point * nImages + row]!)).toBeLessThan(1e-4);
          if (point > one.clear.values[row]!) return;
          expect(eta[index]).toBeCloseTo(one.etas.values[point * nImages + row]!, 6);
          compared++;
        });
        point++;
      };
      const plan = { norm: one.norm, epsilon: one.epsilon, steps: 20, expectation: 1 };
      const attack = autoPgd(trial, plan, lossOf, { start: toFloat32(one.start), onStep });
      while (trial.size > 0 && !attack.next().done);
      expect(point).toBe(21);
      // Most step sizes are told apart, halved ones among them.
      expect(compared).toBeGreaterThan(3 * nImages);
    });
  });
});

describe('FAB’s projection', () => {
  it.each(golden.hyperplanes)('$norm, b = $b', ({ norm, x, w, b, offset: expected }) => {
    const { offset, length } = onHyperplane(toFloat32(x), { w: toFloat32(w), b, norm, bounds: [0, 1] });
    offset.forEach((value, index) => expect(value).toBeCloseTo(expected.values[index]!, 5));
    const lengths = { linf: Math.max(...expected.values.map(Math.abs)), l2: Math.hypot(...expected.values) };
    expect(length).toBeCloseTo(lengths[norm], 5);
  });
});

describe('DeepFool', () => {
  it.each(['linf', 'l2'] as const)('%s: the distance of each image', (norm) => {
    withTrial((trial) => {
      const attack = deepFool(trial, attackPlan('deepfool', { norm }), 0);
      while (trial.size > 0 && !attack.next().done);
      trial.distances.forEach((distance, row) => {
        expect(distance).toBeCloseTo(golden.deepfool[norm].values[row]!, 5);
      });
    });
  });
});

function withTrial(use: (trial: Trial) => void): void {
  const before = tf.memory().numTensors;
  const [kernel, bias, lastKernel, lastBias] = (['kernel', 'bias', 'lastKernel', 'lastBias'] as const).map((name) =>
    tf.tensor(toFloat32(golden[name]), [...golden[name].shape] as [number]),
  ) as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D];
  // Swish is the base of a KAF without coefficients.
  const alpha = tf.zeros<tf.Rank.R2>([golden.bias.values.length, 5]);
  const forward: Network['forward'] = (images, pass) => {
    const sums = multiply(flatten(images, pass) as tf.Tensor2D, kernel, bias, 'input');
    const hidden = kaf(sums, alpha, { boundary: 3, gamma: 1, base: 'swish', gradients: 'input' });
    return multiply(hidden, lastKernel, lastBias, 'input');
  };
  const passes = { forward: 0, backward: 0 };
  const target = new Target({ forward } as Network, { nClasses: 5, shape: golden.shape, passes });
  const labels = Int32Array.from(golden.labels.values);
  const images = tf.tensor(toFloat32(golden.clean), [labels.length, ...golden.shape]);
  const trial = new Trial({ target, images, labels, seed: 0, first: 0, bounds: [0, 1] });
  use(trial);
  trial.dispose();
  tf.dispose([images, kernel, bias, lastKernel, lastBias, alpha]);
  expect(tf.memory().numTensors).toBe(before);
}
