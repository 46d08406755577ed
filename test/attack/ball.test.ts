// The set that an attack keeps to: where its starts lie, how far a step goes, and where it is put back.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startInBall, stepInBall, stepLinf } from '../../server/attack/ball.ts';
import { Target } from '../../server/attack/target.ts';
import { Trial } from '../../server/attack/trial.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

const norms = ['linf', 'l2'] as const;

/** Of so many images of two values, all of them right as they are. */
function trialOf(images: number[], { bounds = null }: { bounds?: Trial['bounds'] } = {}): Trial {
  const forward = (x: tf.Tensor) => tf.zeros([x.shape[0]!, 2]) as tf.Tensor2D;
  const target = new Target({ forward }, { nClasses: 2, shape: [2], passes: { forward: 0, backward: 0 } });
  const clean = tf.tensor2d(images, [images.length / 2, 2]);
  const labels = new Int32Array(images.length / 2);
  const trial = new Trial({ target, images: clean, labels, seed: 5, first: 0, bounds });
  clean.dispose();
  return trial;
}

const lengthOf = (norm: (typeof norms)[number], [a, b]: readonly number[]) =>
  norm === 'linf' ? Math.max(Math.abs(a!), Math.abs(b!)) : Math.hypot(a!, b!);

/** Offsets of starts from their images, a pair each. */
function starts(norm: (typeof norms)[number], draw = 0, n = 2000): number[][] {
  const trial = trialOf(Array.from({ length: 2 * n }, () => 10));
  const start = startInBall(trial, { norm, epsilon: 3 }, draw);
  const values = start.dataSync<'float32'>();
  tf.dispose(start);
  trial.dispose();
  return Array.from({ length: n }, (_, row) => [values[2 * row]! - 10, values[2 * row + 1]! - 10]);
}

describe.each(norms)('a start under %s', (norm) => {
  it('is drawn uniformly in the ball: each share of its volume gets that share of the starts', () => {
    const offsets = starts(norm);
    for (const share of [0.25, 0.5, 0.75]) {
      // Of a disk or a square the part within √share of the radius.
      const within = offsets.filter((offset) => lengthOf(norm, offset) <= 3 * Math.sqrt(share)).length;
      // Five standard deviations of a proportion of 2000.
      expect(Math.abs(within / 2000 - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / 2000));
    }
    for (const offset of offsets) expect(lengthOf(norm, offset)).toBeLessThanOrEqual(3 + 1e-5);
    const quadrants = [0, 0, 0, 0];
    for (const [a, b] of offsets) quadrants[(a! > 0 ? 1 : 0) + (b! > 0 ? 2 : 0)]!++;
    for (const count of quadrants) expect(Math.abs(count / 2000 - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / 2000));
  });

  it('is another for each draw', () => {
    const [first, second, third] = [0, 1, 2].map((draw) => starts(norm, draw, 8));
    expect(new Set([first, second, third].map((offsets) => JSON.stringify(offsets))).size).toBe(3);
  });

  it('is within what a sample may have', () => {
    const trial = trialOf([0, 1, 0.5, 0.5], { bounds: [0, 1] });
    for (const draw of [0, 1, 2, 3]) {
      const start = startInBall(trial, { norm, epsilon: 3 }, draw);
      for (const value of start.dataSync<'float32'>()) expect(Math.abs(value - 0.5)).toBeLessThanOrEqual(0.5);
      tf.dispose(start);
    }
    trial.dispose();
  });
});

it('a start’s length and its direction come from numbers of their own, in every draw', () => {
  const asked: number[] = [];
  const trial = trialOf([10, 10]);
  const { uniform, normal } = trial;
  trial.uniform = (draw, ...range) => {
    asked.push(draw);
    return uniform.call(trial, draw, ...range);
  };
  trial.normal = (draw, ...series) => {
    asked.push(draw);
    return normal.call(trial, draw, ...series);
  };
  for (const draw of [0, 1, 2, 3]) tf.dispose(startInBall(trial, { norm: 'l2', epsilon: 1 }, draw));
  expect(asked).toHaveLength(8);
  expect(new Set(asked).size).toBe(8);
  for (const draw of asked) expect(Number.isInteger(draw) && draw >= 0).toBe(true);
  trial.dispose();
});

describe('a step', () => {
  const step = (
    norm: (typeof norms)[number],
    gradient: number[],
    { from = [10, 10], stepSize = 0.5, bounds = null as Trial['bounds'] } = {},
  ) => {
    const trial = trialOf([10, 10], { bounds });
    const [x, g] = [tf.tensor2d(from, [1, 2]), tf.tensor2d(gradient, [1, 2])];
    const next = stepInBall(trial, { norm, epsilon: 2 }, { x, gradient: g, stepSize });
    const moved = [...next.dataSync<'float32'>()].map((value) => value - 10);
    tf.dispose([x, g, next]);
    trial.dispose();
    return moved;
  };
  const close = (found: number[], expected: number[]) => {
    found.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 5));
  };

  it('goes its size along the gradient’s sign under L∞, along the gradient itself under L2, however long that is', () => {
    close(step('linf', [3, -4]), [0.5, -0.5]);
    close(step('l2', [3, -4]), [0.3, -0.4]);
    close(step('l2', [3e-20, -4e-20]), [0.3, -0.4]);
    close(step('linf', [0, 2]), [0, 0.5]);
  });

  it('along no gradient stays where it is', () => {
    close(step('l2', [0, 0], { from: [10.5, 10.25] }), [0.5, 0.25]);
    close(step('linf', [0, 0], { from: [10.5, 10.25] }), [0.5, 0.25]);
  });

  it('that leaves the ball ends on it: on the face that it passed, or on the way back to the image', () => {
    close(step('linf', [3, -4], { stepSize: 7 }), [2, -2]);
    close(step('linf', [3, 0], { from: [10, 10.5], stepSize: 7 }), [2, 0.5]);
    close(step('l2', [3, -4], { stepSize: 7 }), [1.2, -1.6]);
    close(step('l2', [1, 0], { from: [11, 11.5], stepSize: 1 }), [1.6, 1.2]);
  });

  it('ends within what a sample may have', () => {
    close(step('l2', [3, -4], { stepSize: 7, bounds: [9, 11] }), [1, -1]);
  });
});

it('without bounds a step under L∞ is clipped to the ball about the clean sample alone', () => {
  const [x, clean, gradient] = [tf.tensor1d([5, 5, 5]), tf.tensor1d([4.5, 5, 9]), tf.tensor1d([2, -2, 1])];
  const next = stepLinf(x, clean, gradient, { stepSize: 1, epsilon: 0.75, bounds: null });
  expect([...next.dataSync()]).toEqual([5.25, 4.25, 8.25]);
  tf.dispose([x, clean, gradient, next]);
});
