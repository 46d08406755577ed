// A sweep as lists and pages show it: its cells with the runs that they have, and who works on it.
import type { RunStatus } from './run.ts';

export interface SweepCell {
  /** Its values, as they are written: `relu · seed 0`. */
  readonly name: string;
  /** Those values by the paths of their keys, in order. */
  readonly values: Readonly<Record<string, string>>;
  /** Of its plan: 32 hexadecimal digits. */
  readonly identity: string;
  /** A part of the evaluation of another cell, which has what all parts find. */
  readonly isPart?: true;
  /** Null where it has none yet. */
  readonly runId: string | null;
  /** Of its run; `waiting` where it has none. */
  readonly status: RunStatus;
  readonly message: string | null;
  /** Of a cluster's scheduler; absent where it was given to none, or nothing is to be said of it any more. */
  readonly job?: CellJob;
  readonly step: number;
  readonly steps: number;
  readonly cleanAccuracy: number | null;
  readonly robustAccuracy: number | null;
}

export interface CellJob {
  /** Its job and, once that has begun, where: `Slurm 12_3 on n4`. */
  readonly place: string;
  /** Why it has not begun, in words; null where it has. */
  readonly waits: string | null;
}

export interface SweepSummary {
  /** The name of its folder. */
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly experimentFile: string | null;
  readonly createdMs: number;
  /** `resting` where nobody works on it. */
  readonly status: 'working' | 'paused' | 'resting';
  /** Who works on it, for people; null where nobody does. */
  readonly place: string | null;
  /** Of the cluster that it was given to last, as `--on` names it; absent where it was given to none. */
  readonly scheduler?: string;
  readonly cells: readonly SweepCell[];
}

/** What an experiment's runs will take, before they are started or while their sweep is at work. */
export interface Estimate {
  readonly nCells: number;
  /** Neither finished nor given up; without a matrix all, which are trained anew. */
  readonly nLeft: number;
  readonly atOnce: number;
  /** Until all that are left are done; null before a like of them ran on this machine. */
  readonly ms: number | null;
  /** That those will write; null as above. */
  readonly bytes: number | null;
  /** Of memory that a training step takes at most; null of data that only the disk knows. */
  readonly stepBytes: number | null;
}

/** Whether an experiment's text has a matrix, mistakes aside. */
export function hasMatrix(text: string): boolean {
  return /^matrix\s*:/m.test(text);
}

/** Whether it asks for a sweep, mistakes aside: for a matrix, or for evaluations in parts. */
export function asksForSweep(text: string): boolean {
  return hasMatrix(text) || /^parts\s*:/m.test(text);
}

/** How many cells a sweep has of a plan. */
export function nCellsOf({ parts = 1 }: { readonly parts?: number }): number {
  return parts > 1 ? parts + 1 : 1;
}

/** What can be asked of a sweep; `again`: that the cells that failed are tried once more. */
export const sweepAsks = ['pause', 'go-on', 'stop', 'again'] as const;
export type SweepAsk = (typeof sweepAsks)[number];

/** Where the cells of a sweep can be worked on. */
export interface SweepPlace {
  /** As `sweep/start` is told. */
  readonly on: string;
  /** As people read it. */
  readonly title: string;
  /** Why not, in sentences; null where it can. */
  readonly fault: string | null;
}

/** How many cells are where, in the order in which people want to know. */
export interface SweepCounts {
  readonly failed: number;
  readonly finished: number;
  readonly working: number;
  readonly left: number;
}

export function countCells(cells: readonly Pick<SweepCell, 'status'>[]): SweepCounts {
  const counts = { failed: 0, finished: 0, working: 0, left: 0 };
  for (const { status } of cells) counts[cellGroup(status)]++;
  return counts;
}

/** A run that was stopped or cut off is left to do, as one that was not begun is. */
export function cellGroup(status: RunStatus): keyof SweepCounts {
  switch (status) {
    case 'finished':
      return 'finished';
    case 'failed':
    case 'diverged':
    case 'damaged':
      return 'failed';
    case 'preparing':
    case 'training':
    case 'paused':
    case 'evaluating':
      return 'working';
    case 'waiting':
    case 'queued':
    case 'stopped':
    case 'interrupted':
      return 'left';
  }
  return status satisfies never;
}

/** What can be asked of a sweep as it is. A cell that diverged would do so again, and what is damaged can't be run. */
export function allowedAsks({
  status,
  cells,
  scheduler,
}: Pick<SweepSummary, 'status' | 'cells' | 'scheduler'>): SweepAsk[] {
  const { left } = countCells(cells);
  return [
    // A cluster pauses nothing.
    ...(status === 'working' && scheduler === undefined ? (['pause'] as const) : []),
    ...(status === 'paused' || (status === 'resting' && left > 0) ? (['go-on'] as const) : []),
    ...(status !== 'resting' ? (['stop'] as const) : []),
    ...(cells.some((cell) => cell.status === 'failed') ? (['again'] as const) : []),
  ];
}
