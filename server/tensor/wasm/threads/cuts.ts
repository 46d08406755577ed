// Where the kernels' work may be cut. How finely it is worth cutting is each kernel's own `grain`, in ../kernels.
import type { KernelId } from '../loadKernels.ts';

/**
 * `worthwhile`: into ranges and parts of some 10 µs of work or more, as the kernels ask. `finest`: as small as the kernels allow,
 * so that threads share the small tensors of tests, too.
 */
export type Cuts = 'worthwhile' | 'finest';

/** What the first of a range must be a multiple of, for kernels that can't start at any element, row, image or tile. */
const units: Partial<Record<KernelId, number>> = {
  // Random words are drawn sixteen, and images' four blocks of them, at a time.
  uniform: 16,
  dropout: 16,
  cropAndFlip: 4,
};

export function unitOf(kernel: KernelId): number {
  return units[kernel] ?? 1;
}
