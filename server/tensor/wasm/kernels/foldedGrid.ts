// The grids on which assembly/kaf.ts has cubics for kernels that do not vanish: all of −∞ … ∞ on intervals of one length, because
// beyond ±fold the axis is one of 1/x. Every element of the dictionary lies between two intervals, so that hinges are exact.
import { curveOf } from '../../../formula/evaluate.ts';
import { kafKernelFormula, kafKernels, type KafKernelName } from '../../../formula/kafKernels.ts';
import { mostEntries, piecesOf, placesOfNodes, type CubicGrid } from './kafGrid.ts';

export interface FoldedGrid extends CubicGrid {
  /** t = x for |x| ≤ fold, ±(2·fold − fold²/|x|) beyond: 2·fold is infinity. */
  readonly fold: number;
  /** Whether a kernel rises: then what it has more than the cubics is x − fold. */
  readonly rises: boolean;
  /** [kernels · dictionary][nEntries][4]: coefficients of κ(x − d) and of κ′ by ascending powers; of the last entry the second is κ's rise. */
  readonly values: Float32Array;
  readonly slopes: Float32Array;
}

/** Of all pieces. */
const mostFloats = 2 ** 24;

const grids = new Map<string, FoldedGrid | null>();

/** @returns null where bandwidths are so narrow, or so wide, that there would be too many pieces */
export function foldedGrid(
  kernels: readonly KafKernelName[],
  dictionary: number,
  boundary: number,
  gamma: number,
): FoldedGrid | null {
  const key = [...kernels, dictionary, boundary, gamma].join(' ');
  let grid = grids.get(key);
  if (grid === undefined) {
    const frame = foldedFrame(kernels, dictionary, boundary, gamma);
    grid = frame && { ...frame, ...fillPieces(frame, kernels, dictionary, boundary, gamma) };
    grids.set(key, grid);
  }
  return grid;
}

/** The grid without its pieces. */
export function foldedFrame(
  kernels: readonly KafKernelName[],
  dictionary: number,
  boundary: number,
  gamma: number,
): Omit<FoldedGrid, 'values' | 'slopes'> | null {
  const step = (2 * boundary) / (dictionary - 1);
  const wanted = Math.min(...kernels.map((name) => kafKernels[name].interval(gamma)));
  // Even, so that elements lie at multiples of h whether 0 is one or lies between two.
  const perStep = 2 * Math.max(1, Math.ceil(step / (2 * wanted)));
  const h = step / perStep;
  const reach = Math.max(...kernels.map((name) => kafKernels[name].reach(gamma)));
  const nToFold = Math.ceil((boundary + reach) / h - 1e-9);
  // The last belongs to no interval.
  const nEntries = 4 * nToFold + 1;
  if (!(nEntries <= mostEntries && 4 * nEntries * dictionary * kernels.length <= mostFloats)) return null;
  const fold = nToFold * h;
  const rises = kernels.some((name) => kafKernels[name].rise > 0);
  // A little less than 2·fold, whose interval float32 could take for one further.
  return { h, nEntries, shift: 0.5, lowest: -2 * nToFold, limit: 2 * fold * (1 - 1e-6), fold, rises };
}

function fillPieces(
  grid: Omit<FoldedGrid, 'values' | 'slopes'>,
  kernels: readonly KafKernelName[],
  dictionary: number,
  boundary: number,
  gamma: number,
): Pick<FoldedGrid, 'values' | 'slopes'> {
  const { fold, nEntries } = grid;
  const length = 4 * nEntries;
  const inner = placesOfNodes(grid, nEntries - 1).map((t) => unfolded(t, fold));
  const values = new Float32Array(kernels.length * dictionary * length);
  const slopes = new Float32Array(values.length);
  kernels.forEach((name, m) => {
    const formula = kafKernelFormula(name, gamma);
    const { rise } = kafKernels[name];
    for (let i = 0; i < dictionary; i++) {
      const d = -boundary + (2 * boundary * i) / (dictionary - 1);
      const curve = curveOf(
        formula,
        inner.map((x) => x - d),
        [],
      );
      const at = (m * dictionary + i) * length;
      // Where x is far, x − d − (x − fold) would leave nothing of what is meant.
      const settled = curve.values.map((value, n) =>
        rise > 0 && inner[n]! > fold ? value - (inner[n]! - d) + (fold - d) : value,
      );
      values.set(piecesOf(settled), at);
      slopes.set(piecesOf(curve.slopes), at);
      values[at + length - 3] = rise;
    }
  });
  return { values, slopes };
}

/** x of t; no node lies at infinity. */
function unfolded(t: number, fold: number): number {
  const size = Math.abs(t);
  return size <= fold ? t : (Math.sign(t) * fold * fold) / (2 * fold - size);
}
