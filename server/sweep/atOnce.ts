// How many runs of a sweep go at once on this machine, where, and on how many threads each: one a GPU, and on the processor by cores and
// memory.
import type { Plan } from '../protocol/plan.ts';
import { placesFor, type MachinePlaces, type Place } from '../run/machinePlaces.ts';
import { stepBytesOf } from '../trainer/planMemory.ts';

export interface Machine {
  readonly cores: number;
  readonly freeBytes: number;
  readonly places: MachinePlaces;
}

export interface Shares {
  readonly atOnce: number;
  readonly threads: number;
  /** A place for each run at once, that one first which is given away first. */
  readonly slots: readonly Place[];
}

/** Of a trainer's process besides its tensors: Node, kernels, the images. */
const processBytes = 400_000_000;

/** Of what is free, so much is taken: others work here, too. */
const usableShare = 0.8;

/**
 * One run a GPU. Of the others one run a core where the memory holds so many, since threads that wait for each other compute less than runs
 * side by side; what is left of the cores is shared out. One at a time of those on a device that is none of the GPUs told of.
 */
export function sharesOf(
  plans: readonly Plan[],
  { cores, freeBytes, places }: Machine,
  asked: { readonly atOnce?: number; readonly threads?: number } = {},
): Shares {
  const isHere = (plan: Plan) => placesFor(plan, places).includes('processor');
  const here = plans.filter(isHere);
  const gpus = [...new Set(plans.flatMap((plan) => placesFor(plan, places)))].filter((place) => place !== 'processor');
  const isDevice = here.some(({ runtime }) =>
    ['torch', 'tensorflow'].includes(runtime === 'auto' ? places.chosen : runtime),
  );
  const mostBytes = Math.max(...here.map(bytesOf));
  const fitting = isDevice ? 1 : Math.floor((freeBytes * usableShare) / (mostBytes + processBytes));
  const nHere = here.length === 0 ? 0 : Math.max(1, Math.min(cores, fitting, here.length));
  const usual = [...gpus.slice(0, plans.length - here.length), ...Array<Place>(nHere).fill('processor')];
  const atOnce = asked.atOnce ?? usual.length;
  const nSlots = Math.max(atOnce, usual.length);
  return {
    ...{ atOnce, threads: asked.threads ?? Math.max(1, Math.floor(cores / atOnce)) },
    slots: Array.from({ length: nSlots }, (_, index) => usual[index % usual.length]!),
  };
}

/** Of data that only the disk knows, as of a large network. */
function bytesOf(plan: Plan): number {
  return stepBytesOf(plan, 1) ?? 2_000_000_000;
}
