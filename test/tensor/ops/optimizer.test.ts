import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { adamUpdate, sgdUpdate } from '../../../server/tensor/ops/optimizer.ts';
import * as reference from '../../../server/tensor/reference/optimizer.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, float64, input, rounded, scatter, withoutTrace } from './contract.ts';

// Three float32 updates against three in float64.
const tolerance = { absolute: 1e-6, relative: 1e-6 };
const sizes = [0, 1, 3, 4, 5, 8, 4099];

/** Runs the updates on variables of these values and gives the variables' values afterwards. */
function updateInPlace(
  starts: readonly Float32Array[],
  run: (variables: tf.Variable[]) => void,
): readonly Float32Array[] {
  return withoutTrace([], () => {
    const variables = starts.map((start) => tf.variable(tf.tensor(start.slice())));
    const ids = variables.map((variable) => variable.dataId);
    run(variables);
    expect(variables.map((variable) => variable.dataId)).toEqual(ids);
    const values = variables.map((variable) => variable.dataSync<'float32'>().slice());
    tf.dispose(variables);
    return values;
  });
}

describeOnEveryRuntime('optimizer', () => {
  it.each(sizes)('updates %i weights by SGD with momentum and weight decay', (n) => {
    const settings = { momentum: 0.9, weightDecay: 0.01 };
    const weights = scatter(n, 1);
    const gradients = [1, 2, 3].map((step) => scatter(n, 1, step));
    let exact: ReturnType<typeof reference.sgd> = { weights: float64(weights), velocity: new Float64Array(n) };
    for (const gradient of gradients) {
      exact = reference.sgd(exact.weights, float64(gradient), exact.velocity, { learningRate: 0.1, ...settings });
    }
    const [updated, velocity] = updateInPlace([weights, new Float32Array(n)], ([parameter, momentum]) => {
      for (const gradient of gradients) {
        const at = { learningRate: 0.1 };
        sgdUpdate({ parameter: parameter!, gradient: tf.tensor(gradient), velocity: momentum!, at, ...settings });
      }
    }) as [Float32Array, Float32Array];
    expectClose(updated, rounded(exact.weights), tolerance, 'weights');
    expectClose(velocity, rounded(exact.velocity), tolerance, 'velocity');
  });

  it.each(sizes)('updates %i weights by plain SGD without a velocity', (n) => {
    const settings = { momentum: 0, weightDecay: 0.01 };
    const [weights, gradient] = [scatter(n, 1), scatter(n, 1, 1)];
    const exact = reference.sgd(float64(weights), float64(gradient), new Float64Array(n), {
      learningRate: 0.1,
      ...settings,
    });
    const [updated] = updateInPlace([weights], ([parameter]) => {
      const at = { learningRate: 0.1 };
      sgdUpdate({ parameter: parameter!, gradient: tf.tensor(gradient), velocity: null, at, ...settings });
    }) as [Float32Array];
    expectClose(updated, rounded(exact.weights), tolerance, 'weights');
  });

  it.each(sizes)('updates %i weights by Adam with weight decay', (n) => {
    const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
    const weights = scatter(n, 1);
    const gradients = [1, 2, 3].map((step) => scatter(n, 1, step));
    let exact: ReturnType<typeof reference.adam> = {
      weights: float64(weights),
      first: new Float64Array(n),
      second: new Float64Array(n),
    };
    gradients.forEach((gradient, i) => {
      exact = reference.adam(exact.weights, float64(gradient), exact, { ...settings, step: i + 1, learningRate: 0.01 });
    });
    const [updated, first, second] = updateInPlace(
      [weights, new Float32Array(n), new Float32Array(n)],
      ([parameter, firstMoment, secondMoment]) => {
        gradients.forEach((gradient, i) => {
          adamUpdate({
            parameter: parameter!,
            gradient: tf.tensor(gradient),
            firstMoment: firstMoment!,
            secondMoment: secondMoment!,
            at: { step: i + 1, learningRate: 0.01 },
            ...settings,
          });
        });
      },
    ) as [Float32Array, Float32Array, Float32Array];
    expectClose(updated, rounded(exact.weights), tolerance, 'weights');
    expectClose(first, rounded(exact.first), tolerance, 'first moment');
    expectClose(second, rounded(exact.second), tolerance, 'second moment');
  });

  it('leaves the gradient as it is', () => {
    const gradient = input(scatter(9, 1));
    withoutTrace([gradient], ([tensor]) => {
      const parameter = tf.variable(tf.zeros([9]));
      const moments = [tf.variable(tf.zeros([9])), tf.variable(tf.zeros([9]))] as const;
      const at = { step: 1, learningRate: 1 };
      sgdUpdate({ parameter, gradient: tensor!, velocity: moments[0], at, momentum: 0.9, weightDecay: 1 });
      adamUpdate({
        parameter,
        gradient: tensor!,
        firstMoment: moments[0],
        secondMoment: moments[1],
        at,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 1,
      });
      tf.dispose([parameter, ...moments]);
    });
  });

  it('passes on a NaN or an infinity of the gradient, at its element alone', () => {
    const [updated] = updateInPlace([Float32Array.of(1, 1, 1, 1, 1), new Float32Array(5)], ([parameter, velocity]) => {
      const gradient = tf.tensor([0, NaN, Infinity, -Infinity, 1]);
      sgdUpdate({
        parameter: parameter!,
        gradient,
        velocity: velocity!,
        at: { learningRate: 0.5 },
        momentum: 0.9,
        weightDecay: 0,
      });
    }) as [Float32Array];
    expect([...updated]).toEqual([1, NaN, -Infinity, Infinity, 0.5]);
  });

  it('names a wrong shape, a missing velocity or a wrong step', () => {
    tf.tidy(() => {
      const parameter = tf.variable(tf.zeros([2, 3]));
      const moment = tf.variable(tf.zeros([3, 2]));
      const gradient = tf.zeros([2, 3]);
      const sgd = { parameter, gradient, at: { learningRate: 1 }, momentum: 0.9, weightDecay: 0 };
      expect(() => {
        sgdUpdate({ ...sgd, velocity: moment });
      }).toThrow(new RangeError('sgdUpdate: expected velocity of shape [2, 3], got [3, 2]'));
      expect(() => {
        sgdUpdate({ ...sgd, velocity: null });
      }).toThrow(new RangeError('sgdUpdate: expected a velocity with a momentum other than 0, got null'));
      const adam = { parameter, gradient, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0 };
      const at = { step: 1, learningRate: 1 };
      expect(() => {
        adamUpdate({ ...adam, firstMoment: parameter, secondMoment: parameter, at: { ...at, step: 0 } });
      }).toThrow(new RangeError('adamUpdate: expected a step of at least 1, got 0'));
      expect(() => {
        adamUpdate({ ...adam, firstMoment: moment, secondMoment: parameter, at });
      }).toThrow(new RangeError('adamUpdate: expected firstMoment of shape [2, 3], got [3, 2]'));
      tf.dispose([parameter, moment]);
    });
  });
});
