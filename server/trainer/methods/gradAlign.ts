// FGSM with a penalty on gradients that turn within the ball.
import * as tf from '@tensorflow/tfjs-core';
import type { BatchStatistics, Pass } from '../../model/layer.ts';
import { differentiate, disposeAnswers } from '../gradients.ts';
import { AttackStep, lengthOf, likeImages } from './attackStep.ts';
import { disposeStatistics, gradientsOn, type MakeMethod, type MethodSurroundings } from './method.ts';

/** How far the image that moves the most goes for a difference of gradients, in the length of pixel values. */
const displacement = 0.05;
/** Directions longer than so many times their median are shortened to it. */
const longest = 10;

/**
 * Andriushchenko & Flammarion (2020): the weights' step on ℓ(f(x + δ), y), δ = α·sign ∇ₓ ℓ(f(x), y) within the ball, plus
 * λ·(1 − cos(∇ₓ ℓ(x), ∇ₓ ℓ(x + η))), η ~ U(−ε, ε), averaged over the images where neither gradient is 0.
 *
 * With v the penalty's slope by a gradient, its gradient ∇_θ (v · ∇ₓ ℓ) is the derivative of ∇_θ ℓ along v, taken by a central
 * difference: no kernel needs a second derivative. Where functions have corners (ReLU, the largest of a pooling), whose
 * second derivative is 0 to automatic differentiation, the difference sees them. An image with a gradient near 0, which would
 * need a step beyond float32, is held to ten times the median.
 */
export const gradAlign: MakeMethod<'gradalign'> = (around, { lambda, through, statistics }) => ({
  kept: new Map(),
  update: (batch, at) => {
    let moving: BatchStatistics[][] = [];
    const directions: Direction[] = [];
    const images = tf.tidy(() => {
      const step = new AttackStep(around, batch, at, statistics);
      moving = step.moving;
      const [atImage, atRandom] = [step.pass(), step.pass()];
      const gradient = step.gradient(step.clean, step.loss, atImage);
      const random = step.start('ball');
      const gradientThere = step.gradient(random, step.loss, atRandom);
      directions.push({ x: tf.keep(random), v: tf.keep(slope(gradient, gradientThere, lambda)), pass: atRandom });
      if (through === 'both') {
        const x = tf.keep(step.clean.clone());
        directions.push({ x, v: tf.keep(slope(gradientThere, gradient, lambda)), pass: atImage });
      }
      return around.space.leave(step.step(step.clean, gradient, step.threat)) as tf.Tensor4D;
    });
    const { labels } = batch;
    batch.images.dispose();
    const computed = gradientsOn(around, { images, labels }, at);
    images.dispose();
    const gradients = directions.reduce(
      (sum, direction) => added(sum, derivativeAlong(around, labels, direction)),
      computed.gradients,
    );
    labels.dispose();
    return {
      ...{ said: computed.said, gradients },
      batchStatistics: [...moving, computed.batchStatistics],
      dispose: () => {
        disposeAnswers(computed.said);
        disposeStatistics([...moving, computed.batchStatistics]);
        tf.dispose([...gradients]);
      },
    };
  },
});

interface Direction {
  readonly x: tf.Tensor;
  readonly v: tf.Tensor;
  readonly pass: Pick<Pass, 'mode' | 'key'>;
}

/** ∂/∂g′ of λ·(1 − mean cos(g, g′)): −λ/n·(g/‖g‖ − cos·g′/‖g′‖)/‖g′‖; 0 where either gradient is. */
function slope(g: tf.Tensor, gPrime: tf.Tensor, lambda: number): tf.Tensor {
  const [length, lengthPrime] = [lengthOf(g), lengthOf(gPrime)];
  const isUsable = tf.cast(tf.greater(tf.mul(length, lengthPrime), 0), 'float32');
  const safe = (of: tf.Tensor) => likeImages(tf.add(of, tf.sub(1, isUsable)), g);
  const [unit, unitPrime] = [tf.div(g, safe(length)), tf.div(gPrime, safe(lengthPrime))];
  const axes = g.shape.slice(1).map((_, axis) => axis + 1);
  const cosine = likeImages(tf.sum(tf.mul(unit, unitPrime), axes), g);
  const share = tf.div(tf.mul(isUsable, -lambda), tf.maximum(tf.sum(isUsable), 1));
  return tf.mul(tf.div(tf.sub(unit, tf.mul(cosine, unitPrime)), safe(lengthPrime)), likeImages(share, g));
}

/** d/dt ∇_θ Σ ℓ(f(x + t·v), y) at 0, a tensor a parameter. Disposes the direction. */
function derivativeAlong(
  { network, space, attackLossOf }: MethodSurroundings,
  labels: tf.Tensor1D,
  { x, v, pass }: Direction,
): tf.Tensor[] {
  const [t, shift] = tf.tidy(() => {
    const lengths = lengthOf(v);
    const { median, isPositive } = medianOfPositive(lengths);
    const most = tf.mul(median, longest);
    const largest = tf.minimum(most, tf.max(lengths));
    // Where no direction has a length, all of them are 0, and so is the derivative: any t will do.
    const t = tf.div(displacement, tf.add(largest, tf.cast(tf.equal(largest, 0), 'float32')));
    const shortened = tf.minimum(1, tf.div(most, tf.add(lengths, tf.sub(1, isPositive))));
    return [t, tf.mul(v, likeImages(tf.mul(t, shortened), v))];
  }) as [tf.Scalar, tf.Tensor];
  const { mode, key } = pass;
  const around = { mode, key, gradients: 'all', batchStatistics: null } as const;
  const [ahead, behind] = [tf.add, tf.sub].map((move) => {
    const point = move(x, shift);
    const weights = tf.ones<tf.Rank.R1>(labels.shape);
    const { ofParameters, losses } = differentiate(
      network,
      labels,
      () => attackLossOf(space.network.forward(point, around), labels),
      { weights },
    );
    tf.dispose([point, weights, losses]);
    return ofParameters;
  });
  const derivative = ahead!.map((gradient, index) =>
    tf.tidy(() => tf.div(tf.sub(gradient, behind![index]!), tf.mul(2, t))),
  );
  tf.dispose([x, v, t, shift, ...ahead!, ...behind!]);
  return derivative;
}

/** Disposes both. */
function added(sum: readonly tf.Tensor[], more: readonly tf.Tensor[]): tf.Tensor[] {
  const total = sum.map((gradient, index) => tf.tidy(() => tf.add(gradient, more[index]!)));
  tf.dispose([...sum, ...more]);
  return total;
}

/**
 * Of those above 0 that which has ⌊n/2⌋ below it in their order, 0 where there is none; found on the device, by how many lie below each.
 * @param lengths n, at least 0
 */
function medianOfPositive(lengths: tf.Tensor): { readonly median: tf.Tensor; readonly isPositive: tf.Tensor } {
  const n = lengths.size;
  const isPositive = tf.cast(tf.greater(lengths, 0), 'float32');
  const [each, others] = [tf.reshape(lengths, [n, 1]), tf.reshape(lengths, [1, n])];
  const count = (which: tf.Tensor) => tf.sum(tf.mul(tf.cast(which, 'float32'), tf.reshape(isPositive, [1, n])), 1);
  const [nBelow, nEqual] = [count(tf.less(others, each)), count(tf.equal(others, each))];
  const place = tf.floor(tf.div(tf.sum(isPositive), 2));
  const isMedian = tf.logicalAnd(tf.lessEqual(nBelow, place), tf.greater(tf.add(nBelow, nEqual), place));
  return { median: tf.max(tf.mul(lengths, tf.mul(isPositive, tf.cast(isMedian, 'float32')))), isPositive };
}
