import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { convolve, multiply } from '../../server/model/linear.ts';
import { averagePool, flatten, globalAveragePool, maxPool } from '../../server/model/pooling.ts';
import { besideZero, concatenate, residual } from '../../server/model/joins.ts';
import { makeDropout, type Pass } from '../../server/model/layer.ts';
import type { Padding } from '../../server/protocol/plan.ts';
import { dropout } from '../../server/tensor/ops/dropout.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

const maxPool2 = maxPool({ size: 2, stride: 2, padding: 'valid' });
const plain = { tiles: 1, scale: null } as const;
const pass: Pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null };

/** Distinct values without ties, so that a small change moves no maximum. */
function values(shape: number[], seed: number): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const order = Float32Array.from(
    { length: size },
    (_, index) => (((index * 7919 + seed * 31) % 1009) / 1009 - 0.5) * 2,
  );
  return tf.tensor(order, shape);
}

/** Compares ∇⟨f(…), weights⟩ with central differences (step 1e-2; f is linear or piecewise so, so float32 rounding decides). */
function expectGradients(inputs: tf.Tensor[], f: (...inputs: tf.Tensor[]) => tf.Tensor, shape: number[]): void {
  const weights = values(shape, 5);
  const gradients = tf.grads(f)(inputs, weights);
  const step = 1e-2;
  inputs.forEach((input, position) => {
    const start = input.dataSync().slice();
    const gradient = gradients[position]!.dataSync();
    for (let index = 0; index < start.length; index += Math.max(1, Math.floor(start.length / 25))) {
      const at = (shift: number) => {
        const moved = start.slice();
        moved[index]! += shift;
        const changed = inputs.map((other, i) => (i === position ? tf.tensor(moved, input.shape) : other));
        return tf.tidy(() => tf.sum(tf.mul(f(...changed), weights)).dataSync()[0]!);
      };
      const difference = (at(step) - at(-step)) / (2 * step);
      // Sums of up to 500 terms of size 1 in float32, divided by 2e-2.
      expect(Math.abs(difference - gradient[index]!)).toBeLessThan(2e-3);
    }
  });
}

describe('gradients', () => {
  const x = () => values([2, 5, 4, 3], 1);
  const kernel = () => values([3, 3, 3, 4], 2);
  const bias = () => values([4], 3);

  it('of a convolution are right for input, kernel and bias at once', () => {
    expectGradients([x(), kernel(), bias()], (...of) => convolution(of, 'both'), [2, 5, 4, 4]);
  });

  it('of a convolution are right for the input alone, and for the parameters alone', () => {
    const fixed = { x: x(), kernel: kernel(), bias: bias() };
    expectGradients([x()], (own) => convolution([own!, fixed.kernel, fixed.bias], 'input'), [2, 5, 4, 4]);
    expectGradients([kernel(), bias()], (k, b) => convolution([fixed.x, k!, b!], 'parameters'), [2, 5, 4, 4]);
  });

  it('of a convolution at stride 2 are right on odd and even sides, of 3×3 and 1×1 kernels', () => {
    const point = values([1, 1, 3, 4], 2);
    for (const k of [kernel(), point]) {
      expectGradients([x(), k, bias()], (...of) => convolution(of, 'both', 2), [2, 3, 2, 4]);
    }
  });

  it('of a sum of two ways are right, also where one is the input itself and where its gradient is used again', () => {
    const doubled = residual(
      (own) => flatten(residual(maxPool2, maxPool2, plain)(own, pass), pass),
      (own) => flatten(maxPool2(own, pass), pass),
      plain,
    );
    expectGradients([values([2, 4, 6, 3], 1)], (own) => doubled(own!, pass), [2, 18]);
    const k = values([3, 3, 3, 3], 2);
    const fixed = values([3], 3);
    const block = residual(
      (own) => convolution([own, k, fixed], 'input'),
      (own) => own,
      plain,
    );
    expectGradients([x()], (own) => block(block(own!, pass), pass), [2, 5, 4, 3]);
  });

  it('of a dense product are right for input, kernel and bias', () => {
    expectGradients(
      [values([3, 6], 1), values([6, 4], 2), values([4], 3)],
      (a, k, b) => multiply(a as tf.Tensor2D, k as tf.Tensor2D, b as tf.Tensor1D, 'both'),
      [3, 4],
    );
  });

  it('of pooling and flattening are right', () => {
    expectGradients([values([2, 4, 6, 3], 1)], (own) => maxPool2(own!, pass), [2, 2, 3, 3]);
    expectGradients([values([2, 4, 3, 5], 1)], (own) => globalAveragePool(own!, pass), [2, 5]);
    expectGradients([values([2, 2, 3, 2], 1)], (own) => flatten(own!, pass), [2, 12]);
  });

  it.each([
    ['max', maxPool],
    ['average', averagePool],
  ])('of %s pooling are right for any window, stride and padding', (_, pooling) => {
    const ofMap = (size: number, stride: number, padding: Padding, shape: number[]) => {
      expectGradients([x()], (own) => pooling({ size, stride, padding })(own!, pass), shape);
    };
    ofMap(3, 2, 'same', [2, 3, 2, 3]);
    ofMap(3, 1, 'valid', [2, 3, 2, 3]);
    ofMap(2, 1, 'same', [2, 5, 4, 3]);
  });

  it.each([1, 3, 5, 7])('of a convolution of %i×%i without padding or bias are right', (size) => {
    const map = values([1, 8, 7, 2], 1);
    const filter = values([size, size, 2, 3], 2);
    for (const stride of [1, 2]) {
      const sides = [8, 7].map((length) => Math.floor((length - size) / stride) + 1);
      const unpadded = (a: tf.Tensor, k: tf.Tensor) =>
        convolve(a as tf.Tensor4D, k as tf.Tensor4D, null, { stride, padding: 'valid', differentiated: 'both' });
      expectGradients([map, filter], (a, k) => unpadded(a!, k!), [1, ...sides, 3]);
    }
  });

  it('of ways side by side are right, also of one that is the input itself', () => {
    const fixed = [kernel(), bias()];
    const ways = concatenate([
      (own) => own,
      (own) => convolution([own, ...fixed], 'input'),
      (own) => averagePool({ size: 3, stride: 1, padding: 'same' })(own, pass),
    ]);
    expectGradients([x()], (own) => ways(own!, pass), [2, 5, 4, 10]);
  });

  it('of a scaled branch are right for the factor as well, of a tiled skip for what is tiled', () => {
    const training: Pass = { ...pass, mode: 'training', gradients: 'all' };
    const scaled = (factor: tf.Tensor) =>
      residual(
        (own) => maxPool({ size: 3, stride: 1, padding: 'same' })(own, pass),
        (own) => own,
        { tiles: 1, scale: factor as tf.Tensor1D },
      );
    const half = tf.tensor1d([0.5]);
    expectGradients([x(), half], (own, factor) => scaled(factor!)(own!, training), [2, 5, 4, 3]);
    expectGradients([x()], (own) => scaled(half)(own!, pass), [2, 5, 4, 3]);
    const [wide, zeros] = [values([3, 3, 3, 6], 2), tf.zeros([6])];
    const tiled = residual(
      (own) => convolution([own, wide, zeros], 'input'),
      (own) => own,
      { tiles: 2, scale: null },
    );
    expectGradients([x()], (own) => tiled(own!, pass), [2, 5, 4, 6]);
  });

  it('of the parameters are not computed in an attack, nor of the first layer’s input in training', () => {
    const [k, b] = [kernel(), bias()];
    const kernels = kernelsRun(() => {
      tf.grad((own) => convolution([own, k, b], 'input'))(x()).dispose();
    });
    expect(kernels).toContain('Conv2DBackpropInput');
    expect(kernels).not.toContain('Conv2DBackpropFilter');
    const images = x();
    const inTraining = kernelsRun(() => {
      tf.dispose(tf.grads((...own) => convolution([images, ...own], 'parameters'))([k, b]));
    });
    expect(inTraining).toContain('Conv2DBackpropFilter');
    expect(inTraining).not.toContain('Conv2DBackpropInput');
  });
});

describe('a residual sum', () => {
  it('adds the skip, side by side as often as maxout has maps, to the scaled branch', () => {
    const ones = tf.ones([1, 2]);
    const branch = () => tf.tensor2d([[1, 2, 3, 4]]);
    const y = residual(branch, (own) => own, { tiles: 2, scale: tf.tensor1d([10]) })(ones, pass);
    expect([...y.dataSync()]).toEqual([11, 21, 31, 41]);
  });
});

describe('one value of two classes', () => {
  it('is the logit of the second beside 0, so that its softmax is the logistic function, and has that slope', () => {
    const z = tf.tensor2d([-1, 0.5], [2, 1]);
    const logits = besideZero(z, pass) as tf.Tensor2D;
    expect([...logits.dataSync()]).toEqual([0, -1, 0, 0.5]);
    const weights = tf.tensor2d([3, 5, 7, 11], [2, 2]);
    expect([
      ...tf
        .grad((own) => besideZero(own, pass))(z, weights)
        .dataSync(),
    ]).toEqual([5, 11]);
  });
});

describe('average pooling', () => {
  it('takes the mean of the pixels that are there, at an edge of fewer', () => {
    const y = averagePool({ size: 2, stride: 2, padding: 'same' })(
      tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]),
      pass,
    );
    expect([...y.dataSync()]).toEqual([3, 4.5, 7.5, 9]);
  });
});

describe('globalAveragePool', () => {
  it('is the mean over height and width', () => {
    const x = values([2, 4, 3, 5], 1);
    const mean = tf.mean(x, [1, 2]).dataSync();
    globalAveragePool(x, pass)
      .dataSync()
      .forEach((value, index) => expect(value).toBeCloseTo(mean[index]!, 6));
  });
});

function convolution(of: tf.Tensor[], differentiated: 'input' | 'parameters' | 'both', stride = 1): tf.Tensor {
  const [x, kernel, bias] = of as [tf.Tensor4D, tf.Tensor4D, tf.Tensor1D];
  return convolve(x, kernel, bias, { stride, padding: 'same', differentiated });
}

function kernelsRun(work: () => void): string[] {
  const names: string[] = [];
  const engine = tf.engine();
  const run = engine.runKernel.bind(engine);
  engine.runKernel = ((name: string, ...rest: [tf.NamedTensorMap, tf.NamedAttrMap]) => {
    names.push(name);
    return run(name, ...rest);
  }) as typeof engine.runKernel;
  try {
    work();
  } finally {
    engine.runKernel = run;
  }
  return names;
}

it('dropout draws by each layer’s own stream in training alone, and nothing at a rate of 0', () => {
  const x = values([4, 5], 1);
  const key = { seed: 1, stream: 40, counter: 2 };
  const training: Pass = { ...pass, mode: 'training', key };
  const expected = dropout(x, 0.5, { ...key, stream: 43 });
  expect(makeDropout(0.5, 3)(x, training).dataSync()).toEqual(expected.dataSync());
  expect(makeDropout(0.5, 3)(x, { ...training, mode: 'inference' })).toBe(x);
  expect(makeDropout(0, 3)(x, { ...training, key: null })).toBe(x);
});
