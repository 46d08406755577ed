// The grids on which assembly/kaf.ts has its cubics: of a uniform dictionary with a kernel's own pieces on it, κ(t) = exp(−γt²) or
// its derivative around its centre; and of any dictionaries by the nodes of each interval. A cubic through Chebyshev's nodes on an interval of length h is off by h⁴·max|κ⁗|/3072 (Süli & Mayers 2003, §8.5), with
// max|κ⁗| = 3/σ⁴ and h ≤ σ/8.5 by 1.9e-7: float32's own rounding.

export interface CubicGrid {
  /** The length of an interval. */
  readonly h: number;
  readonly nEntries: number;
  /** Entry e has its centre at (lowest + e + shift)·h. */
  readonly lowest: number;
  readonly shift: number;
  /** Beyond which every kernel is under 2.1e-9 and counts as 0. */
  readonly limit: number;
}

export interface KafGrid extends CubicGrid {
  /** Δ/h. */
  readonly perStep: number;
  readonly nPieces: number;
  /** [nPieces][4]: coefficients of κ and of κ′ by ascending powers of s in [−½, ½]. */
  readonly values: Float32Array;
  readonly slopes: Float32Array;
}

const intervalsPerSigma = 8.5;
/** exp(−20) = 2.1e-9. */
const reachExponent = 20;
/** More would not fit the caches; kernels so narrow or so wide have no use. */
export const mostEntries = 4096;
/** Of a free KAF; with fewer, the nodes of the grid would be as much work as the rows themselves. */
export const rowsPerEntry = 16;

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
  // Elements lie at centres of entries.
  return { ...symmetricGrid(h, nEntries), perStep, nPieces, values, slopes };
}

function symmetricGrid(h: number, nEntries: number): CubicGrid {
  const lowestCentre = -(nEntries - 1) / 2;
  const shift = lowestCentre - Math.floor(lowestCentre);
  return { h, nEntries, shift, lowest: lowestCentre - shift, limit: -lowestCentre * h };
}

/**
 * For kernels of any centres and bandwidths.
 * @returns null where they are so narrow, or so wide, or so far out that intervals would be too many, or not finite
 */
export function freeGrid(centres: Float32Array, gammas: Float64Array): CubicGrid | null {
  const furthest = centres.reduce((most, centre) => Math.max(most, Math.abs(centre)), 0);
  const reach = Math.sqrt(reachExponent / Math.min(...gammas));
  const h = 1 / (intervalsPerSigma * Math.sqrt(2 * Math.max(...gammas)));
  const nEntries = 2 * Math.ceil((furthest + reach) / h) + 3;
  return nEntries <= mostEntries ? symmetricGrid(h, nEntries) : null;
}

/** Places of the nodes of all intervals, ascending by interval, those of the first and the last where every kernel is 0. */
export function nodesOf(grid: CubicGrid): Float64Array {
  const { nEntries } = grid;
  return placesOfNodes(grid, nEntries).map((place, index) => {
    const entry = index >> 2;
    return entry === 0 || entry === nEntries - 1 ? Infinity : place;
  });
}

/** Places of the nodes of the first `count` intervals. */
export function placesOfNodes({ h, lowest, shift }: CubicGrid, count: number): Float64Array {
  return Float64Array.from(
    { length: 4 * count },
    (_, index) => (lowest + (index >> 2) + shift + nodes[index & 3]!) * h,
  );
}

/** Coefficients by ascending powers of the cubics of all intervals that agree with `samples` at their nodes. */
export function piecesOf(samples: Float64Array): Float64Array {
  const pieces = new Float64Array(samples.length);
  for (let at = 0; at < samples.length; at += 4) pieces.set(cubicThrough(samples.subarray(at, at + 4)), at);
  return pieces;
}

/** Chebyshev's four nodes of [−½, ½]. */
const angles = [0, 1, 2, 3].map((j) => (Math.PI * (2 * j + 1)) / 8);
const nodes = angles.map((angle) => Math.cos(angle) / 2);

/** [node][power]: the cubic that is 1 at a node and 0 at the others. */
export const powersOfNodes: readonly (readonly number[])[] = nodes.map((_, node) =>
  cubicThrough(nodes.map((__, other) => (other === node ? 1 : 0))),
);

/** Coefficients by ascending powers of the cubic that agrees with f at the nodes. */
function cubicOf(f: (s: number) => number): number[] {
  return cubicThrough(nodes.map(f));
}

function cubicThrough(samples: ArrayLike<number>): number[] {
  // ½c₀ + Σ cₖ·Tₖ(2s).
  const [c0, c1, c2, c3] = [0, 1, 2, 3].map(
    (k) => angles.reduce((sum, angle, j) => sum + samples[j]! * Math.cos(k * angle), 0) / 2,
  ) as [number, number, number, number];
  return [c0 / 2 - c2, 2 * c1 - 6 * c3, 8 * c2, 32 * c3];
}
