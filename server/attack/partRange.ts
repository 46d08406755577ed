// Which images a part of an attack has, where it is cut by test images.
import type { AttackPlan } from '../protocol/evaluationPlan.ts';
import type { PartPlan } from '../protocol/plan.ts';

/**
 * Positions of a part's images, from `first` to before `end`: whole batches, about as many in each part, and all images that are kept in
 * the first. Where there are more parts than batches some have none.
 */
export function partRange(
  { batchSize, keep }: Pick<AttackPlan, 'batchSize' | 'keep'>,
  nSamples: number,
  { index, of }: PartPlan = { index: 0, of: 1 },
): { readonly first: number; readonly end: number } {
  const nBatches = Math.ceil(nSamples / batchSize);
  const nKept = Math.ceil(keep / batchSize);
  const cut = (part: number): number => {
    if (part === 0) return 0;
    const batch = part === of ? nBatches : Math.max(nKept, Math.floor((part * nBatches) / of));
    return Math.min(nSamples, batch * batchSize);
  };
  return { first: cut(index), end: cut(index + 1) };
}
