// A loss so rough that its gradient says nothing of the neighbourhood, as of roundings that let a gradient through.
import * as tf from '@tensorflow/tfjs-core';
import { uniform } from '../../tensor/ops/random.ts';
import { randomStreams } from '../../model/randomStreams.ts';
import { readFloats } from '../../tensor/read.ts';
import { margin } from '../losses.ts';
import { forEachRow } from '../rows.ts';
import type { Check } from './suspect.ts';

/** How much smaller than ε the step is after which gradients are compared, and the cosine below which they are strangers. */
const [share, least] = [1 / 32, 0.5];

/** Median cosine between the gradient of the margin at an image and at a point of the cube of ε/32 about it. */
export const roughness: Check = ({ plan, target, images, labels, outcomes, seed }) => {
  const [at, near] = tf.tidy(() => {
    const size =
      plan.norm === 'linf' ? plan.epsilon : plan.epsilon / Math.sqrt(target.shape.reduce((a, b) => a * b, 1));
    const key = { seed, stream: randomStreams.audit, counter: 0 };
    const moved = tf.add(images, uniform(images.shape, -size * share, size * share, key));
    return [images, moved].map((x) => readFloats(target.differentiate(x, margin(labels)).gradient));
  }) as [Float32Array, Float32Array];
  const cosines: number[] = [];
  forEachRow(at, labels.length, (row, from, to) => {
    if (outcomes[row] === 0) return;
    let [product, a, b] = [0, 0, 0];
    for (let i = from; i < to; i++) {
      product += at[i]! * near[i]!;
      a += at[i]! ** 2;
      b += near[i]! ** 2;
    }
    if (a > 0 && b > 0) cosines.push(product / Math.sqrt(a * b));
  });
  const median = cosines.toSorted((a, b) => a - b)[Math.floor(cosines.length / 2)];
  if (median === undefined || median >= least) return null;
  return {
    flag: 'rough-loss',
    measured: `Gradients ε/32 apart have a cosine of ${median.toFixed(2)} (median of ${String(cosines.length)} images).`,
    means:
      'The gradient says nothing of the neighbourhood: the network is not smooth (steps, roundings), and gradients mislead.',
    next: 'Run nes with growth late, and square: both need no gradient.',
  };
};
