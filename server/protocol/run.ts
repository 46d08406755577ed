// A run as lists and headers show it.

export type RunStatus =
  | 'queued'
  | 'preparing'
  | 'training'
  | 'paused'
  | 'evaluating'
  | 'finished'
  | 'stopped'
  | 'interrupted'
  | 'diverged'
  | 'failed';

/** Statuses in which a trainer process is at work. */
export const liveStatuses = ['queued', 'preparing', 'training', 'paused', 'evaluating'] as const satisfies RunStatus[];

export function isLive(status: RunStatus): boolean {
  return (liveStatuses as readonly RunStatus[]).includes(status);
}

/** Ended before the last step: stopped, interrupted, diverged or failed. Without a checkpoint it starts anew. */
export function isResumable(run: RunSummary): boolean {
  return !isLive(run.status) && run.status !== 'finished' && run.step < run.steps;
}

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** Why it failed or diverged and what to do; null otherwise. */
  readonly message: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number | null;
  /** Of the last test on all held-out images; of the last evaluation where the plan asks for no test. */
  readonly cleanAccuracy: number | null;
  /** Of the last attack: an evaluation's, or the quick one of a test. */
  readonly robustAccuracy: number | null;
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
}
