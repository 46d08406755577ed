// How many runs of a sweep go at once on this machine, and on how many threads each: by cores and memory.
import type { Plan } from '../protocol/plan.ts';
import { stepBytesOf } from '../trainer/planMemory.ts';

export interface Machine {
  readonly cores: number;
  readonly freeBytes: number;
}

export interface Shares {
  readonly atOnce: number;
  readonly threads: number;
}

/** Of a trainer's process besides its tensors: Node, kernels, the images. */
const processBytes = 400_000_000;

/** Of what is free, so much is taken: others work here, too. */
const usableShare = 0.8;

/**
 * One run a core where the memory holds so many, since threads that wait for each other compute less than runs side by side; what is left
 * of the cores is shared out. One at a time where a device is, or may be, one for all.
 */
export function sharesOf(plans: readonly Plan[], { cores, freeBytes }: Machine, asked: Partial<Shares> = {}): Shares {
  const mostBytes = Math.max(...plans.map(bytesOf));
  const isDevice = plans.some(({ runtime }) => runtime === 'torch' || runtime === 'tensorflow');
  const fitting = isDevice ? 1 : Math.floor((freeBytes * usableShare) / (mostBytes + processBytes));
  const atOnce = asked.atOnce ?? Math.max(1, Math.min(cores, fitting, plans.length));
  return { atOnce, threads: asked.threads ?? Math.max(1, Math.floor(cores / atOnce)) };
}

/** Of data that only the disk knows, as of a large network. */
function bytesOf(plan: Plan): number {
  return stepBytesOf(plan, 1) ?? 2_000_000_000;
}
