// The tables of assembly/kaf2d.ts that depend on the dictionary alone: the kernels of one axis on the grid of kafGrid.ts.
import { kafGrid, type CubicGrid, type KafGrid } from './kafGrid.ts';
import { roundUp } from './wasmKernel.ts';

export interface Kaf2dGrid extends CubicGrid {
  /** Number D of elements of an axis. */
  readonly side: number;
  /** [nEntries][⌈D/4⌉][4][4]: coefficients of κ and of κ′ by ascending powers of s in [−½, ½], of four elements beside each other. */
  readonly kernels: Float32Array;
  readonly slopes: Float32Array;
}

/** Of a table: 48 of them must fit beside each other for each thread. */
const mostFloats = 2 ** 16;

const grids = new Map<string, Kaf2dGrid | null>();

/** @returns null where kernels are so narrow, or so wide, against their distance that tables would be too large */
export function kaf2dGrid(side: number, boundary: number, gamma: number): Kaf2dGrid | null {
  const key = `${side} ${boundary} ${gamma}`;
  let grid = grids.get(key);
  if (grid === undefined) {
    const axis = kafGrid(side, boundary, gamma);
    grid = axis && kaf2dTableFloats(side, axis) <= mostFloats ? { ...axis, side, ...tablesOf(side, axis) } : null;
    grids.set(key, grid);
  }
  return grid;
}

function kaf2dTableFloats(side: number, { nEntries }: CubicGrid): number {
  return nEntries * 4 * roundUp(side, 4);
}

function tablesOf(side: number, axis: KafGrid): { kernels: Float32Array; slopes: Float32Array } {
  const { perStep, nPieces, values, slopes: pieceSlopes } = axis;
  const nBlocks = Math.ceil(side / 4);
  const kernels = new Float32Array(kaf2dTableFloats(side, axis));
  const slopes = new Float32Array(kernels.length);
  for (let i = 0; i < side; i++) {
    for (let piece = 0; piece < nPieces; piece++) {
      for (let power = 0; power < 4; power++) {
        const at = (((1 + i * perStep + piece) * nBlocks + (i >> 2)) * 4 + power) * 4 + (i & 3);
        kernels[at] = values[4 * piece + power]!;
        slopes[at] = pieceSlopes[4 * piece + power]!;
      }
    }
  }
  return { kernels, slopes };
}
