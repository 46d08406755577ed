// What a cluster's scheduler must be able to do, so that the cells of a sweep can be given to it. One is a file that makes such a value, and
// a line in schedulers.ts. It knows of jobs with numbered elements, and nothing of runs.
import type { z } from 'zod';

/** A job: its name is ours alone, so that a number that a cluster gives again is not taken for it. */
export interface Job {
  readonly name: string;
  readonly id: string;
}

export interface Submission {
  readonly name: string;
  /** Absolute: elements work there, and their output goes there, to `outputFile`. */
  readonly folder: string;
  /** Absolute, for the job's script; whoever submits chose a name that nobody else has. */
  readonly scriptFile: string;
  /** Program and arguments, to which the number of its element is appended. */
  readonly command: readonly string[];
  readonly indices: readonly number[];
  readonly excludedNodes: readonly string[];
  /** Jobs that must have ended, however, before its elements begin. */
  readonly after: readonly string[];
}

/** One element of a job as the scheduler has it. */
export interface Element {
  readonly jobId: string;
  readonly jobName: string;
  readonly index: number;
  /** `ending`: its processes are, and it may begin again. */
  readonly state: 'waiting' | 'working' | 'ending' | 'done' | 'failed' | 'out of time' | 'cancelled';
  /** Why it waits, or how it failed, in words; null where nothing is to be said. */
  readonly reason: string | null;
  /** Where it was last; null where it has not begun. */
  readonly node: string | null;
  /** Since it began last. */
  readonly seconds: number;
}

/** What every scheduler's settings say. */
export interface CommonSettings {
  /** Whether hosts that jobs are submitted from may compute as well. */
  readonly computesHere: boolean;
}

export interface Scheduler<Settings extends CommonSettings = CommonSettings> {
  /** As people type it: `--on NAME`, and the name of the settings' file. */
  readonly name: string;
  /** As people read it. */
  readonly title: string;
  readonly settings: z.ZodType<Settings>;
  /** Whether jobs can be submitted from here. */
  isHere(): boolean;
  /** Whether this process is part of a job. */
  isInJob(): boolean;
  /** @returns the job's id @throws SchedulerError */
  submit(submission: Submission, settings: Settings): Promise<string>;
  /** All elements of this user that it remembers. @throws SchedulerError */
  look(): Promise<Element[]>;
  /** Those of jobs that it has forgotten, from its records; empty where it keeps none. */
  lookBack(ids: readonly string[]): Promise<Element[]>;
  /** Ends these elements, and nothing else. @throws SchedulerError */
  cancel(job: Job, indices: readonly number[]): Promise<void>;
  /** Elements that wait do not begin on these nodes. @throws SchedulerError */
  exclude(job: Job, nodes: readonly string[]): Promise<void>;
  /** Of this process's own element: it begins again later. @throws SchedulerError */
  putBack(): Promise<void>;
  /** Processors that this process's element has; null where the scheduler does not say. */
  processors(): number | null;
  /** In the submission's folder. */
  outputFile(jobId: string, index: number): string;
}

/** The scheduler refused, or does not answer; a sentence for the user. */
export class SchedulerError extends Error {
  override readonly name = 'SchedulerError';
}
