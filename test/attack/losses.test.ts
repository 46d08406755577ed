import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  differenceOfLogitsRatio,
  margin,
  targetedDifferenceOfLogitsRatio,
  towards,
  type Loss,
} from '../../server/attack/losses.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

const logits = [1.5, -0.25, 3, 0.75, 2.25, -1, 0.5, 4.5, 1.25, -2];
const labels = Int32Array.of(2, 0);
const targets = Int32Array.of(3, 1);

const losses: [string, Loss, number[]][] = [
  // log Σ exp(zₖ − z_y)
  [
    'cross-entropy',
    crossEntropy(labels),
    [0, 1].map((row) =>
      Math.log(
        logits.slice(5 * row, 5 * row + 5).reduce((sum, z) => sum + Math.exp(z - logits[5 * row + labels[row]!]!), 0),
      ),
    ),
  ],
  ['margin', margin(labels), [2.25 - 3, 4.5 + 1]],
  ['dlr', differenceOfLogitsRatio(labels), [-(3 - 2.25) / (3 - 1.5), -(-1 - 4.5) / (4.5 - 0.5)]],
  ['towards a target', towards(labels, targets), [0.75 - 3, 0.5 + 1]],
  [
    'targeted dlr',
    targetedDifferenceOfLogitsRatio(labels, targets),
    [-(3 - 0.75) / (3 - (1.5 + 0.75) / 2), -(-1 - 0.5) / (4.5 - (0.5 - 1) / 2)],
  ],
];

describe.each(losses)('%s', (_, loss, expected) => {
  it('has the value of its equation', () => {
    const values = valuesOf(loss, logits);
    values.forEach((value, row) => expect(value).toBeCloseTo(expected[row]!, 3));
  });

  it('has the slope that central differences have, weighted by what comes to it', () => {
    const slopes = tf.tidy(() =>
      tf
        .grad((z) => loss(z as tf.Tensor2D))(tf.tensor2d(logits, [2, 5]), tf.tensor1d([1, -2]))
        .dataSync()
        .slice(),
    );
    const h = 1 / 64; // no order of logits changes, and float32 holds it
    for (let at = 0; at < logits.length; at++) {
      const moved = (by: number) =>
        valuesOf(
          loss,
          logits.map((z, index) => (index === at ? z + by : z)),
        );
      const row = Math.floor(at / 5);
      const difference = (moved(h)[row]! - moved(-h)[row]!) / (2 * h);
      expect(slopes[at]).toBeCloseTo(difference * [1, -2][row]!, 3);
    }
  });
});

describe('a loss of logits that are a thousand times as large', () => {
  it.each(losses.slice(1))('%s has a gradient of the same signs', (_, loss) => {
    const signs = (scale: number) =>
      tf.tidy(() => {
        const z = tf.tensor2d(
          logits.map((value) => value * scale),
          [2, 5],
        );
        return [...tf.sign(tf.grad((x) => loss(x as tf.Tensor2D))(z, tf.ones([2]))).dataSync()];
      });
    expect(signs(1000)).toEqual(signs(1));
    expect(signs(1)).toContain(1);
  });
});

it('says that dlr needs more classes than there are, and what to choose', () => {
  const two = tf.tensor2d([1, 2], [1, 2]);
  expect(() => differenceOfLogitsRatio(Int32Array.of(0))(two)).toThrow('this network has 2. Choose the loss margin.');
  two.dispose();
});

function valuesOf(loss: Loss, z: readonly number[]): number[] {
  return tf.tidy(() => [...loss(tf.tensor2d([...z], [2, 5])).dataSync()]);
}
