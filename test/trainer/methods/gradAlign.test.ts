// GradAlign's penalty where gradients are 0, near 0 or longer than the others, on a network of one layer without a sum: every
// gradient is had by hand, in float64.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attackSpace } from '../../../server/attack/space.ts';
import type { Pass } from '../../../server/model/layer.ts';
import type { Network } from '../../../server/model/network.ts';
import { randomStreams } from '../../../server/model/randomStreams.ts';
import { gradAlign } from '../../../server/trainer/methods/gradAlign.ts';
import { openCpu } from '../tinyPlan.ts';

beforeAll(openCpu);

const nValues = 3;
const lambda = 0.7;
/** So small that nothing of the step on the attacked images hides the penalty's. */
const threat = { norm: 'linf', epsilon: 1e-3, stepSize: 1e-3 } as const;
type Row = readonly number[];
const zero: Row = [0, 0, 0];

interface Look {
  readonly images: readonly Row[];
  readonly pass: Pass;
}

interface Updated {
  readonly gradient: Row;
  readonly looks: readonly Look[];
}

/** ½·Σ w·x² of each image. */
const layer = tf.customGrad((...operands) => {
  const [x, w] = operands as unknown as [tf.Tensor4D, tf.Tensor1D];
  return {
    value: tf.reshape(tf.mul(tf.sum(tf.mul(tf.square(x), w), [1, 2, 3]), 0.5), [-1, 1]),
    gradFunc: (dy: tf.Tensor) => {
      const perImage = tf.reshape(dy, [-1, 1, 1, 1]);
      return [tf.mul(tf.mul(x, w), perImage), tf.sum(tf.mul(tf.mul(tf.square(x), 0.5), perImage), [0, 1, 2])];
    },
  };
}) as (x: tf.Tensor, w: tf.Tensor) => tf.Tensor2D;

const flat = tf.customGrad((...operands) => {
  const [logits] = operands as unknown as [tf.Tensor2D];
  return { value: tf.reshape(logits, [-1]), gradFunc: (dy: tf.Tensor) => tf.reshape(dy, [-1, 1]) };
}) as unknown as (logits: tf.Tensor2D) => tf.Tensor1D;

const lossOf = (logits: tf.Tensor2D): tf.Tensor1D => flat(logits);

/** With the loss ½·Σ w·x², so that ∇ₓ ℓ = w·x, ∇_w ℓ = ½·x², and the slope of the latter along v is v·x, by any difference. */
function update(images: readonly Row[], weights: Row, through: 'random' | 'both' = 'random'): Updated {
  const before = tf.memory().numTensors;
  const looks: Look[] = [];
  const variable = tf.tidy(() => tf.variable(tf.tensor1d([...weights])));
  const network = {
    parameters: [{ name: 'w', variable }],
    forward: (x: tf.Tensor4D, pass: Pass) => {
      looks.push({ images: (x.arraySync() as number[][][][]).map((image) => image.flat(2)), pass });
      return layer(x, variable);
    },
  } as unknown as Network;
  const method = gradAlign(
    {
      ...{ network, threat, seed: 1, lossOf, attackLossOf: lossOf, penalties: { dense: 0, convolution: 0 } },
      ...{ space: attackSpace(network, { columns: null }), batchSize: images.length, sampleShape: [1, 1, nValues] },
    },
    { type: 'gradalign', lambda, through, statistics: 'batch' },
  );
  const batch = {
    images: tf.tensor4d(images.flat(), [images.length, 1, 1, nValues]),
    labels: tf.zeros<tf.Rank.R1>([images.length], 'int32'),
  };
  const computed = method.update(batch, { step: 1 });
  const gradient = [...computed.gradients[0]!.dataSync()];
  computed.dispose();
  variable.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return { gradient, looks };
}

const lengthOf = (row: Row): number => Math.hypot(...row);
const dot = (a: Row, b: Row): number => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
const times = (a: Row, b: Row): Row => a.map((value, index) => value * b[index]!);

/** ∂/∂g′ of λ·(1 − cos) of each, over the mean of the images where neither gradient is 0. */
function slopes(gradients: readonly Row[], gradientsThere: readonly Row[]): Row[] {
  const isUsable = gradients.map((g, index) => lengthOf(g) * lengthOf(gradientsThere[index]!) > 0);
  const n = isUsable.filter(Boolean).length;
  return gradients.map((g, index) => {
    if (!isUsable[index]) return zero;
    const there = gradientsThere[index]!;
    const [length, lengthThere] = [lengthOf(g), lengthOf(there)];
    const cosine = dot(g, there) / (length * lengthThere);
    return g.map(
      (value, axis) => ((-lambda / n) * (value / length - (cosine * there[axis]!) / lengthThere)) / lengthThere,
    );
  });
}

/** What is longer than ten times the median of those above 0, of an even number the upper one, is as long as that. */
function shortened(rows: readonly Row[]): Row[] {
  const lengths = rows.map(lengthOf);
  const positive = lengths.filter((length) => length > 0).sort((a, b) => a - b);
  const most = 10 * (positive[Math.floor(positive.length / 2)] ?? 0);
  return rows.map((row, index) => row.map((value) => value * Math.min(1, most / (lengths[index]! || 1))));
}

/** The gradient of the loss on the attacked images and of the penalty. @param looks of the passes, in order */
function expected({ looks }: Updated, weights: Row, through: 'random' | 'both' = 'random'): Row {
  const [clean, random, attacked] = looks.map(({ images }) => images);
  const [g, gThere] = [clean!, random!].map((rows) => rows.map((row) => times(weights, row)));
  const ofLoss = attacked!.map((row) => row.map((value) => value ** 2 / (2 * attacked!.length)));
  const along = (rows: readonly Row[], v: readonly Row[]) => shortened(v).map((row, index) => times(row, rows[index]!));
  const parts = [
    ...ofLoss,
    ...along(random!, slopes(g!, gThere!)),
    ...(through === 'both' ? along(clean!, slopes(gThere!, g!)) : []),
  ];
  return zero.map((_, axis) => parts.reduce((sum, part) => sum + part[axis]!, 0));
}

function expectGradient(given: Row, wanted: Row): void {
  // Of a difference of squares below 1 in float32 over twice its way.
  const allowed = 2e-4 * Math.max(...wanted.map(Math.abs));
  given.forEach((value, axis) => {
    expect(Math.abs(value - wanted[axis]!), `${value} for ${wanted[axis]!}`).toBeLessThanOrEqual(allowed);
  });
}

const weights = [1, -0.7, 0.4];
const usual: readonly Row[] = [
  [3e-3, 1e-3, 2e-3],
  [1e-3, 4e-3, 2e-3],
  [2e-3, 2e-3, 5e-3],
];
/** So much farther from 0 than a start in the ball is that their gradients turn little there, and that of another image much. */
const far = usual.map((row) => row.map((value) => 20 * value));
const nearZero: Row = [1e-6, 0, 1e-6];
const ways = ['random', 'both'] as const;

describe('the penalty of GradAlign', () => {
  it.each([
    ['an image without a gradient', [...usual, zero]],
    ['two of three without one', [usual[0]!, zero, zero]],
    ['all with one', usual],
    ['one that is its own median', [usual[1]!]],
    ['two that turn much more than three others', [...far, nearZero, nearZero]],
    ['one that turns much more than three others, and one without a gradient', [nearZero, zero, ...far]],
  ] as const)('is that of the images with a gradient, the longest shortened: of %s', (_, images) => {
    for (const through of ways) {
      const updated = update(images, weights, through);
      expectGradient(updated.gradient, expected(updated, weights, through));
    }
  });

  it('is nothing where no image has a gradient', () => {
    for (const through of ways) {
      const images = [[0.2, 0.5, 0.9], zero];
      const { gradient } = update(images, zero, through);
      zero.forEach((_, axis) => {
        expect(gradient[axis]).toBeCloseTo(images[0]![axis]! ** 2 / 4, 6);
      });
    }
  });

  it('is nothing of an image with one gradient, even where that is 1 long', () => {
    const images = Array.from({ length: 9 }, () => zero);
    const starts = update(images, weights).looks[1]!.images.map(([first]) => first!);
    const steep = starts.map((start) => Math.fround(1 / start));
    const index = starts.findIndex((start, at) => Math.fround(start * steep[at]!) === 1);
    const { gradient } = update(images, [steep[index]!, 0, 0]);
    expect(gradient.every((value) => Math.abs(value) < 1e-6)).toBe(true);
  });

  it('is a difference 0.05 to both sides of the image that moves the most, by passes as its gradient’s, each with a key of its own', () => {
    const { looks } = update([...far, nearZero, zero], weights, 'both');
    expect(looks).toHaveLength(7);
    const [clean, random, , ...sides] = looks as [Look, Look, Look, Look, Look, Look, Look];
    for (const [from, ahead, behind] of [
      [random, sides[0], sides[1]],
      [clean, sides[2], sides[3]],
    ] as const) {
      for (const [side, sign] of [
        [ahead, 1],
        [behind, -1],
      ] as const) {
        const moves = side.images.map((row, index) => row.map((value, axis) => value - from.images[index]![axis]!));
        expect(Math.max(...moves.map(lengthOf))).toBeCloseTo(0.05, 6);
        expect(side.pass).toEqual({ ...from.pass, gradients: 'all', batchStatistics: null });
        expect(Math.sign(moves[0]![0]!)).toBe(sign * Math.sign(ahead.images[0]![0]! - from.images[0]![0]!));
      }
    }
    expect([clean, random].map(({ pass }) => [pass.mode, pass.key?.stream])).toEqual([
      ['training', randomStreams.attackDropout],
      ['training', randomStreams.laterAttackDropout + 65_536],
    ]);
  });
});
