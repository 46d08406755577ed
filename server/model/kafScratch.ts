// What the kernels of two-dimensional KAFs, and of KAFs of other kernels than Gaussian alone, take on the runtime `wasm` beside tensors (kernelScratch.ts has the
// rest).
import type { KafKernelName } from '../formula/kafKernels.ts';
import type { Kaf2dPlan, KafPlan } from '../protocol/plan.ts';
import { foldedFrame } from '../tensor/wasm/kernels/foldedGrid.ts';
import { kaf2dGrid } from '../tensor/wasm/kernels/kaf2dGrid.ts';

/**
 * At most so many float32 values: tables, the pieces of all kernels as they are and as a matrix product wants them, and the moments of the
 * parts; 0 where no grid holds the kernels.
 */
export function kernelKafFloats(
  { dictionary, boundary, gamma }: KafPlan,
  kernels: readonly KafKernelName[],
  { channels, gradients }: { readonly channels: number; readonly gradients: 'all' | 'input' },
): number {
  const grid = foldedFrame(kernels, dictionary, boundary, gamma);
  if (!grid) return 0;
  const table = 4 * grid.nEntries * channels;
  // As rows, and packed in panels of 8 columns.
  const pieces = 2 * 4 * (grid.nEntries + 2) * (kernels.length * dictionary + 8);
  if (gradients === 'input') return table + pieces;
  return 2 * table + pieces + 16 * 4 * grid.nEntries * mostGradientParts(channels);
}

/** At most so many float32 values: tables of the dictionary, two or three of 16 channels for each thread, and the sums of all parts. */
export function kaf2dFloats(
  { dictionary, boundary, gamma }: Kaf2dPlan,
  {
    channels,
    gradients,
    threads,
  }: { readonly channels: number; readonly gradients: 'all' | 'input'; readonly threads: number },
): number {
  const grid = kaf2dGrid(dictionary, boundary, gamma);
  if (!grid) return 0;
  const table = grid.kernels.length;
  const own = (nTables: number) => threads * (nTables * 16 * table + (dictionary + 3) ** 2 + 32);
  if (gradients === 'input') return 2 * table + own(2);
  return 2 * table + own(3) + mostGradientParts(channels) * 16 * dictionary ** 2;
}

/** Gradients are summed for 16 channels at a time, in at most so many parts for all of them. */
export function mostGradientParts(channels: number): number {
  const nGroups = Math.ceil(channels / 16);
  return nGroups * Math.max(1, Math.round(16 / nGroups));
}
