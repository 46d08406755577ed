// KafscopeSpline and its gradient over assembly/spline.ts, which knows spans as polynomials: the basis is applied here, in float64,
// to the control points before and to the sums of the gradient after.
import type * as tf from '@tensorflow/tfjs-core';
import { splineBases, splineSpans, type SplineBasis, type SplineOptions } from '../../ops/spline.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly points: tf.TensorInfo;
}

export const splineKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, SplineOptions>('KafscopeSpline', ({ inputs: { x, points }, attrs, backend }) => {
    const [nChannels, nPoints] = points.shape as [number, number];
    const y = backend.place(x.shape);
    if (sizeOf(x) === 0) return y.info;
    const { nSpans, perUnit, middle } = splineSpans(nPoints, attrs.boundary);
    backend.withScratch([roundUp(nChannels, 4) * nSpans * 16], (table) => {
      fillTable(backend, table!, points, attrs.basis);
      const fixed = [backend.addressOf(x), y.address, nChannels, table!, nSpans, perUnit, middle];
      backend.runOver(sizeOf(x) / nChannels, grainOf(nChannels), 'splineForward', (...range) => [...fixed, ...range]);
    });
    return y.info;
  }),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, SplineOptions>(
    'KafscopeSplineGrad',
    ({ inputs: { dy, x, points }, attrs, backend }) => {
      const [nChannels, nPoints] = points.shape as [number, number];
      const wantsAll = attrs.gradients === 'all';
      const dx = backend.place(x.shape);
      const dpoints = backend.place(wantsAll ? points.shape : [0]);
      const values = backend.floats(dpoints.address, sizeOf(dpoints.info)).fill(0);
      if (sizeOf(x) === 0) return [dx.info, dpoints.info];
      const { nSpans, perUnit, middle } = splineSpans(nPoints, attrs.boundary);
      const parts = fixedParts(sizeOf(x) / nChannels, backend.grainOf('splineBackward', grainOf(nChannels)));
      const length = roundUp(nChannels, 4) * nSpans * 4;
      const nSums = wantsAll ? parts.length * length : 0;
      backend.withScratch([length * 4, nSums * 8], (table, sums) => {
        fillTable(backend, table!, points, attrs.basis);
        const fixed = [backend.addressOf(dy), backend.addressOf(x), dx.address, nChannels, table!];
        backend.run(
          'splineBackward',
          parts.map(([first, last], part) => [
            ...[...fixed, nSpans, perUnit, middle, wantsAll ? sums! + part * length * 8 : 0, first, last],
          ]),
        );
        if (!wantsAll) return;
        const moments = addParts(new Float64Array(backend.pool.buffer, sums!, nSums), length);
        values.set(pointSums(moments, { nChannels, nPoints, basis: attrs.basis }));
      });
      return [dx.info, dpoints.info];
    },
  ),
];

/** The coefficients of each channel's spans, B·q, lowest power first. */
function fillTable(backend: WasmBackend, table: number, points: tf.TensorInfo, basis: SplineBasis): void {
  const [nChannels, nPoints] = points.shape as [number, number];
  const nSpans = nPoints - 3;
  const coefficients = backend.floats(table, roundUp(nChannels, 4) * nSpans * 4).fill(0);
  const q = backend.floats(backend.addressOf(points), sizeOf(points));
  const rows = splineBases[basis].toReversed();
  for (let channel = 0; channel < nChannels; channel++) {
    for (let span = 0; span < nSpans; span++) {
      const first = channel * nPoints + span;
      rows.forEach((weights, power) => {
        coefficients[(channel * nSpans + span) * 4 + power] =
          weights[0]! * q[first]! +
          weights[1]! * q[first + 1]! +
          weights[2]! * q[first + 2]! +
          weights[3]! * q[first + 3]!;
      });
    }
  }
}

/** Σ dy·∂f/∂q of all control points, of the sums Σ dy·[1, u, u², u³] of the spans. */
function pointSums(
  moments: Float64Array,
  { nChannels, nPoints, basis }: { nChannels: number; nPoints: number; basis: SplineBasis },
): Float64Array {
  const nSpans = nPoints - 3;
  const sums = new Float64Array(nChannels * nPoints);
  const rows = splineBases[basis].toReversed();
  for (let channel = 0; channel < nChannels; channel++) {
    for (let span = 0; span < nSpans; span++) {
      const entry = (channel * nSpans + span) * 4;
      for (let point = 0; point < 4; point++) {
        rows.forEach((weights, power) => {
          sums[channel * nPoints + span + point]! += weights[point]! * moments[entry + power]!;
        });
      }
    }
  }
  return sums;
}

/** Rows of one range, of some 16,000 values. */
function grainOf(nChannels: number): number {
  return Math.ceil(16_384 / nChannels);
}
