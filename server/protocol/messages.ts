// Requests and notifications between a client (extension, command line) and the server: JSON-RPC 2.0, one WebSocket message
// each, encoded by codec.ts. Every request ends in a result, an error with `RequestErrorData`, or a cancellation.
import { z } from 'zod';
import type { AttackedImages } from './attackedImages.ts';
import { evaluationPlanSchema } from './evaluationSchema.ts';
import type { EvaluationPlan, RuntimeName } from './plan.ts';
import type { Row } from './records.ts';
import { runMarkSchema, type RunMark } from './runMark.ts';
import type { OutcomesResult } from './outcomes.ts';
import type { RunSummary } from './run.ts';
import type { RunSnapshot } from './snapshot.ts';
import { sweepAsks, type Estimate, type SweepPlace, type SweepSummary } from './sweep.ts';
import type { CheckpointContents, CheckpointDifference, KernelPictures } from './checkpoint.ts';
import type { DatasetLook, LookProgress } from './datasetLook.ts';
import { seriesQueryParts, type SeriesProgress, type SeriesResult } from './series.ts';

export const protocolVersion = 2;

/** Largest message that a client accepts, and the server sends. */
export const maxMessageBytes = 60_000_000;

/** Largest message that the server accepts: an experiment's text is its largest part. */
export const maxRequestBytes = 4 * 1024 * 1024;

export interface Requests {
  'server/hello': { params: HelloParams; result: HelloResult };
  /** Ends the server, as a signal would: its runs write a checkpoint and are interrupted. */
  'server/end': { params: Record<string, never>; result: Record<string, never> };
  'run/list': { params: Record<string, never>; result: { runs: RunSummary[] } };
  /** One run a seed. */
  'run/start': { params: RunStartParams; result: { runs: RunSummary[] } };
  /** Begins the sweep of an experiment with a matrix, or goes on with it: several of its cells at once, each once. */
  'sweep/start': { params: SweepStartParams; result: SweepSummary };
  'sweep/places': { params: Record<string, never>; result: { places: SweepPlace[] } };
  'sweep/list': { params: Record<string, never>; result: { sweeps: SweepSummary[] } };
  /** One that works elsewhere hears it within seconds. */
  'sweep/ask': { params: SweepAskParams; result: SweepSummary };
  /** What the runs of an experiment would take, by the speeds last seen here; null of one that has a mistake. */
  'experiment/estimate': { params: RunStartParams; result: Estimate | null };
  /** Of all that its runs have on the disk. */
  'sweep/size': { params: SweepIdParams; result: { bytes: number } };
  'run/pause': { params: RunIdParams; result: RunSummary };
  /** Goes on: a paused run at once, an ended one (see `isResumable`) from its last checkpoint. */
  'run/resume': { params: RunResumeParams; result: RunSummary };
  /** Ends the run after its current step with a checkpoint; during an evaluation, ends that. */
  'run/stop': { params: RunIdParams; result: RunSummary };
  'run/delete': { params: RunIdParams; result: Record<string, never> };
  /** What a person has noted of it, in place of what was noted before. */
  'run/mark': { params: RunMarkParams; result: RunSummary };
  /** Trains on from a checkpoint as a run of its own; this one stays as it is. */
  'run/fork': { params: RunForkParams; result: RunSummary };
  /** Its plan as an experiment that compiles, with the learning rates times `factor`. */
  'run/experiment': { params: RunExperimentParams; result: RunExperimentResult };
  /** Of a long run some of its steps and norms; `series/progressed` tells how far it is read. */
  'run/snapshot': { params: RunIdParams; result: RunSnapshot };
  /** Values of runs by step in buckets, of rows of any number; `series/progressed` tells how far they are read. */
  'run/series': { params: RunSeriesParams; result: SeriesResult };
  /** The attacks of runs as curves, and their last shifts; `series/progressed` tells how far they are read. */
  'run/outcomes': { params: RunIdsParams; result: OutcomesResult };
  /** What the plans of runs say, as keys of an experiment file; null for a run whose plan can't be read. */
  'run/settings': { params: RunIdsParams; result: { settings: readonly (PlanSettings | null)[] } };
  /** From then on `run/progressed` brings the rows after the cursor, first those already there. */
  'run/subscribe': { params: RunSubscribeParams; result: Record<string, never> };
  'run/unsubscribe': { params: RunIdParams; result: Record<string, never> };
  /** Attacks the weights of a checkpoint (by default the last) of a run at rest. */
  'evaluation/start': { params: EvaluationStartParams; result: RunSummary };
  /** Goes on with an evaluation that was cut off or stopped, from its last whole batch. */
  'evaluation/resume': { params: EvaluationResumeParams; result: RunSummary };
  /** Images that an evaluation kept, a part of them. */
  'evaluation/images': { params: EvaluationImagesParams; result: AttackedImages };
  'checkpoint/inspect': { params: CheckpointInspectParams; result: CheckpointContents };
  'checkpoint/compare': { params: CheckpointCompareParams; result: CheckpointDifference };
  /** Some of a kernel's values, to be drawn. */
  'checkpoint/kernel': { params: CheckpointKernelParams; result: KernelPictures };
  /** Opens the data set that an experiment names, in a process of its own; `dataset/progressed` tells how far it is. */
  'dataset/look': { params: DatasetLookParams; result: DatasetLook };
  'device/list': { params: DeviceListParams; result: DeviceListResult };
}

export interface Notifications {
  /** At most ten a second for a run. */
  'run/progressed': { runId: string; rows: Row[] };
  /** A summary changed; a run that is gone has `isDeleted`. */
  'run/changed': { run: RunSummary; isDeleted: boolean };
  /** To the client that asked alone, at most ten a second, while a run's log is read for the first time. */
  'series/progressed': SeriesProgress;
  /** To the client that asked alone, at most ten a second for a look. */
  'dataset/progressed': LookProgress;
}

export type RequestMethod = keyof Requests;
export type NotificationMethod = keyof Notifications;

/** The name of a run's or a sweep's folder, which a person may have renamed; it leads nowhere else. */
const runId = z
  .string()
  .regex(/^[^/\\\0]{1,255}$/)
  .refine((name) => name !== '.' && name !== '..');

/** Absolute path of the folder that the data lies in now; where it is absent, the plan's. */
const dataFolder = z.string().min(1).max(4096).optional();

/** The experiment as text, so that unsaved edits count, and the absolute path that relative ones in it start at. */
const experiment = { text: z.string().max(1_000_000), file: z.string().max(4096).nullable() };

const start = z.strictObject({
  ...experiment,
  /** Overrides by path, for example `{"training.epochs": 2}`. */
  overrides: z.record(z.string(), z.unknown()).default({}),
});

/** Runs whose outcomes are asked for at once: an attack may have a distance of each of 10,000 images. */
export const mostOutcomes = 25;

/** What the server accepts, by method. */
export const paramsSchemas = {
  'server/hello': z.strictObject({ protocolVersion: z.int(), client: z.string().max(200) }),
  'server/end': z.strictObject({}),
  'run/list': z.strictObject({}),
  'run/start': start,
  'sweep/start': start.extend({ on: z.string().max(50).default('here') }),
  'experiment/estimate': start,
  'sweep/places': z.strictObject({}),
  'sweep/list': z.strictObject({}),
  'sweep/ask': z.strictObject({ sweepId: runId, ask: z.enum(sweepAsks) }),
  'sweep/size': z.strictObject({ sweepId: runId }),
  'run/pause': z.strictObject({ runId }),
  'run/resume': z.strictObject({ runId, dataFolder }),
  'run/stop': z.strictObject({ runId }),
  'run/delete': z.strictObject({ runId }),
  'run/mark': z.strictObject({ runId, mark: runMarkSchema }),
  'run/fork': z.strictObject({ runId, checkpoint: z.string().max(255) }),
  'run/experiment': z.strictObject({ runId, factor: z.number().gt(0).max(1000).default(1) }),
  'run/snapshot': z.strictObject({ runId }),
  'run/settings': z.strictObject({ runIds: z.array(runId).min(1).max(250) }),
  'run/outcomes': z.strictObject({ runIds: z.array(runId).min(1).max(mostOutcomes) }),
  'run/series': z.strictObject({ runIds: z.array(runId).min(1).max(250), ...seriesQueryParts }),
  'run/subscribe': z.strictObject({ runId, cursor: z.int().min(0) }),
  'run/unsubscribe': z.strictObject({ runId }),
  'evaluation/start': z.strictObject({
    runId,
    checkpoint: z.string().max(255).nullable(),
    evaluation: evaluationPlanSchema,
    dataFolder,
  }),
  'evaluation/resume': z.strictObject({ runId, evaluation: z.int().min(1), dataFolder }),
  'evaluation/images': z.strictObject({
    runId,
    evaluation: z.int().min(1),
    /** Of the weights attacked. */
    step: z.int().min(0),
    first: z.int().min(0),
    count: z.int().min(1).max(100),
  }),
  'checkpoint/inspect': z.strictObject({
    /** Absolute path of a `.safetensors` file. */
    file: z.string().max(4096),
  }),
  'checkpoint/compare': z.strictObject({ file: z.string().max(4096), other: z.string().max(4096) }),
  'checkpoint/kernel': z.strictObject({
    file: z.string().max(4096),
    tensor: z.string().max(1000),
    input: z.int().min(0),
    page: z.int().min(0),
  }),
  'dataset/look': z.strictObject({
    ...experiment,
    /** The client's name of this look, by which it is told how far it is. */
    lookId: z.string().max(100),
    /** Looks only at what is made: for a workspace that is not trusted. */
    isRestricted: z.boolean().default(false),
  }),
  'device/list': z.strictObject({
    /** Tests the runtimes again instead of remembering how they did. */
    isAnew: z.boolean().default(false),
  }),
} satisfies { [Method in RequestMethod]: z.ZodType };

export type HelloParams = z.input<(typeof paramsSchemas)['server/hello']>;
export type RunStartParams = z.input<(typeof paramsSchemas)['run/start']>;
export type SweepStartParams = z.input<(typeof paramsSchemas)['sweep/start']>;
export type SweepAskParams = z.input<(typeof paramsSchemas)['sweep/ask']>;
export type SweepIdParams = z.input<(typeof paramsSchemas)['sweep/size']>;
export type RunIdParams = z.input<(typeof paramsSchemas)['run/pause']>;
export interface RunMarkParams {
  readonly runId: string;
  readonly mark: RunMark;
}
export interface RunExperimentResult {
  readonly name: string;
  readonly text: string;
  /** The attack that the run is offered first. */
  readonly evaluation: EvaluationPlan;
}
export type RunForkParams = z.input<(typeof paramsSchemas)['run/fork']>;
export type RunExperimentParams = z.input<(typeof paramsSchemas)['run/experiment']>;
export type RunResumeParams = z.input<(typeof paramsSchemas)['run/resume']>;
export type RunIdsParams = z.input<(typeof paramsSchemas)['run/settings']>;
export type RunSeriesParams = z.input<(typeof paramsSchemas)['run/series']>;
export type RunSubscribeParams = z.input<(typeof paramsSchemas)['run/subscribe']>;
export type EvaluationStartParams = z.input<(typeof paramsSchemas)['evaluation/start']>;
export type EvaluationResumeParams = z.input<(typeof paramsSchemas)['evaluation/resume']>;
export type EvaluationImagesParams = z.input<(typeof paramsSchemas)['evaluation/images']>;
export type DeviceListParams = z.input<(typeof paramsSchemas)['device/list']>;
export type DatasetLookParams = z.input<(typeof paramsSchemas)['dataset/look']>;
export type CheckpointInspectParams = z.input<(typeof paramsSchemas)['checkpoint/inspect']>;
export type CheckpointCompareParams = z.input<(typeof paramsSchemas)['checkpoint/compare']>;
export type CheckpointKernelParams = z.input<(typeof paramsSchemas)['checkpoint/kernel']>;

/** By path, like `training.schedule.max`. */
export type PlanSettings = Readonly<Record<string, string | number | boolean>>;

export interface HelloResult {
  readonly protocolVersion: number;
  readonly serverVersion: string;
  /** Absolute path of the folder that holds the run folders. */
  readonly runsFolder: string;
  readonly pid: number;
}

export interface DeviceListResult {
  readonly devices: readonly DeviceReport[];
  /** What `auto` stands for. */
  readonly chosen: RuntimeName;
}

/** Whether a runtime works on this machine. */
export interface DeviceReport {
  readonly runtime: RuntimeName;
  readonly isAvailable: boolean;
  /** For example `1 thread · relaxed SIMD`. */
  readonly device: string;
  /** Why it is or isn't usable, and what to do. */
  readonly reason: string;
  /** Milliseconds of a small training step of the self-test; null where it was not tested or failed. */
  readonly stepMs: number | null;
  /** Those of NVIDIA that it computes on, like `cuda:1`; runs that name none are spread over them. */
  readonly gpus: readonly string[];
}
