// A run as lists and headers show it.
import type { AttackFigure, AttackUnderWay } from './attackFigures.ts';
import type { HealthFinding } from './health.ts';
import type { OfWeights } from './records.ts';
import type { RunMark } from './runMark.ts';

export const runStatuses = [
  /** Made, and nobody is about to begin it: its maker has gone, or will come to it later. */
  'waiting',
  /** In the queue of a server. */
  'queued',
  'preparing',
  'training',
  'paused',
  'evaluating',
  'finished',
  'stopped',
  'interrupted',
  'diverged',
  'failed',
  /** Its folder can't be read as a run; the message says what is wrong. */
  'damaged',
] as const;
export type RunStatus = (typeof runStatuses)[number];

/** The status as people read it: a run that waits does so for somebody, not in a queue; one that is trained waits for its attack. */
export function statusText(run: Pick<RunSummary, 'status' | 'step' | 'steps'>): string {
  if (isAttackQueued(run)) return 'attack queued';
  return run.status === 'waiting' ? 'not started' : run.status;
}

/** In the queue with every step done: its weights are to be attacked. */
export function isAttackQueued({ status, step, steps }: Pick<RunSummary, 'status' | 'step' | 'steps'>): boolean {
  return status === 'queued' && steps > 0 && step >= steps;
}

/** Statuses in which a trainer process is at work or about to be. */
export const liveStatuses = ['queued', 'preparing', 'training', 'paused', 'evaluating'] as const satisfies RunStatus[];

export function isLive(status: RunStatus): boolean {
  return (liveStatuses as readonly RunStatus[]).includes(status);
}

/**
 * Not begun, or ended before its end: stopped, interrupted or failed, be it after the last step in the test or the attack that follow
 * it. Without a checkpoint it starts anew. One that diverged would do so again, at the same step.
 */
export function isResumable({ status }: Pick<RunSummary, 'status'>): boolean {
  return !isLive(status) && !['finished', 'diverged', 'damaged'].includes(status);
}

/** Why a run at rest can't be resumed, after a comma. */
export function whyNotResumable({ status }: Pick<RunSummary, 'status'>): string {
  return status === 'diverged'
    ? 'it would diverge again at the same step; change the experiment, as by a smaller learning rate, and train anew'
    : 'there is nothing left to do';
}

export interface RunSummary {
  /** The name of its folder: a copy of a run is another run. */
  readonly id: string;
  readonly name: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** Why it failed or diverged and what to do; null otherwise. */
  readonly message: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
  /** At work, up to then: setting up, training, tests, evaluations; no waiting, pause or rest. Absent of runs of older versions. */
  readonly workedMs?: number | undefined;
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number | null;
  /** Of the last test on all held-out images; of the last evaluation where the plan asks for no test. */
  readonly cleanAccuracy: number | null;
  /** Of `cleanAccuracy`, where it is of the weights' moving average. */
  readonly cleanWeights?: OfWeights['weights'] | undefined;
  /** That of the first of `figures`; where there are none, of the last attack, as versions before them kept it. */
  readonly robustAccuracy: number | null;
  /** By attack, the run's own first; absent in runs of older versions. */
  readonly figures?: readonly AttackFigure[] | undefined;
  readonly attackUnderWay?: AttackUnderWay | undefined;
  readonly imagesPerSecond: number | null;
  /** For example `wasm · 1 thread · relaxed SIMD`; null until the trainer has chosen. */
  readonly device: string | null;
  /** At the last record; null until the trainer has told. */
  readonly memory: MemoryUse | null;
  /** One line, for example `light · KAF 20 · FGSM-RS 8/255 · cifar10`. */
  readonly description: string;
  /** Absolute path of the experiment file, if there is one. */
  readonly experimentFile: string | null;
  /** Absolute path of the run's folder. */
  readonly folder: string;
  readonly checkpoints: readonly CheckpointSummary[];
  /** In the order in which they were found; absent in runs of older versions. */
  readonly health?: readonly HealthFinding[] | undefined;
  /** What a person has noted of it; absent for nothing. */
  readonly mark?: RunMark | undefined;
  /** What its last work did not find; it may lie elsewhere by now, which the next work can be told. */
  readonly missing?: 'data' | undefined;
  /**
   * Counts the pieces of work done on it, from 0; −1 before the first. Where it grows, rows already seen may count no more: take a
   * new snapshot.
   */
  readonly incarnation: number;
  /** Grows with each change that a server tells: of two summaries of one connection the greater is the later. No clock does that. */
  readonly revision: number;
}

/** What its owner calls it, else `kaf-light · seed 0`; of a run that can't be read its folder's name, which is all that is known. */
export function runTitle({ name, seed, status, mark }: RunSummary): string {
  if (mark?.title !== undefined) return mark.title;
  return status === 'damaged' ? name : `${name} · seed ${String(seed)}`;
}

/** Of a trainer: of its tensors and kernels on `wasm`, of the whole process on the other runtimes, which tell no more. */
export interface MemoryUse {
  readonly usedBytes: number;
  /** The most since it started. */
  readonly peakBytes: number;
}

export interface CheckpointSummary {
  readonly file: string;
  readonly step: number;
  readonly epoch: number;
  /** Absent in runs of older versions. */
  readonly sizeBytes?: number;
}
