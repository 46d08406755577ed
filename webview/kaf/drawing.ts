// What a layer's channels look like, curve or surface alike: values of each on one grid, and how far two are from each other.
import { gridAt, gridFor } from '../../server/formula/shape.ts';
import type { ShapeInfo } from '../../server/protocol/records.ts';
import type { ShapeContents } from '../../server/protocol/checkpoint.ts';
import { gridOfChannel, rowOf, shapeDistance, type ShapeCoefficients } from './shape.ts';
import { surfaceDistance, surfaceInputs, surfaceValues } from './surface.ts';

export interface Drawing {
  readonly kind: 'curve' | 'surface';
  /** Ascending inputs; of a surface, of either axis. */
  readonly x: Float64Array;
  /** One channel's at them; of a surface at all pairs, `[u, v]`, row by row. */
  values(coefficients: ShapeCoefficients, channel: number): Float64Array;
  distance(f: Float64Array, g: Float64Array): number;
}

/** Of small pictures, one beside the other. */
export function drawingOf(info: ShapeInfo): Drawing {
  if ('axis' in info) {
    const x = surfaceInputs(info, { points: 25, margin: 1 });
    return {
      kind: 'surface',
      x,
      values: ({ alpha }, channel) => surfaceValues(info, x, surfaceRow(info, alpha, channel)),
      distance: (f, g) => surfaceDistance(x, f, g),
    };
  }
  const grid = gridFor(info, { points: 61, margin: 1 });
  return {
    kind: 'curve',
    x: grid.x,
    values: (coefficients, channel) =>
      gridOfChannel(grid, info, coefficients, channel).values(rowOf(info, coefficients.alpha, channel)),
    distance: (f, g) => shapeDistance(grid.x, f, g),
  };
}

/** One channel's curve at inputs that another layer's drawing has; null where it has no such channel, or is a surface. */
export function curveAt(shapes: ShapeContents, x: Float64Array, channel: number): Float64Array | null {
  if ('axis' in shapes || channel >= shapes.channels) return null;
  const grid = gridOfChannel(gridAt(shapes, x), shapes, shapes, channel);
  return grid.values(rowOf(shapes, shapes.alpha, channel));
}

/** One channel's coefficients of a surface. */
export function surfaceRow(
  { axis }: { readonly axis: readonly number[] },
  alpha: Float32Array,
  channel: number,
): Float32Array {
  const size = axis.length ** 2;
  return alpha.subarray(channel * size, (channel + 1) * size);
}
