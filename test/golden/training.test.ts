// Optimizers, schedules, clipping, smoothed labels and averages of the weights against PyTorch's.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Network } from '../../server/model/network.ts';
import type { Parameter } from '../../server/model/parameters.ts';
import type { ClippingPlan, OptimizerPlan, SchedulePlan, WeightAveragePlan } from '../../server/protocol/plan.ts';
import { smoothedCrossEntropy } from '../../server/tensor/ops/trainingLoss.ts';
import { clipped } from '../../server/trainer/clipping.ts';
import { makeOptimizer } from '../../server/trainer/optimizer.ts';
import { learningRate } from '../../server/trainer/schedule.ts';
import { WeightAverage } from '../../server/trainer/weightAverage.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { openContractRuntime, runtimeNames } from '../tensor/ops/runtimes.ts';
import { hashed } from './hashed.ts';
import { readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

interface Golden {
  readonly size: number;
  readonly steps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly optimizers: readonly { readonly plan: OptimizerPlan; readonly weights: GoldenTensor }[];
  readonly schedules: readonly { readonly plan: SchedulePlan; readonly rates: readonly number[] }[];
  readonly clipping: readonly { readonly plan: ClippingPlan; readonly gradients: readonly GoldenTensor[] }[];
  readonly averages: readonly {
    readonly plan: WeightAveragePlan;
    readonly steps: readonly Readonly<Record<'weight' | 'mean', GoldenTensor>>[];
  }[];
  readonly smoothing: {
    readonly smoothing: number;
    readonly labels: readonly number[];
    readonly losses: GoldenTensor;
    readonly gradient: GoldenTensor;
  };
}

const golden = readGolden<Golden>('training');

function parameterOf(values: Float32Array, shape: readonly number[], kernelOf: Parameter['kernelOf']): Parameter {
  const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...shape])));
  const name = { name: 'dense1.kernel', layer: 'dense1', quantity: 'kernel' } as const;
  return { ...name, shape, variable, isDecayed: true, kernelOf, bounds: null };
}

const valuesOf = (stream: number, n: number, scale = 1) =>
  Float32Array.from(hashed(stream, n), (value) => scale * value);

describe.each(runtimeNames)('on %s, as PyTorch', (runtime) => {
  beforeAll(async () => {
    await openContractRuntime(runtime);
  });

  it.each(golden.optimizers)('updates weights by $plan', ({ plan, weights }) => {
    const parameter = parameterOf(valuesOf(1, golden.size), [golden.size], 'dense');
    const optimizer = makeOptimizer(plan, { parameters: [parameter] } as unknown as Network);
    for (let step = 0; step < golden.steps; step++) {
      const gradient = tf.tensor1d(valuesOf(10 + step, golden.size));
      optimizer.update([gradient], { learningRate: 0.05, step: step + 1 });
      gradient.dispose();
    }
    const given = parameter.variable.dataSync<'float32'>();
    expectClose(given, toFloat32(weights), { absolute: 1e-6, relative: 1e-6 }, 'weights');
    optimizer.dispose();
    parameter.variable.dispose();
  });

  it.each(golden.clipping)('holds gradients by $plan', ({ plan, gradients }) => {
    const parameters = [parameterOf(valuesOf(30, 12), [4, 3], 'dense'), parameterOf(valuesOf(31, 3, 0.01), [3], null)];
    const given = [tf.tensor(valuesOf(32, 12, 3), [4, 3]), tf.tensor(valuesOf(33, 3, 0.2), [3])];
    const norms = tf.tidy(() => tf.stack(given.map((tensor) => tf.norm(tensor))) as tf.Tensor1D);
    const before = tf.memory().numTensors;
    const held = clipped(given, plan, { parameters, norms });
    expect(tf.memory().numTensors).toBe(before + 2);
    held.forEach((tensor, index) => {
      const wanted = toFloat32(gradients[index]!);
      expectClose(tensor.dataSync<'float32'>(), wanted, { absolute: 1e-6, relative: 3e-6 }, `gradient ${index}`);
    });
    tf.dispose([norms, ...given, ...held, ...parameters.map(({ variable }) => variable)]);
  });

  it.each(golden.averages)('averages weights by $plan', ({ plan, steps }) => {
    const { size } = golden;
    const made = () => {
      const parameter = parameterOf(new Float32Array(size).fill(7), [size], null);
      const variable = tf.tidy(() => tf.variable(tf.fill([size], -7), false));
      return {
        parameters: [parameter],
        statistics: [{ name: 'bn1.mean', shape: [size], variable }],
        followWeights: () => {},
      };
    };
    const [trained, own] = [made(), made()];
    const average = new WeightAverage(plan, trained, own);
    const before = tf.memory().numTensors;
    steps.forEach(({ weight, mean }, index) => {
      tf.tidy(() => {
        trained.parameters[0]!.variable.assign(tf.tensor1d(valuesOf(50 + index, size)));
        trained.statistics[0]!.variable.assign(tf.tensor1d(valuesOf(60 + index, size)));
      });
      average.update(index + 1);
      const tolerance = { absolute: 1e-6, relative: 1e-6 };
      const [ofWeight, ofMean] = [own.parameters[0]!, own.statistics[0]!].map((one) =>
        one.variable.dataSync<'float32'>(),
      );
      expectClose(ofWeight!, toFloat32(weight), tolerance, `weights after ${index + 1}`);
      expectClose(ofMean!, toFloat32(mean), tolerance, `means after ${index + 1}`);
    });
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([trained, own].flatMap((one) => [...one.parameters, ...one.statistics].map(({ variable }) => variable)));
  });

  it('smooths labels', () => {
    const { smoothing, labels, losses, gradient } = golden.smoothing;
    tf.tidy(() => {
      const of = tf.tensor1d([...labels], 'int32');
      const logits = tf.tensor2d(valuesOf(40, 20, 3), [4, 5]);
      const loss = smoothedCrossEntropy(smoothing);
      const { value, grad } = tf.valueAndGrad((z) => loss(z as tf.Tensor2D, of))(logits, tf.ones([4]));
      expectClose(value.dataSync<'float32'>(), toFloat32(losses), { absolute: 1e-6, relative: 1e-6 }, 'losses');
      expectClose(grad.dataSync<'float32'>(), toFloat32(gradient), { absolute: 1e-6, relative: 1e-6 }, 'gradient');
    });
  });
});

describe('schedules, as PyTorch', () => {
  it.each(golden.schedules)('$plan', ({ plan, rates }) => {
    const { epochs, stepsPerEpoch } = golden;
    rates.forEach((wanted, index) => {
      const rate = learningRate(plan, index + 1, { epochs, stepsPerEpoch });
      expect(Math.abs(rate / wanted - 1), `update ${index + 1}: ${rate}, not ${wanted}`).toBeLessThan(1e-7);
    });
  });

  it.each(golden.schedules)('is a number above 0 at one step an epoch and of one epoch: $plan', ({ plan }) => {
    for (const length of [
      { epochs: 5, stepsPerEpoch: 1 },
      { epochs: 1, stepsPerEpoch: 1 },
      { epochs: 2, stepsPerEpoch: 1 },
      { epochs: 1, stepsPerEpoch: 3 },
    ]) {
      for (let step = 1; step <= length.epochs * length.stepsPerEpoch; step++) {
        const rate = learningRate(plan, step, length);
        expect(rate > 0 && rate <= 0.2 + 1e-12, `${rate} at ${step} of ${JSON.stringify(length)}`).toBe(true);
      }
    }
  });
});
