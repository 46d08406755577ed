// KafscopeChannelActivation and its gradients; ops/channelActivation.ts has the equations.
import * as tf from '@tensorflow/tfjs-core';
import type { ChannelActivationOptions, ChannelActivationType } from '../../ops/channelActivation.ts';
import { asRows, tensorflowKernel, type TensorflowKernel } from './tensorflowKernel.ts';

interface Inputs {
  readonly x: tf.Tensor;
  readonly coefficients: tf.Tensor2D;
}

export const channelActivationKernels: readonly TensorflowKernel[] = [
  tensorflowKernel<Inputs, ChannelActivationOptions>('KafscopeChannelActivation', ({ x, coefficients }, { type }) =>
    valueOf(type, x, tf.unstack(coefficients, 1)),
  ),
  tensorflowKernel<Inputs & { readonly dy: tf.Tensor }, ChannelActivationOptions>(
    'KafscopeChannelActivationGrad',
    ({ dy, x, coefficients }, { type, gradients }) => {
      const nChannels = coefficients.shape[0];
      const upstream = asRows(dy, nChannels);
      const { slope, partials } = slopeOf(type, asRows(x, nChannels), tf.unstack(coefficients, 1));
      const dx = tf.reshape(tf.mul(upstream, slope), x.shape);
      if (gradients === 'input') return [dx, tf.zeros([0])];
      const sums = partials.map((partial) => tf.sum(tf.mul(upstream, partial), 0));
      return [dx, tf.stack(sums, 1)];
    },
  ),
];

function valueOf(type: ChannelActivationType, x: tf.Tensor, c: readonly tf.Tensor[]): tf.Tensor {
  switch (type) {
    case 'prelu':
      return tf.where(tf.greater(x, 0), x, tf.mul(x, c[0]!));
    case 'generalized-tanh':
      return tf.mul(c[0]!, tf.tanh(tf.mul(x, tf.mul(c[1]!, 0.5))));
    case 'srelu': {
      const [left, leftSlope, right, rightSlope] = c as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const below = tf.add(left, tf.mul(leftSlope, tf.sub(x, left)));
      const above = tf.add(right, tf.mul(rightSlope, tf.sub(x, right)));
      return tf.where(tf.greaterEqual(x, right), above, tf.where(tf.lessEqual(x, left), below, x));
    }
    case 'apl': {
      const nHinges = c.length / 2;
      return c
        .slice(0, nHinges)
        .reduce<tf.Tensor>(
          (sum, weight, i) => tf.add(sum, tf.mul(weight, tf.maximum(tf.sub(c[nHinges + i]!, x), 0))),
          tf.maximum(x, 0),
        );
    }
    case 'polynomial': {
      const start = tf.add(tf.zerosLike(x), c.at(-1)!);
      return c.slice(0, -1).reduceRight<tf.Tensor>((sum, coefficient) => tf.add(tf.mul(sum, x), coefficient), start);
    }
  }
}

/** ∂f/∂x, and ∂f/∂c for each coefficient, all like x `[rows, C]`. */
function slopeOf(
  type: ChannelActivationType,
  x: tf.Tensor2D,
  c: readonly tf.Tensor[],
): { slope: tf.Tensor; partials: tf.Tensor[] } {
  const zeros = tf.zerosLike(x);
  const ones = tf.onesLike(x);
  const like = (row: tf.Tensor) => tf.mul(ones, row);
  switch (type) {
    case 'prelu': {
      const isAbove = tf.greater(x, 0);
      return { slope: tf.where(isAbove, ones, like(c[0]!)), partials: [tf.where(isAbove, zeros, x)] };
    }
    case 'generalized-tanh': {
      const [scale, rate] = c as [tf.Tensor, tf.Tensor];
      const t = tf.tanh(tf.mul(x, tf.mul(rate, 0.5)));
      const flank = tf.sub(1, tf.square(t));
      // An infinite x, where the function is flat, adds nothing.
      const byRate = tf.where(tf.equal(flank, 0), zeros, tf.mul(tf.mul(scale, tf.mul(x, 0.5)), flank));
      return { slope: tf.mul(tf.mul(scale, tf.mul(rate, 0.5)), flank), partials: [t, byRate] };
    }
    case 'srelu': {
      const [left, leftSlope, right, rightSlope] = c as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const isRight = tf.greaterEqual(x, right);
      const isLeft = tf.logicalAnd(tf.lessEqual(x, left), tf.logicalNot(isRight));
      return {
        slope: tf.where(isRight, like(rightSlope), tf.where(isLeft, like(leftSlope), ones)),
        partials: [
          tf.where(isLeft, like(tf.sub(1, leftSlope)), zeros),
          tf.where(isLeft, tf.sub(x, left), zeros),
          tf.where(isRight, like(tf.sub(1, rightSlope)), zeros),
          tf.where(isRight, tf.sub(x, right), zeros),
        ],
      };
    }
    case 'apl': {
      const nHinges = c.length / 2;
      const weights = c.slice(0, nHinges);
      const distances = c.slice(nHinges).map((hinge) => tf.sub(hinge, x));
      const active = distances.map((distance, i) => tf.where(tf.greater(distance, 0), like(weights[i]!), zeros));
      return {
        slope: active.reduce<tf.Tensor>((sum, weight) => tf.sub(sum, weight), tf.cast(tf.greater(x, 0), 'float32')),
        partials: [...distances.map((distance) => tf.maximum(distance, 0)), ...active],
      };
    }
    case 'polynomial': {
      const powers: tf.Tensor[] = [ones];
      while (powers.length < c.length) powers.push(tf.mul(powers.at(-1)!, x));
      const slope = c.reduceRight<tf.Tensor>(
        (sum, coefficient, power) => (power > 0 ? tf.add(tf.mul(sum, x), tf.mul(coefficient, power)) : sum),
        zeros,
      );
      return { slope, partials: powers };
    }
  }
}
