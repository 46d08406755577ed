// What attacks see of a network, and what they make of it by hand: counts of passes, means over them, margins, momentum.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accumulate } from '../../server/attack/pgd.ts';
import { countTrue, marginsOf, predictionsOf, readCorrect } from '../../server/attack/predictions.ts';
import { Target } from '../../server/attack/target.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

/** Logits x·k of the k-th look at images of two values. */
function growing() {
  let nLooks = 0;
  const times = tf.customGrad((...operands) => {
    const [x] = operands as unknown as [tf.Tensor];
    const factor = ++nLooks;
    return { value: tf.mul(x, factor), gradFunc: (dy: tf.Tensor) => tf.mul(dy, factor) };
  });
  return { forward: (x: tf.Tensor) => times(x) as tf.Tensor2D };
}

/** The sum of an image's logits. */
const sum = tf.customGrad((...operands) => {
  const [logits] = operands as unknown as [tf.Tensor2D];
  return {
    value: tf.sum(logits, 1),
    gradFunc: (dy: tf.Tensor) => tf.mul(tf.reshape(dy, [-1, 1]), tf.onesLike(logits)),
  };
}) as unknown as (logits: tf.Tensor2D) => tf.Tensor1D;
const loss = (logits: tf.Tensor2D) => sum(logits);

const images = Float32Array.of(1, 2, 3, 5, 0, -1);
const targetOf = () => new Target(growing(), { nClasses: 2, shape: [2], passes: { forward: 10, backward: 20 } });

describe('a target', () => {
  it('counts each image of each pass, on top of those that were before, with those of a network beside it', () => {
    const target = targetOf();
    expect([...target.logits(images)]).toEqual([...images]);
    expect(target.passes).toEqual({ forward: 13, backward: 20 });
    const { gradient, logits, losses } = target.differentiate(images, loss);
    expect([[...gradient], [...logits], [...losses]]).toEqual([
      [2, 2, 2, 2, 2, 2],
      [2, 4, 6, 10, 0, -2],
      [6, 16, -2],
    ]);
    expect(target.passes).toEqual({ forward: 16, backward: 23 });
    const x = tf.tensor2d([1, 1], [1, 2]);
    const beside = target.beside(growing());
    beside.differentiate(x, loss).gradient.dispose();
    beside.logits(x);
    x.dispose();
    expect(target.passes).toEqual({ forward: 18, backward: 24 });
  });

  it('expects the mean of losses and gradients over passes, and the last logits', () => {
    const target = targetOf();
    const { gradient, losses, logits } = target.expect(images, loss, 3);
    expect([...gradient]).toEqual([2, 2, 2, 2, 2, 2]);
    expect([...losses]).toEqual([6, 16, -2]);
    expect([...logits]).toEqual([3, 6, 9, 15, 0, -3]);
    expect(target.passes).toEqual({ forward: 19, backward: 29 });
    expect([...target.expect(images, loss, 1).gradient]).toEqual([4, 4, 4, 4, 4, 4]);
  });
});

describe('read off logits', () => {
  const logits = Float32Array.of(1, 3, 2, 5, 5, 0, -1, -4, -2);

  it('predictions are the largest, of equal ones the first', () => {
    expect([...predictionsOf(logits, 3)]).toEqual([1, 0, 0]);
    expect([...predictionsOf(new Float32Array(), 0)]).toEqual([]);
    const rows = tf.tensor2d(logits, [3, 3]);
    expect(readCorrect(rows, Int32Array.of(1, 1, 0))).toEqual([true, false, true]);
    rows.dispose();
    expect(countTrue([true, false, true])).toBe(2);
  });

  it('margins are those to the largest other', () => {
    expect([...marginsOf(logits, Int32Array.of(1, 2, 1))]).toEqual([1, -5, -3]);
    expect([...marginsOf(logits, Int32Array.of(0, 0, 0))]).toEqual([-2, 0, 1]);
  });
});

it('momentum adds the gradient, as long as 1 by its sum, to what is left of the last direction', () => {
  const gradient = () => tf.tensor3d([3, -1, 0, 0], [2, 2, 1]);
  const first = accumulate(gradient(), undefined, 0.5);
  expect([...first.dataSync()]).toEqual([0.75, -0.25, 0, 0]);
  const next = accumulate(gradient(), first, 0.5);
  expect([...next.dataSync()]).toEqual([1.125, -0.375, 0, 0]);
  tf.dispose([first, next]);
});
