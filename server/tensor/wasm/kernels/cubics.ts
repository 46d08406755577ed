// Evaluating and differentiating by cubics on a grid, over assembly/kaf.ts: what the kernels of KAF and of free KAF share.
import type { KernelName } from '../loadKernels.ts';
import { fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { powersOfNodes, type CubicGrid } from './kafGrid.ts';
import { roundUp } from './wasmKernel.ts';

/** Channels of one call of the gradient: a cache line of a row. */
export const channelsPerCall = 16;

interface Rows {
  readonly nRows: number;
  readonly x: number;
  /** Of a normalization of x (assembly/kaf.ts), where it is one. */
  readonly normalization?: number;
}

interface Table {
  /** Its address: [⌈C/4⌉·4][nEntries] of four floats. */
  readonly table: number;
  readonly base: 'none' | 'swish';
}

export function tableBytes(nChannels: number, { nEntries }: CubicGrid): number {
  return roundUp(nChannels, 4) * nEntries * 16;
}

/** Calls back with the table of the cubics through `values`, [4·nEntries, C] at the grid's nodes. */
export function withTableOfValues(
  backend: WasmBackend,
  values: number,
  grid: CubicGrid,
  nChannels: number,
  use: (table: number) => void,
): void {
  backend.withScratch([64, tableBytes(nChannels, grid)], (powers, table) => {
    backend.floats(powers!, 16).set(powersOfNodes.flat());
    clearPadding(backend, table!, grid, nChannels);
    const fixed = [values, nChannels, powers!, table!, grid.nEntries];
    backend.runOver(nChannels, 4, 'kafTableOfValues', (...range) => [...fixed, ...range]);
    use(table!);
  });
}

/** Zeroes the cubics of the channels that only fill the last four. */
export function clearPadding(backend: WasmBackend, table: number, { nEntries }: CubicGrid, nChannels: number): void {
  backend.floats(table + nChannels * nEntries * 16, (roundUp(nChannels, 4) - nChannels) * nEntries * 4).fill(0);
}

/** y = base(x) + the cubics. */
export function evaluateOnGrid(
  backend: WasmBackend,
  { nRows, x, y, normalization }: Rows & { readonly y: number },
  nChannels: number,
  grid: CubicGrid,
  { table, base }: Table,
): void {
  const [kernel, before] = ofNormalized(normalization, 'kafForward', 'normalizedKafForward');
  const fixed = [...before, x, y, nChannels, table, ...gridArguments(grid, base)];
  const block = rowsPerBlock(nChannels);
  // Whole blocks, some 4,000 values.
  const grain = block * Math.ceil(4096 / (block * nChannels));
  backend.runOver(nRows, grain, kernel, (...range) => [...fixed, ...range, block]);
}

/** The kernel, and the argument that it takes before others. */
function ofNormalized(
  normalization: number | undefined,
  plain: KernelName,
  normalized: KernelName,
): [KernelName, number[]] {
  return normalization === undefined ? [plain, []] : [normalized, [normalization]];
}

export interface GradientRows extends Rows {
  readonly dy: number;
  readonly dx: number;
}

/** dx = dy·(base′(x) + the cubics). */
export function slopeOnGrid(
  backend: WasmBackend,
  rows: GradientRows,
  nChannels: number,
  grid: CubicGrid,
  { table, base }: Table,
): void {
  differentiate(backend, rows, nChannels, grid, { table, base, momentsOf: null });
}

export interface GradientPart {
  readonly channel: number;
  readonly first: number;
  readonly last: number;
}

/**
 * dx, and what 16 channels and a range of rows add to the sums: called for each part, `argumentsOf` gives pieces, nPieces, perStep,
 * dictionary, sums, hasMoments and moments of `kafBackward`; `scratch` is the bytes of moments of each thread where these are 0.
 */
export function differentiate(
  backend: WasmBackend,
  { nRows, dy, x, dx, normalization }: GradientRows,
  nChannels: number,
  grid: CubicGrid,
  {
    table,
    base,
    momentsOf,
  }: Table & {
    readonly momentsOf: {
      readonly parts: readonly GradientPart[];
      readonly argumentsOf: (part: number) => number[];
      readonly scratchBytes: number;
    } | null;
  },
): void {
  const parts = momentsOf?.parts ?? gradientParts(backend, nRows, nChannels);
  const [kernel, before] = ofNormalized(normalization, 'kafBackward', 'normalizedKafBackward');
  const fixed = [...before, dy, x, dx, nChannels, table, ...gridArguments(grid, base)];
  backend.run(
    kernel,
    parts.map(({ channel, first, last }, part) => [
      ...[...fixed, ...(momentsOf?.argumentsOf(part) ?? [0, 0, 0, 0, 0, 0, 0])],
      ...[channel, first, last, rowsPerBlock(nChannels)],
    ]),
    momentsOf?.scratchBytes ? { argument: fixed.length + 6, sizeBytes: momentsOf.scratchBytes } : undefined,
  );
}

/** dx, and weights of the nodes, [4·nEntries, C], with which Σ weight·g(node) = Σ dy·g(x) for any g as smooth as the grid asks. */
export function sumOnGrid(
  backend: WasmBackend,
  rows: GradientRows,
  nChannels: number,
  grid: CubicGrid,
  { table, base, weights }: Table & { readonly weights: number },
): void {
  const { nEntries } = grid;
  const parts = gradientParts(backend, rows.nRows, nChannels);
  const partBytes = channelsPerCall * nEntries * 16;
  backend.withScratch([parts.length * partBytes, 64], (moments, nodes) => {
    differentiate(backend, rows, nChannels, grid, {
      ...{ table, base },
      momentsOf: { parts, argumentsOf: (part) => [0, 0, 0, 0, 0, 1, moments! + part * partBytes], scratchBytes: 0 },
    });
    backend.floats(nodes!, 16).set([0, 1, 2, 3].flatMap((power) => powersOfNodes.map((powers) => powers[power]!)));
    const nParts = parts.length / Math.ceil(nChannels / channelsPerCall);
    const fixed = [moments!, nParts, nChannels, nodes!, weights, nEntries];
    backend.runOver(nChannels, 4, 'kafNodeWeights', (...range) => [...fixed, ...range]);
  });
}

/**
 * Cut by channels, then by rows, into about 16 parts by the shape alone: sums of all parts are the same for any number of threads.
 * Every 16 channels have as many parts, one after the other.
 */
export function gradientParts(backend: WasmBackend, nRows: number, nChannels: number): GradientPart[] {
  const nGroups = Math.ceil(nChannels / channelsPerCall);
  const mostRanges = Math.floor(nRows / backend.grainOf('kafBackward', leastRows));
  const nRanges = Math.max(1, Math.min(Math.round(16 / nGroups), mostRanges));
  const ranges = fixedParts(nRows, Math.ceil(nRows / nRanges));
  return Array.from({ length: nGroups }, (_, group) =>
    ranges.map(([first, last]) => ({ channel: group * channelsPerCall, first, last })),
  ).flat();
}

/** Fewer would not be worth the adding up of a part's moments. */
const leastRows = 512;

/** In the kernels' order. */
export function gridArguments({ nEntries, lowest, shift, h, limit }: CubicGrid, base: Table['base']): number[] {
  return [nEntries, lowest, shift, h, limit, base === 'swish' ? 1 : 0];
}

/** So that a block of 16 channels of x, dy and dx stays in the second-level cache. */
export function rowsPerBlock(nChannels: number): number {
  return Math.max(16, Math.floor(32_768 / nChannels));
}
