import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { spline, type SplineBasis } from '../../../server/tensor/ops/spline.ts';
import * as reference from '../../../server/tensor/reference/spline.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const bases = ['catmull-rom', 'b-spline'] as const satisfies readonly SplineBasis[];
/** Beyond ±(boundary − Δ), where the curve ends, too. */
const reach = 4;
const boundary = 3;

interface Case {
  readonly basis: SplineBasis;
  readonly shape: readonly [nRows: number, nChannels: number];
  readonly nPoints: number;
  readonly x: Float32Array;
  readonly points: Float32Array;
  readonly dy: Float32Array;
}

function makeCase(basis: SplineBasis, shape: readonly [number, number], nPoints: number): Case {
  const size = shape[0] * shape[1];
  const end = boundary - (2 * boundary) / (nPoints - 1);
  return {
    ...{ basis, shape, nPoints },
    // The slope jumps where the curve ends: rounding must not decide on which side an x is.
    x: scatter(size, reach).map((x) => (Math.abs(Math.abs(x) - end) < 1e-4 ? 0 : x)),
    points: scatter(shape[1] * nPoints, 1, 1),
    dy: scatter(size, 1, 2),
  };
}

function apply({ basis }: Pick<Case, 'basis'>): (x: tf.Tensor, points: tf.Tensor2D) => tf.Tensor {
  return (x, points) => spline(x, points, { boundary, basis, gradients: 'all' });
}

function check(one: Case): void {
  const { basis, shape, nPoints, x, points, dy } = one;
  const { y, gradients } = evaluateGradients(apply(one), [input(x, shape), input(points, [shape[1], nPoints])], dy);
  const options = { channels: shape[1], boundary, basis };
  const [xs, qs, dys] = [float64(x), float64(points), float64(dy)];
  const exact = reference.splineGradients(dys, xs, qs, options);
  // A position among Q spans is good to Q·6e-8 in float32; a span's slope in u is at most 2.5·max|q|, its curvature 10.
  const position = 1.2e-7 * nPoints;
  expectClose(y, rounded(reference.spline(xs, qs, options)), { absolute: 1e-6 + 2.5 * position, relative: 0 }, 'y');
  const perUnit = (nPoints - 1) / (2 * boundary);
  const slope = { absolute: perUnit * (2e-6 + 10 * position), relative: 0 };
  expectClose(gradients[0]!, rounded(exact.dx), slope, 'dx');
  // Sums over rows of weights up to 1 with slopes up to 1.5; errors add up like a walk.
  const sums = { absolute: (5e-7 + 1.5 * position) * (2 + Math.sqrt(shape[0])), relative: 2e-6 };
  expectClose(gradients[1]!, rounded(exact.dpoints), sums, 'dpoints');
}

describeOnEveryRuntime('spline', () => {
  it.each(bases)('%s agrees with the reference in values and gradients, tails and blocks included', (basis) => {
    for (const [nRows, nChannels] of [
      [0, 3],
      [1, 1],
      [3, 3],
      [5, 4],
      [7, 5],
      [300, 7],
      [1030, 32],
      [2, 128],
    ] as const) {
      check(makeCase(basis, [nRows, nChannels], 21));
    }
  });

  it.each(bases)('%s agrees for any shape and number of points, and keeps the shape', (basis) => {
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        size,
        fc.integer({ min: 4, max: 64 }),
        (nRows, nChannels, nPoints) => {
          check(makeCase(basis, [nRows, nChannels], nPoints));
        },
      ),
      { numRuns: 20 },
    );
    const one = makeCase(basis, [12, 5], 4);
    const { shape } = evaluate(apply(one), [input(one.x, [2, 3, 2, 5]), input(one.points, [5, 4])]);
    expect(shape).toEqual([2, 3, 2, 5]);
  });

  it('goes through the control points by Catmull-Rom, and keeps straight lines straight by either basis', () => {
    // Knots at −3, −2, …, 3: all numbers are exact.
    const line = Float32Array.of(-6, -4, -2, 0, 2, 4, 6);
    const knots = Float32Array.of(-2, -1, 0, 1, 2);
    const bent = Float32Array.of(5, 1, -2, 0.5, 3, -1, 7);
    const at = (basis: SplineBasis, points: Float32Array, x: Float32Array) =>
      evaluate(apply({ basis }), [input(x, [x.length, 1]), input(points, [1, 7])]).y;
    expect(at('catmull-rom', bent, knots)).toEqual(bent.slice(1, 6));
    for (const basis of bases) {
      const x = Float32Array.of(-2, -1.25, 0.5, 1.75, 2);
      expectClose(
        at(basis, line, x),
        x.map((value) => 2 * value),
        { absolute: 1e-6, relative: 0 },
        basis,
      );
    }
  });

  it.each(bases)('%s keeps its value beyond the outermost spans, to infinity, where its slope is 0', (basis) => {
    const points = scatter(8, 1);
    const at = (x: number) => {
      const inputs = [input([x], [1, 1]), input(points, [1, 8])];
      const { y, gradients } = evaluateGradients(apply({ basis }), inputs, Float32Array.of(1));
      return { y: y[0]!, slope: gradients[0]![0]!, pull: gradients[1]! };
    };
    // Seven steps of 6/7 from −3 to 3; the outermost spans end a step before.
    for (const sign of [-1, 1]) {
      const within = at(sign * (3 - 6 / 7 - 1e-6));
      for (const x of [3 - 6 / 7 + 1e-3, 3, 100, 3e38, Infinity]) {
        const beyond = at(sign * x);
        // 1e-6 of x before the end, at a slope of at most 3.
        expectClose(
          Float32Array.of(beyond.y),
          Float32Array.of(within.y),
          { absolute: 1e-5, relative: 0 },
          `y(${String(sign * x)})`,
        );
        expectClose(beyond.pull, within.pull, { absolute: 1e-5, relative: 0 }, `pull(${String(sign * x)})`);
        expect(beyond.slope).toBe(0);
      }
      expect(Math.abs(within.slope)).toBeGreaterThan(1e-3);
    }
  });

  it.each(bases)('%s gives NaN for NaN, and leaves the other channels alone', (basis) => {
    const one = makeCase(basis, [5, 3], 9);
    one.x[4] = NaN;
    check(one);
  });

  it('leaves out the gradient of the points on request, and gives the same dx', () => {
    const { x, points, dy } = makeCase('b-spline', [7, 3], 6);
    const op = (gradients: 'all' | 'input') => (xs: tf.Tensor, qs: tf.Tensor2D) =>
      spline(xs, qs, { boundary, basis: 'b-spline', gradients });
    const dxOf = (gradients: 'all' | 'input') =>
      evaluateGradients((xs: tf.Tensor) => op(gradients)(xs, tf.tensor2d(points, [3, 6])), [input(x, [7, 3])], dy)
        .gradients[0];
    expect(dxOf('input')).toEqual(dxOf('all'));
    expect(() => evaluateGradients(op('input'), [input(x, [7, 3]), input(points, [3, 6])], dy)).toThrow(
      "spline: no gradient with respect to points under gradients: 'input'",
    );
  });

  it('names a wrong shape, number, boundary or dtype', () => {
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      const options = { boundary: 3, basis: 'b-spline', gradients: 'all' } as const;
      expect(() => spline(x, tf.zeros([4, 5]), options)).toThrow(
        new RangeError('spline: expected points of shape [3, 5], got [4, 5]'),
      );
      expect(() => spline(x, tf.zeros([3]) as unknown as tf.Tensor2D, options)).toThrow(
        new RangeError('spline: expected points of rank 2, got shape [3]'),
      );
      expect(() => spline(x, tf.zeros([3, 3]), options)).toThrow(
        new RangeError('spline: expected at least 4 points a channel, got 3'),
      );
      for (const wrong of [0, -1, NaN, Infinity]) {
        expect(() => spline(x, tf.zeros([3, 5]), { ...options, boundary: wrong })).toThrow(
          new RangeError(`spline: expected a positive boundary, got ${String(wrong)}`),
        );
      }
      expect(() => spline(tf.scalar(1), tf.zeros([1, 5]), options)).toThrow(
        new RangeError('spline: expected x with at least one axis, got a scalar'),
      );
      expect(() => spline(tf.cast(x, 'int32'), tf.zeros([3, 5]), options)).toThrow(
        new TypeError('spline: expected x of dtype float32, got int32'),
      );
    });
  });
});
