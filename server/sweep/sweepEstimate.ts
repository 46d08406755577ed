// How long the cells of an experiment will take and how much they will write, by runs of like plans on this machine.
import type { Estimate } from '../protocol/sweep.ts';
import { startingProgress } from '../run/runFolder.ts';
import type { StoredCell } from './sweepFolder.ts';

/** A run that trained to its end without a break. */
export interface SeenRun {
  /** One line for lists; runs that share it differ in sizes and seeds alone. */
  readonly description: string;
  readonly steps: number;
  readonly epochs: number;
  /** From its beginning to its end, tests and attacks with it. */
  readonly tookMs: number;
  readonly bytes: number;
}

/**
 * By the newest run of the same description, in proportion to steps, or to epochs where the disk alone knows how many samples there are.
 * A cell of which no like has run takes as long as the others do on average; where none has, nothing is known.
 * @param cells those that are left to do
 * @param runs the newest first
 */
export function estimateCells(
  cells: readonly Pick<StoredCell, 'description' | 'plan'>[],
  runs: readonly SeenRun[],
  { atOnce }: { readonly atOnce: number },
): Pick<Estimate, 'atOnce' | 'ms' | 'bytes'> {
  const known = cells.flatMap(({ description, plan }) => {
    const like = runs.find((run) => run.description === description);
    if (!like) return [];
    const { steps } = startingProgress({ plan, createdMs: 0 });
    const share = steps > 0 && like.steps > 0 ? steps / like.steps : plan.training.epochs / Math.max(1, like.epochs);
    return [{ ms: like.tookMs * share, bytes: like.bytes }];
  });
  if (known.length === 0) return { atOnce, ms: cells.length === 0 ? 0 : null, bytes: cells.length === 0 ? 0 : null };
  const scale = cells.length / known.length;
  const total = (key: 'ms' | 'bytes') => scale * known.reduce((sum, one) => sum + one[key], 0);
  return { atOnce, ms: total('ms') / Math.min(atOnce, cells.length), bytes: total('bytes') };
}
