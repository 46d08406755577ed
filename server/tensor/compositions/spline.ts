// KafscopeSpline and its gradient: the four control points of each value's span are gathered, one tensor of the shape of x each.
import * as tf from '@tensorflow/tfjs-core';
import { splineBases, splineSpans, type SplineOptions } from '../ops/spline.ts';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';

interface Inputs {
  readonly x: tf.Tensor;
  readonly points: tf.Tensor2D;
}

export const splineKernels: readonly ComposedKernel[] = [
  composedKernel<Inputs, SplineOptions>('KafscopeSpline', ({ x, points }, options) => {
    const { u, places } = placeOf(x, points, options);
    const values = [0, 1, 2, 3].map((point) =>
      tf.tidy(() => tf.mul(weightAt(u, point, options), gatherPoints(points, places, point))),
    );
    return tf.reshape(tf.addN(values), x.shape);
  }),
  composedKernel<Inputs & { readonly dy: tf.Tensor }, SplineOptions>(
    'KafscopeSplineGrad',
    ({ dy, x, points }, options) => {
      const { u, places, isBeyond, perUnit } = placeOf(x, points, options);
      const upstream = asRows(dy, points.shape[0]);
      const slopes = [0, 1, 2, 3].map((point) =>
        tf.tidy(() => tf.mul(slopeAt(u, point, options), gatherPoints(points, places, point))),
      );
      const slope = tf.where(isBeyond, tf.zerosLike(u), tf.mul(tf.addN(slopes), perUnit));
      const dx = tf.reshape(tf.mul(upstream, slope), x.shape);
      if (options.gradients === 'input') return [dx, tf.zeros([0])];
      const sums = [0, 1, 2, 3].map((point) =>
        tf.tidy(() => {
          const terms = tf.reshape(tf.mul(upstream, weightAt(u, point, options)), [-1]);
          const ids = tf.reshape(tf.add(places, tf.scalar(point, 'int32')), [-1]) as tf.Tensor1D;
          return tf.unsortedSegmentSum(terms, ids, points.size);
        }),
      );
      return [dx, tf.reshape(tf.addN(sums), points.shape)];
    },
  ),
];

interface Places {
  /** `[rows, C]`, in [0, 1]. */
  readonly u: tf.Tensor2D;
  /** int32 `[rows, C]`: of the first of four control points, among those of all channels. */
  readonly places: tf.Tensor2D;
  readonly isBeyond: tf.Tensor2D;
  readonly perUnit: number;
}

function placeOf(x: tf.Tensor, points: tf.Tensor2D, { boundary }: SplineOptions): Places {
  const [nChannels, nPoints] = points.shape;
  const { nSpans, perUnit, middle } = splineSpans(nPoints, boundary);
  const position = tf.add(tf.mul(asRows(x, nChannels), perUnit), middle);
  const nearest = tf.minimum(tf.maximum(tf.floor(position), 0), nSpans - 1);
  const span = tf.where(tf.isNaN(position), tf.zerosLike(position), nearest);
  const starts = tf.mul(tf.range(0, nChannels, 1, 'int32'), tf.scalar(nPoints, 'int32'));
  return {
    u: tf.minimum(tf.maximum(tf.sub(position, span), 0), 1),
    places: tf.add(tf.cast(span, 'int32'), starts),
    isBeyond: tf.logicalOr(tf.less(position, 0), tf.greater(position, nSpans)),
    perUnit,
  };
}

/** By gatherND: through tfjs-node, gather takes twenty times as long (ARCHITECTURE.md). */
function gatherPoints(points: tf.Tensor2D, places: tf.Tensor2D, point: number): tf.Tensor {
  const indices = tf.expandDims(tf.add(places, tf.scalar(point, 'int32')), -1);
  return tf.gatherND(tf.reshape(points, [-1]), indices);
}

/** What the `point`-th control point of the span weighs: a column of uᵀB. */
function weightAt(u: tf.Tensor, point: number, { basis }: SplineOptions): tf.Tensor {
  const [cubic, square, linear, constant] = splineBases[basis].map((row) => row[point]!) as [
    number,
    number,
    number,
    number,
  ];
  return tf.add(tf.mul(tf.add(tf.mul(tf.add(tf.mul(u, cubic), square), u), linear), u), constant);
}

/** A column of u̇ᵀB. */
function slopeAt(u: tf.Tensor, point: number, { basis }: SplineOptions): tf.Tensor {
  const [cubic, square, linear] = splineBases[basis].map((row) => row[point]!) as [number, number, number, number];
  return tf.add(tf.mul(tf.add(tf.mul(u, 3 * cubic), 2 * square), u), linear);
}
