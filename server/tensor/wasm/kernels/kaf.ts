// KafscopeKaf and KafscopeKafGrad over assembly/kaf.ts: cuts the dictionary into blocks that float32 can span and folds each
// block's constant factors into tables.
import type * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface KafAttributes {
  readonly boundary: number;
  readonly gamma: number;
  readonly base: 'none' | 'swish';
  readonly gradients: 'all' | 'input';
}

/** Of a row of eight channels, which the kernels take at a time; fewer are padded. */
const groupBytes = 32;

export const kafKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo; alpha: tf.TensorInfo }, KafAttributes>('KafscopeKaf', ({ inputs, attrs, backend }) => {
    const { x, alpha } = inputs;
    const y = backend.place(x.shape);
    const [nChannels, dictionary] = alpha.shape as [number, number];
    if (sizeOf(x) === 0) return y.info;
    const layout = layOut(dictionary, attrs);
    withTables(backend, alpha, layout, (table, header) => {
      const fixed = [
        ...[backend.addressOf(x), y.address, nChannels, table, header, layout.centres.length, layout.nEntries],
        ...[1 / layout.step, layout.q, layout.ratio, attrs.base === 'swish' ? 1 : 0],
      ];
      const block = rowsPerBlock(nChannels);
      backend.runOver(
        sizeOf(x) / nChannels,
        grainOf(nChannels),
        'kafForward',
        (...range) => [...fixed, 0, ...range, block],
        { argument: fixed.length, sizeBytes: 2 * block * groupBytes },
      );
    });
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo; alpha: tf.TensorInfo }, KafAttributes>(
    'KafscopeKafGrad',
    ({ inputs, attrs, backend }) => {
      const { dy, x, alpha } = inputs;
      const [nChannels, dictionary] = alpha.shape as [number, number];
      const wantsAlpha = attrs.gradients === 'all';
      const dx = backend.place(x.shape);
      const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
      const dalphaValues = backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
      if (sizeOf(x) === 0) return [dx.info, dalpha.info];
      const layout = layOut(dictionary, attrs);
      const nSums = roundUp(nChannels, 8) * layout.centres.length * layout.nEntries * 2;
      const block = rowsPerBlock(nChannels);
      const parts = fixedParts(sizeOf(x) / nChannels, grainOf(nChannels));
      withTables(backend, alpha, layout, (table, header) => {
        backend.withScratch([wantsAlpha ? parts.length * nSums * 8 : 0], (sums) => {
          const sumValues = new Float64Array(backend.pool.buffer, sums!, wantsAlpha ? parts.length * nSums : 0).fill(0);
          const fixed = [
            ...[backend.addressOf(dy), backend.addressOf(x), dx.address, nChannels, table, header],
            ...[layout.centres.length, layout.nEntries, 1 / layout.step, layout.q, layout.ratio],
            ...[2 * attrs.gamma * layout.step, attrs.base === 'swish' ? 1 : 0],
          ];
          backend.run(
            'kafBackward',
            parts.map(([first, last], part) => [
              ...[...fixed, wantsAlpha ? sums! + part * nSums * 8 : 0, 0, first, last, block],
            ]),
            {
              argument: fixed.length + 1,
              sizeBytes: layout.centres.length * layout.nEntries * 64 + 3 * block * groupBytes,
            },
          );
          if (wantsAlpha) gatherSums(addParts(sumValues, nSums), dalphaValues, nChannels, dictionary, layout);
        });
      });
      return [dx.info, dalpha.info];
    },
  ),
];

interface Layout {
  /** Δ. */
  readonly step: number;
  /** γΔ². */
  readonly q: number;
  /** 2q, the exponent of B by u; 0 where no block needs B. */
  readonly ratio: number;
  readonly boundary: number;
  /** Dictionary index of each block's centre; block b covers centre − nEntries … centre + nEntries − 1. */
  readonly centres: readonly number[];
  readonly nEntries: number;
  /** |u| beyond which the block counts as 0. */
  readonly limit: number;
}

/**
 * Blocks such that A = exp(−q·u²) stays in float32's normal range wherever a kernel of the block exceeds exp(−20): its half
 * width h obeys √q·h + √20 ≤ √85. One block of up to 23 elements at γ = 1/(6Δ²).
 */
function layOut(dictionary: number, { boundary, gamma }: KafAttributes): Layout {
  const step = (2 * boundary) / (dictionary - 1);
  const q = gamma * step * step;
  const widest = Math.max(0, Math.floor((Math.sqrt(85) - Math.sqrt(20)) / Math.sqrt(q)));
  const nBlocks = Math.ceil(dictionary / (2 * widest + 1));
  const perBlock = Math.ceil(dictionary / nBlocks);
  const furthest = Math.floor(perBlock / 2);
  // Even: the kernels take two at a time.
  const nEntries = roundUp(furthest + (perBlock % 2), 2);
  const centres = Array.from({ length: nBlocks }, (_, block) => block * perBlock + furthest);
  return { step, q, ratio: furthest > 0 ? 2 * q : 0, boundary, centres, nEntries, limit: furthest + Math.sqrt(20 / q) };
}

/** Calls back for each dictionary element of each block with its offset k from the centre and its place in the tables. */
function forEachElement(
  dictionary: number,
  { centres, nEntries }: Layout,
  visit: (index: number, k: number, entry: number, isLeft: boolean) => void,
): void {
  const nBlocks = centres.length;
  const perBlock = Math.ceil(dictionary / nBlocks);
  for (let index = 0; index < dictionary; index++) {
    const block = Math.floor(index / perBlock);
    const k = index - centres[block]!;
    const entry = block * nEntries + (k >= 0 ? k : -k - 1);
    visit(index, k, entry, k < 0);
  }
}

function withTables(
  backend: WasmBackend,
  alpha: tf.TensorInfo,
  layout: Layout,
  use: (table: number, header: number) => void,
): void {
  const [nChannels, dictionary] = alpha.shape as [number, number];
  const nGroups = Math.ceil(nChannels / 8);
  const entriesPerGroup = layout.centres.length * layout.nEntries;
  const length = nGroups * entriesPerGroup * 32;
  backend.withScratch([length * 4, layout.centres.length * 8], (table, header) => {
    const tableValues = backend.floats(table!, length).fill(0);
    const headerValues = backend.floats(header!, layout.centres.length * 2);
    layout.centres.forEach((centre, block) => {
      headerValues[2 * block] = centre * layout.step - layout.boundary;
      headerValues[2 * block + 1] = layout.limit;
    });
    const alphas = backend.floats(backend.addressOf(alpha), nChannels * dictionary);
    forEachElement(dictionary, layout, (index, k, entry, isLeft) => {
      const factor = Math.exp(-layout.q * k * k);
      for (let channel = 0; channel < nChannels; channel++) {
        const value = alphas[channel * dictionary + index]! * factor;
        const at = ((channel >> 3) * entriesPerGroup + entry) * 32 + (isLeft ? 16 : 0) + (channel & 7);
        tableValues[at] = value;
        tableValues[at + 8] = value * k;
      }
    });
    use(table!, header!);
  });
}

function gatherSums(
  sums: Float64Array,
  dalpha: Float32Array,
  nChannels: number,
  dictionary: number,
  layout: Layout,
): void {
  const entriesPerGroup = layout.centres.length * layout.nEntries;
  forEachElement(dictionary, layout, (index, k, entry, isLeft) => {
    const factor = Math.exp(-layout.q * k * k);
    for (let channel = 0; channel < nChannels; channel++) {
      const at = ((channel >> 3) * entriesPerGroup + entry) * 16 + (isLeft ? 8 : 0) + (channel & 7);
      dalpha[channel * dictionary + index] = sums[at]! * factor;
    }
  });
}

/** Rows of one range: whole blocks, some 4,000 values. */
function grainOf(nChannels: number): number {
  const block = rowsPerBlock(nChannels);
  return block * Math.ceil(4096 / (block * nChannels));
}

/** A multiple of the rows that the kernels take at a time; x, dy and dx of a block then stay in the first-level cache. */
function rowsPerBlock(nChannels: number): number {
  return Math.max(4, Math.min(256, Math.floor(2048 / nChannels / 4) * 4));
}
