// The grid on which assembly/kaf.ts has its cubics, and a kernel's own pieces on it: κ(t) = exp(−γt²), or its derivative, around its
// centre. A cubic through Chebyshev's nodes on an interval of length h is off by h⁴·max|κ⁗|/3072 (Süli & Mayers 2003, §8.5), with
// max|κ⁗| = 3/σ⁴ and h ≤ σ/8.5 by 1.9e-7: float32's own rounding.

export interface KafGrid {
  /** The length of an interval, Δ/perStep. */
  readonly h: number;
  readonly perStep: number;
  readonly nEntries: number;
  /** Entry e has its centre at (lowest + e + shift)·h. */
  readonly lowest: number;
  readonly shift: number;
  /** Beyond which every kernel is under 2.1e-9 and counts as 0. */
  readonly limit: number;
  readonly nPieces: number;
  /** [nPieces][4]: coefficients of κ and of κ′ by ascending powers of s in [−½, ½]. */
  readonly values: Float32Array;
  readonly slopes: Float32Array;
}

const intervalsPerSigma = 8.5;
/** exp(−20) = 2.1e-9. */
const reachExponent = 20;
/** More would not fit the caches; kernels so narrow or so wide have no use. */
const mostEntries = 4096;

const grids = new Map<string, KafGrid | null>();

/** @returns null where the kernels are so narrow, or so wide, against their distance that pieces would be too many */
export function kafGrid(dictionary: number, boundary: number, gamma: number): KafGrid | null {
  const key = `${dictionary} ${boundary} ${gamma}`;
  let grid = grids.get(key);
  if (grid === undefined) {
    grid = makeGrid(dictionary, boundary, gamma);
    grids.set(key, grid);
  }
  return grid;
}

function makeGrid(dictionary: number, boundary: number, gamma: number): KafGrid | null {
  const step = (2 * boundary) / (dictionary - 1);
  const perStep = Math.ceil(intervalsPerSigma * step * Math.sqrt(2 * gamma));
  const h = step / perStep;
  const radius = Math.ceil(Math.sqrt(reachExponent / gamma) / h - 0.5);
  // With an entry that is 0 at each end.
  const nEntries = (dictionary - 1) * perStep + 2 * radius + 3;
  if (!(nEntries <= mostEntries)) return null;
  const nPieces = 2 * radius + 1;
  const values = new Float32Array(nPieces * 4);
  const slopes = new Float32Array(nPieces * 4);
  for (let piece = 0; piece < nPieces; piece++) {
    const at = (s: number) => (piece - radius + s) * h;
    values.set(
      cubicOf((s) => Math.exp(-gamma * at(s) ** 2)),
      4 * piece,
    );
    slopes.set(
      cubicOf((s) => -2 * gamma * at(s) * Math.exp(-gamma * at(s) ** 2)),
      4 * piece,
    );
  }
  // Symmetrical around 0; elements lie at centres of entries.
  const lowestCentre = -(nEntries - 1) / 2;
  const shift = lowestCentre - Math.floor(lowestCentre);
  return {
    ...{ h, perStep, nEntries, nPieces, values, slopes, shift },
    lowest: lowestCentre - shift,
    limit: -lowestCentre * h,
  };
}

/** Coefficients by ascending powers of the cubic that agrees with f at Chebyshev's four nodes of [−½, ½]. */
function cubicOf(f: (s: number) => number): number[] {
  // f ≈ ½c₀ + Σ cₖ·Tₖ(2s).
  const angles = [0, 1, 2, 3].map((j) => (Math.PI * (2 * j + 1)) / 8);
  const samples = angles.map((angle) => f(Math.cos(angle) / 2));
  const [c0, c1, c2, c3] = [0, 1, 2, 3].map(
    (k) => angles.reduce((sum, angle, j) => sum + samples[j]! * Math.cos(k * angle), 0) / 2,
  ) as [number, number, number, number];
  return [c0 / 2 - c2, 2 * c1 - 6 * c3, 8 * c2, 32 * c3];
}
