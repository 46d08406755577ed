// Spline activation functions: cubic, on uniform knots, the control points of each channel trained. Where they start is the
// model's.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectFloats, expectRank, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { trainedGradient } from './trainedGradient.ts';

export interface SplineOptions {
  /** The first and the last of the evenly spread knots are at ±boundary. */
  readonly boundary: number;
  readonly basis: SplineBasis;
  /** `input` leaves out the gradient with respect to the control points, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/** `catmull-rom` goes through its control points and is once differentiable, `b-spline` near them and twice. */
export type SplineBasis = 'catmull-rom' | 'b-spline';

/**
 * f(x) = uᵀB·[q_{i−1}, q_i, q_{i+1}, q_{i+2}] with uᵀ = [u³, u², u, 1] (thesis 4.4; Scardapane et al., 2019,
 * "Learning activation functions from data using cubic spline interpolation"). Knots t₀ … t_{Q−1} are Δ = 2·boundary/(Q − 1) apart; x lies
 * in the span [t_i, t_{i+1}), 1 ≤ i ≤ Q − 3, at u = (x − t_i)/Δ. Beyond the outermost spans, below t₁ and above t_{Q−2}, f keeps
 * its value at the end, and its slope is 0. ∂f/∂x = (1/Δ)·u̇ᵀB·q.
 * @param x `[…, C]` float32. @param points q `[C, Q]` float32, Q ≥ 4.
 * @returns like x. ±Inf gives the end's value; NaN gives NaN, and NaN gradients to its channel's first four points.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit or the boundary is not positive.
 */
export function spline<T extends tf.Tensor>(x: T, points: tf.Tensor2D, options: SplineOptions): T {
  const { boundary, basis, gradients } = options;
  expectDtype('spline', 'x', x, 'float32');
  const nChannels = lastAxis('spline', 'x', x);
  expectRank('spline', 'points', points, 2);
  const nPoints = points.shape[1];
  expectFloats('spline', 'points', points, [nChannels, nPoints]);
  if (nPoints < 4) throw new RangeError(`spline: expected at least 4 points a channel, got ${String(nPoints)}`);
  if (!(boundary > 0 && Number.isFinite(boundary)))
    throw new RangeError(`spline: expected a positive boundary, got ${String(boundary)}`);
  return tf.engine().runKernel('KafscopeSpline', { x, points }, { boundary, basis, gradients });
}

/** B: rows for u³, u², u and 1, columns for the four control points of a span. */
export const splineBases: Readonly<Record<SplineBasis, readonly (readonly number[])[]>> = {
  'catmull-rom': [
    [-1 / 2, 3 / 2, -3 / 2, 1 / 2],
    [1, -5 / 2, 2, -1 / 2],
    [-1 / 2, 0, 1 / 2, 0],
    [0, 1, 0, 0],
  ],
  'b-spline': [
    [-1 / 6, 3 / 6, -3 / 6, 1 / 6],
    [3 / 6, -1, 3 / 6, 0],
    [-3 / 6, 0, 3 / 6, 0],
    [1 / 6, 4 / 6, 1 / 6, 0],
  ],
};

export interface SplineSpans {
  readonly nSpans: number;
  /** x·perUnit + middle is the position of x in spans: 0 at the start of the first, nSpans at the end of the last. */
  readonly perUnit: number;
  readonly middle: number;
}

export function splineSpans(nPoints: number, boundary: number): SplineSpans {
  const nSpans = nPoints - 3;
  return { nSpans, perUnit: (nPoints - 1) / (2 * boundary), middle: nSpans / 2 };
}

export const splineOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeSpline',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { boundary, basis } = attrs as unknown as SplineOptions;
        const [x, points] = [inputOf(inputs, 'x'), inputOf(inputs, 'points')];
        const [nChannels, nPoints] = points.shape as [number, number];
        const q = floatsOf(backend, points);
        const spans = splineSpans(nPoints, boundary);
        const y = floatsOf(backend, x).map((value, n) => {
          const { span, u } = placeOf(value, spans);
          return dot(weightsAt(basis, u), q, (n % nChannels) * nPoints + span);
        });
        return makeFloats(backend, x.shape, y);
      },
    },
    {
      kernelName: 'KafscopeSplineGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { boundary, basis, gradients } = attrs as unknown as SplineOptions;
        const [x, points] = [inputOf(inputs, 'x'), inputOf(inputs, 'points')];
        const [nChannels, nPoints] = points.shape as [number, number];
        const [dy, q] = [floatsOf(backend, inputs['dy']), floatsOf(backend, points)];
        const spans = splineSpans(nPoints, boundary);
        const sums = new Float64Array(q.length);
        const dx = floatsOf(backend, x).map((value, n) => {
          const { span, u, isBeyond } = placeOf(value, spans);
          const first = (n % nChannels) * nPoints + span;
          weightsAt(basis, u).forEach((weight, i) => {
            sums[first + i]! += dy[n]! * weight;
          });
          return dy[n]! * (isBeyond ? 0 : spans.perUnit * dot(slopesAt(basis, u), q, first));
        });
        const wantsAll = gradients === 'all';
        return [
          makeFloats(backend, x.shape, dx),
          makeFloats(backend, wantsAll ? points.shape : [0], wantsAll ? Float32Array.from(sums) : new Float32Array(0)),
        ];
      },
    },
  ],
  gradients: [trainedGradient('KafscopeSpline', 'spline', ['points'])],
};

/** The span of x, u in [0, 1], and whether x is beyond the outermost spans. NaN is in the first, at a u of NaN. */
function placeOf(x: number, { nSpans, perUnit, middle }: SplineSpans): { span: number; u: number; isBeyond: boolean } {
  const position = x * perUnit + middle;
  const span = Number.isNaN(position) ? 0 : Math.min(Math.max(Math.floor(position), 0), nSpans - 1);
  return {
    span,
    u: Math.min(Math.max(position - span, 0), 1),
    isBeyond: position < 0 || position > nSpans,
  };
}

/** uᵀB. */
function weightsAt(basis: SplineBasis, u: number): number[] {
  const [cubic, square, linear, constant] = splineBases[basis] as [number[], number[], number[], number[]];
  return cubic.map((weight, i) => ((weight * u + square[i]!) * u + linear[i]!) * u + constant[i]!);
}

/** u̇ᵀB. */
function slopesAt(basis: SplineBasis, u: number): number[] {
  const [cubic, square, linear] = splineBases[basis] as [number[], number[], number[]];
  return cubic.map((weight, i) => (3 * weight * u + 2 * square[i]!) * u + linear[i]!);
}

function dot(weights: readonly number[], q: Float32Array, first: number): number {
  return weights.reduce((sum, weight, i) => sum + weight * q[first + i]!, 0);
}
