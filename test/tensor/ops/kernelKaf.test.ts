import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { kafKernelNames, kafKernels, type KafKernelName } from '../../../server/formula/kafKernels.ts';
import { kernelKaf, mixKernels } from '../../../server/tensor/ops/kernelKaf.ts';
import * as reference from '../../../server/tensor/reference/kernelKaf.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

interface Case {
  readonly kernels: readonly KafKernelName[];
  readonly rows: number;
  readonly channels: number;
  readonly dictionary: number;
  readonly boundary?: number;
  /** γΔ². */
  readonly q?: number;
  readonly base?: 'none' | 'swish';
  readonly reach?: number;
}

function kafCase({ kernels, rows, channels, dictionary, boundary = 3, q = 1 / 6, base = 'none', reach = 4 }: Case) {
  const gamma = q / ((2 * boundary) / (dictionary - 1)) ** 2;
  const shared = { kernels, boundary, gamma, base };
  return {
    x: awayFromElements(scatter(rows * channels, reach), dictionary, boundary),
    alpha: scatter(channels * kernels.length * dictionary, 1, 1),
    dy: scatter(rows * channels, 1, 2),
    options: { ...shared, gradients: 'all' as const },
    exact: { ...shared, channels, dictionary },
  };
}

/** Where a hinge bends, float32 and float64 may lie on different sides. */
function awayFromElements(x: Float32Array, dictionary: number, boundary: number): Float32Array {
  const step = (2 * boundary) / (dictionary - 1);
  return x.map((value) => {
    const places = (value + boundary) / step;
    return Math.abs(places - Math.round(places)) < 1e-4 ? value + step / 100 : value;
  });
}

function check({ x, alpha, dy, options, exact }: ReturnType<typeof kafCase>): void {
  const { channels, dictionary, kernels, boundary, gamma } = exact;
  const width = kernels.length * dictionary;
  const { y, gradients } = evaluateGradients(
    (xs: tf.Tensor, alphas: tf.Tensor2D) => kernelKaf(xs, alphas, options),
    [input(x, [x.length / channels, channels]), input(alpha, [channels, width])],
    dy,
  );
  const wanted = reference.kernelKafGradients(float64(dy), float64(x), float64(alpha), exact);
  const furthest = x.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const rises = kernels.some((name) => kafKernels[name].rise > 0);
  // Float32 sums of `width` terms of the size of the largest kernel; errors are a random walk but for a rise, which all share.
  const size = (rises ? furthest + boundary + 1 : 1) * width;
  const steepness = Math.max(1, Math.sqrt(2 * gamma));
  const wantedY = rounded(reference.kernelKaf(float64(x), float64(alpha), exact));
  expectClose(y, wantedY, { absolute: 1e-6 * size, relative: 1e-6 }, 'y');
  expectClose(gradients[0]!, rounded(wanted.dx), { absolute: 1e-6 * steepness * width, relative: 1e-6 }, 'dx');
  const rows = x.length / channels;
  const height = rises ? furthest + boundary + 1 : 1;
  expectClose(
    gradients[1]!,
    rounded(wanted.dalpha),
    { absolute: 1e-6 * (10 + rows) * height, relative: 1e-5 },
    'dalpha',
  );
}

const mixtures: readonly (readonly KafKernelName[])[] = [
  ...kafKernelNames.map((name) => [name]),
  ['gaussian', 'relu'],
  ['softplus', 'rational-quadratic', 'gaussian'],
];

describeOnEveryRuntime('KAF of other kernels', () => {
  it.each(mixtures.map((kernels) => [kernels.join(', '), kernels] as const))(
    'agrees with the reference in values and gradients: %s',
    (_, kernels) => {
      for (const [rows, channels, dictionary] of [
        [0, 3, 20],
        [1, 1, 20],
        [1, 5, 2],
        [67, 16, 20],
        [131, 33, 5],
        [40, 3, 64],
      ] as const) {
        for (const base of ['none', 'swish'] as const) check(kafCase({ kernels, rows, channels, dictionary, base }));
      }
    },
  );

  it.each(mixtures.map((kernels) => [kernels.join(', '), kernels] as const))(
    'agrees far outside the dictionary, up to a thousand times it: %s',
    (_, kernels) => {
      for (const reach of [12, 300, 3000]) check(kafCase({ kernels, rows: 60, channels: 4, dictionary: 20, reach }));
    },
  );

  it('agrees for any kernels, dictionary, bandwidth and shape', () => {
    fc.assert(
      fc.property(
        fc.record({
          kernels: fc.constantFrom(...mixtures),
          rows: fc.integer({ min: 0, max: 30 }),
          channels: fc.integer({ min: 1, max: 20 }),
          dictionary: fc.integer({ min: 2, max: 16 }),
          boundary: fc.double({ min: 0.5, max: 8, noNaN: true }),
          q: fc.double({ min: 0.1, max: 5, noNaN: true }),
          base: fc.constantFrom('none' as const, 'swish' as const),
          reach: fc.double({ min: 0.1, max: 20, noNaN: true }),
        }),
        (given) => {
          check(kafCase(given));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('agrees at bandwidths that no grid holds', () => {
    for (const q of [1e-8, 1e5])
      check(kafCase({ kernels: ['gaussian', 'relu'], rows: 9, channels: 2, dictionary: 5, q }));
  });

  it.each(mixtures.map((kernels) => [kernels.join(', '), kernels] as const))(
    'gives NaN for NaN, and the limit at ±Inf, without touching the neighbours: %s',
    (_, kernels) => {
      for (const base of ['none', 'swish'] as const) {
        const one = kafCase({ kernels, rows: 5, channels: 4, dictionary: 20, base });
        // Channel 1 holds the NaN, channels 2 and 3 the infinities, channel 0 none.
        one.x.set([NaN], 1);
        one.x.set([Infinity], 6);
        one.x.set([-Infinity], 11);
        check(one);
      }
    },
  );

  it('is a straight line of slope Σα far to the right of kernels that rise, and 0 to the left', () => {
    const { y } = evaluate(
      (x: tf.Tensor, alpha: tf.Tensor2D) =>
        kernelKaf(x, alpha, { kernels: ['relu'], boundary: 1, gamma: 1, base: 'none', gradients: 'all' }),
      [input([100, -100, 1e30, -1e30, Infinity, -Infinity], [6, 1]), input([2, -1, 0.5], [1, 3])],
    );
    const wanted = [2 * 101 - 100 + 0.5 * 99, 0, 1.5e30, 0, Infinity, 0];
    expectClose(y, Float32Array.from(wanted), { absolute: 1e-6, relative: 1e-6 }, 'y');
  });

  it('leaves out the gradient of alpha on request, and gives the same dx', () => {
    const { x, alpha, dy, options } = kafCase({
      kernels: ['gaussian', 'softplus'],
      rows: 7,
      channels: 3,
      dictionary: 5,
    });
    const inputs = [input(x, [7, 3]), input(alpha, [3, 10])];
    const onlyInput = { ...options, gradients: 'input' } as const;
    const all = evaluateGradients((xs: tf.Tensor, as: tf.Tensor2D) => kernelKaf(xs, as, options), inputs, dy);
    const { gradients } = evaluateGradients(
      (xs: tf.Tensor) => kernelKaf(xs, tf.tensor2d(alpha, [3, 10]), onlyInput),
      [inputs[0]!],
      dy,
    );
    expect(gradients[0]).toEqual(all.gradients[0]);
    expect(() =>
      evaluateGradients((xs: tf.Tensor, as: tf.Tensor2D) => kernelKaf(xs, as, onlyInput), inputs, dy),
    ).toThrow("kernelKaf: no gradient with respect to alpha under gradients: 'input'");
  });

  it('mixes kernels by weights, whose gradients pass to both', () => {
    const [alpha, mixture, dy] = [scatter(6, 1), scatter(4, 1, 1), scatter(12, 1, 2)];
    const { y, gradients } = evaluateGradients(
      (as: tf.Tensor2D, mus: tf.Tensor2D) => mixKernels(as, mus),
      [input(alpha, [2, 3]), input(mixture, [2, 2])],
      dy,
    );
    const [wanted, dalpha, dmixture] = [new Float32Array(12), new Float32Array(6), new Float32Array(4)];
    for (let channel = 0; channel < 2; channel++) {
      for (let m = 0; m < 2; m++) {
        for (let i = 0; i < 3; i++) {
          const at = channel * 6 + m * 3 + i;
          wanted[at] = alpha[channel * 3 + i]! * mixture[channel * 2 + m]!;
          dalpha[channel * 3 + i]! += dy[at]! * mixture[channel * 2 + m]!;
          dmixture[channel * 2 + m]! += dy[at]! * alpha[channel * 3 + i]!;
        }
      }
    }
    const tolerance = { absolute: 1e-6, relative: 1e-6 };
    expectClose(y, wanted, tolerance, 'y');
    expectClose(gradients[0]!, dalpha, tolerance, 'dalpha');
    expectClose(gradients[1]!, dmixture, tolerance, 'dmixture');
  });

  it('names a wrong shape or dtype', () => {
    const options = { kernels: ['relu', 'gaussian'], boundary: 3, gamma: 1, base: 'none', gradients: 'all' } as const;
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      expect(() => kernelKaf(x, tf.zeros([4, 20]), options)).toThrow(
        new RangeError('kernelKaf: expected alpha of shape [3, 20], got [4, 20]'),
      );
      expect(() => kernelKaf(x, tf.zeros([3, 21]), options)).toThrow(
        new RangeError('kernelKaf: expected alpha of shape [3, 20], got [3, 21]'),
      );
      expect(() => kernelKaf(x, tf.zeros([3, 2]), options)).toThrow(
        new RangeError('kernelKaf: expected a dictionary of at least 2 elements, got 2 coefficients for 2 kernels'),
      );
      expect(() => kernelKaf(tf.cast(x, 'int32'), tf.zeros([3, 20]), options)).toThrow(
        new TypeError('kernelKaf: expected x of dtype float32, got int32'),
      );
      expect(() => mixKernels(tf.zeros([3, 20]), tf.zeros([2, 2]))).toThrow(
        new RangeError('mixKernels: expected mixture of shape [3, 2], got [2, 2]'),
      );
    });
  });
});

describe('the reference of KAFs', () => {
  it('is a sum of kernels by hand', () => {
    const exact = { channels: 1, dictionary: 2, boundary: 1, gamma: 0.5, base: 'none' } as const;
    const at = (kernel: KafKernelName) => reference.kernelKaf([0.5], [1, 10], { ...exact, kernels: [kernel] })[0]!;
    expect(at('gaussian')).toBeCloseTo(Math.exp(-0.5 * 2.25) + 10 * Math.exp(-0.5 * 0.25), 12);
    expect(at('rational-quadratic')).toBeCloseTo(1 / (1 + 0.5 * 2.25) + 10 / (1 + 0.5 * 0.25), 12);
    expect(at('relu')).toBe(1.5);
    expect(at('softplus')).toBeCloseTo(Math.log1p(Math.exp(1.5)) + 10 * Math.log1p(Math.exp(-0.5)), 12);
  });
});
