// What is drawn of a channel's activation function besides its curve, and how far two curves are apart.
import { gridAt, nKernelsOf, type ShapedLayer, type ShapeGrid } from '../../server/formula/shape.ts';
import type { KafKernels } from '../../server/protocol/records.ts';

/** What training has made of a layer. */
export interface ShapeCoefficients {
  /** `[channels, count]`, row by row. */
  readonly alpha: Float32Array;
  /** Absent where dictionary and bandwidth are the layer's. */
  readonly kernels?: KafKernels | undefined;
}

/** The layer as one channel has it. */
export function layerOfChannel(layer: ShapedLayer, { kernels }: ShapeCoefficients, channel: number): ShapedLayer {
  if (!kernels || !('gamma' in layer)) return layer;
  const size = layer.dictionary.length;
  return {
    dictionary: [...kernels.dictionaries.subarray(channel * size, (channel + 1) * size)],
    gamma: kernels.gammas[channel] ?? Number.NaN,
    base: layer.base,
  };
}

/** The grid's inputs with a channel's own dictionary and bandwidth, where it has them. */
export function gridOfChannel(
  grid: ShapeGrid,
  layer: ShapedLayer,
  coefficients: ShapeCoefficients,
  channel: number,
): ShapeGrid {
  return coefficients.kernels ? gridAt(layerOfChannel(layer, coefficients, channel), grid.x) : grid;
}

/** One channel's coefficients. */
export function rowOf(layer: ShapedLayer, alpha: Float32Array, channel: number): Float32Array {
  const size = 'formula' in layer ? layer.formula.parameters.length : layer.dictionary.length * nKernelsOf(layer);
  return alpha.subarray(channel * size, (channel + 1) * size);
}

/** Where a channel's functions stand, in order, and its values there; null where they stand nowhere. */
export function dotsOf(layer: ShapedLayer, row: Float32Array): { x: Float64Array; y: Float64Array } | null {
  if ('formula' in layer) return null;
  // A trained dictionary may have lost its order, which a curve needs.
  const x = Float64Array.from(layer.dictionary).sort();
  return { x, y: gridAt(layer, x).values(row) };
}

/** max |f′| on the grid: an estimate from below of the Lipschitz constant that gets tight as the grid gets fine. */
export function lipschitzEstimate(slope: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < slope.length; index++) {
    const size = Math.abs(slope[index]!);
    if (!(size <= largest)) largest = size; // so that NaN is kept
    if (Number.isNaN(largest)) return largest;
  }
  return largest;
}

/** ‖f − g‖₂ over the grid's interval, by the trapezoidal rule. */
export function shapeDistance(x: ArrayLike<number>, f: ArrayLike<number>, g: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 1; index < x.length; index++) {
    const left = f[index - 1]! - g[index - 1]!;
    const right = f[index]! - g[index]!;
    sum += ((x[index]! - x[index - 1]!) * (left * left + right * right)) / 2;
  }
  return Math.sqrt(sum);
}
