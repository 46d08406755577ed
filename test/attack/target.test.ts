// What attacks see of a network, and what they make of it by hand: counts of passes, means over them, margins, momentum.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  differenceOfLogitsRatio,
  margin,
  order,
  targetedDifferenceOfLogitsRatio,
  type Loss,
} from '../../server/attack/losses.ts';
import { accumulate, pgd } from '../../server/attack/pgd.ts';
import { countTrue, marginsOf, predictionsOf, readCorrect } from '../../server/attack/predictions.ts';
import { Target } from '../../server/attack/target.ts';
import { Trial } from '../../server/attack/trial.ts';
import type { PlanOfAttack } from '../../server/protocol/attackTable.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';

const nothing = { forward: 0, backward: 0 };

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
  const gradient = () => tf.tensor3d([3, -1, 2, 2, 0, 0], [3, 2, 1]);
  const first = accumulate(gradient(), undefined, 0.5);
  expect([...first.dataSync()]).toEqual([0.75, -0.25, 0.5, 0.5, 0, 0]);
  const next = accumulate(gradient(), first, 0.5);
  expect([...next.dataSync()]).toEqual([1.125, -0.375, 0.75, 0.75, 0, 0]);
  tf.dispose([first, next]);
});

describe('PGD with a target', () => {
  const nClasses = 5;
  const epsilon = 0.01;
  const nImages = 12;
  /** Each is right, its classes in another order. */
  const logits = Array.from({ length: nImages }, (_, row) =>
    Array.from({ length: nClasses }, (__, k) => 0.1 + 0.2 * ((k * (1 + (row % 4)) + row) % nClasses)),
  );
  const labels = Int32Array.from(logits, (row) => row.indexOf(Math.max(...row)));
  const flat = tf.customGrad((...operands) => {
    const [x] = operands as unknown as [tf.Tensor];
    return { value: tf.reshape(x, [-1, nClasses]), gradFunc: (dy: tf.Tensor) => tf.reshape(dy, x.shape) };
  }) as unknown as (x: tf.Tensor) => tf.Tensor2D;

  /** Of each image which of its values one step has moved as far as it may, up or down: values are logits here. */
  function moved(given: Partial<PlanOfAttack<'pgd'>>) {
    const target = new Target({ forward: (x) => flat(x) }, { nClasses, shape: [1, 1, nClasses], passes: nothing });
    const x = tf.tensor4d(logits.flat(), [nImages, 1, 1, nClasses]);
    const trial = new Trial({ target, images: x, labels, seed: 1, first: 3, bounds: [0, 1] });
    trial.begin(0);
    const draws = uniformValues(nImages, 0, nClasses - 1, trial.key(2));
    const plan = attackPlan('pgd', { epsilon, stepSize: 3 * epsilon, steps: 1, ...given });
    let last = new Float32Array();
    const { logits: look } = target;
    target.logits = (images) => (last = look.call(target, images) as Float32Array<ArrayBuffer>);
    for (const _ of pgd(trial, plan, 0));
    trial.dispose();
    x.dispose();
    const signs = logits.map((row, at) =>
      row.map((value, k) => {
        const by = (last[at * nClasses + k]! - value) / epsilon;
        return Math.abs(Math.abs(by) - 1) < 1e-3 ? Math.sign(by) : 0;
      }),
    );
    return { signs, draws };
  }

  const towards = (targets: readonly number[]) =>
    targets.map((t, row) => logits[row]!.map((_, k) => (k === t ? 1 : k === labels[row] ? -1 : 0)));
  const ordered = logits.map((row) => row.map((_, k) => k).sort((a, b) => row[b]! - row[a]!));

  it('raises that and lowers the class of the label: the next, the least likely, or one of the others at random', () => {
    expect(moved({ target: 'next' }).signs).toEqual(towards(ordered.map((order) => order[1]!)));
    expect(moved({ target: 'least-likely' }).signs).toEqual(towards(ordered.map((order) => order.at(-1)!)));
    const { signs, draws } = moved({ target: 'random' });
    const further = [...draws].map((draw) => Math.floor(draw));
    expect(new Set(further).size).toBe(nClasses - 1);
    expect(signs).toEqual(towards(further.map((by, row) => (labels[row]! + 1 + by) % nClasses)));
  });

  it('moves others, too, under the ratio of differences', () => {
    const { signs } = moved({ target: 'next', loss: 'dlr' });
    expect(signs.every((row) => row.filter((sign) => sign !== 0).length > 2)).toBe(true);
  });
});

describe('losses of few or equal logits', () => {
  const lossOn = (z: readonly number[], of: (labels: Int32Array) => Loss, label: number) => {
    const labels = Int32Array.of(label);
    return tf.tidy(() => of(labels)(tf.tensor2d([...z], [1, z.length])).dataSync()[0]!);
  };

  it('need as many classes as they compare', () => {
    expect(lossOn([3, 2, 1], differenceOfLogitsRatio, 0)).toBeCloseTo(-1 / 2, 6);
    const towardsLast = (labels: Int32Array) => targetedDifferenceOfLogitsRatio(labels, Int32Array.of(3));
    expect(lossOn([4, 2, 1, 0], towardsLast, 0)).toBeCloseTo(-4 / 3.5, 6);
  });

  it('take the first of equal logits, and no label for another', () => {
    expect(order(Float32Array.of(1, 2, 1, 2, 1), 5)).toEqual([1, 3, 0, 2, 4]);
    expect(lossOn([3, 1, 2], margin, 0)).toBe(-1);
    const slopes = tf.tidy(() => [
      ...tf
        .grad((z) => margin(Int32Array.of(0))(z as tf.Tensor2D))(tf.tensor2d([[0, 2, 2]]))
        .dataSync(),
    ]);
    expect(slopes).toEqual([-1, 1, 0]);
  });
});
