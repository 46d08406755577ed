// Messages between the extension host and its webviews. A webview says `ready`, the host answers with a complete state;
// afterwards the host sends what changed and the webview sends intents. Requests to the server never come from a webview
// directly.
import type { AttackedImages } from './attackedImages.ts';
import type { CheckpointContents, CheckpointDifference, KernelPictures } from './checkpoint.ts';
import type { DatasetLook, LookProgress } from './datasetLook.ts';
import type { PlanSettings } from './messages.ts';
import type { RunOutcome } from './outcomes.ts';
import type { EvaluationPlan } from './plan.ts';
import type { Suggestion, SweepPoint } from './learningRates.ts';
import type { Row } from './records.ts';
import type { SeriesProgress, SeriesQuery, SeriesResult } from './series.ts';
import type { RunSnapshot } from './snapshot.ts';
import type { CheckpointSummary, RunSummary } from './run.ts';
import type { SweepAsk, SweepSummary } from './sweep.ts';

/** How a message to a webview travels: as the bytes of codec.ts. Intents of a webview travel as they are. */
export interface Encoded {
  readonly bytes: Uint8Array;
}

/** Connection of the extension host with the server, as panels show it. */
export type ConnectionState =
  { readonly status: 'starting' | 'connected' | 'stopped' } | { readonly status: 'lost'; readonly message: string };

export type ToDashboard =
  | { readonly type: 'snapshot'; readonly snapshot: RunSnapshot }
  | { readonly type: 'rows'; readonly runId: string; readonly rows: readonly Row[] }
  | { readonly type: 'run'; readonly run: RunSummary }
  | { readonly type: 'runGone'; readonly runId: string }
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  /** What was kept of this run's dashboard, or of the last that was looked at; before the snapshot. */
  | { readonly type: 'view'; readonly runId: string; readonly view: unknown }
  /** What has been begun is seen there. */
  | { readonly type: 'showTab'; readonly tab: 'robustness' }
  | { readonly type: 'attackedImages'; readonly evaluation: number; readonly images: AttackedImages }
  | { readonly type: 'noAttackedImages'; readonly evaluation: number; readonly message: string }
  | ({ readonly type: 'reading' } & SeriesProgress)
  | SeriesAnswer
  | { readonly type: 'failed'; readonly message: string };

/** Answers `askSeries` of that key and number. */
export interface SeriesAnswer {
  readonly type: 'series';
  readonly key: string;
  readonly asked: number;
  readonly result: SeriesResult | null;
  readonly failure: string | null;
}

/** Answered by `series`. */
export interface SeriesIntent extends SeriesQuery {
  readonly type: 'askSeries';
  /** Of the panel's own, for what is asked, and counted up at each posting. */
  readonly key: string;
  readonly asked: number;
  readonly runIds: readonly string[];
}

/** Answered by `outcomes`. */
export interface OutcomesIntent {
  readonly type: 'askOutcomes';
  /** Counted up at each posting. */
  readonly asked: number;
  readonly runIds: readonly string[];
}

export interface OutcomesAnswer {
  readonly type: 'outcomes';
  readonly asked: number;
  readonly runs: readonly RunOutcome[] | null;
  readonly failure: string | null;
}

export type FromDashboard =
  | { readonly type: 'ready' }
  | { readonly type: 'keepView'; readonly view: object }
  | RunIntent
  | { readonly type: 'evaluate'; readonly runId: string; readonly evaluation: EvaluationPlan }
  /** Goes on with one that was cut off or stopped. */
  | { readonly type: 'resumeEvaluation'; readonly runId: string; readonly evaluation: number }
  | AttackedImagesIntent
  | SeriesIntent
  | FileIntent
  /** `path`: of what to show in it, for example `model.network.layers[3]`. */
  | { readonly type: 'openExperiment'; readonly file: string; readonly path?: string }
  | { readonly type: 'openCheckpoint'; readonly runId: string; readonly file: string }
  /** Its plan as a new experiment, with half the learning rates. */
  | { readonly type: 'halveLearningRate'; readonly runId: string };

/** Answered by `attackedImages` or `noAttackedImages`. */
export interface AttackedImagesIntent {
  readonly type: 'showAttackedImages';
  readonly runId: string;
  readonly evaluation: number;
  /** Of the weights attacked. */
  readonly step: number;
  readonly first: number;
  readonly count: number;
}

export type ToCompare =
  /** Where the runs are of a sweep, before the first `runs`, and whenever it changes. `bytes`: of its runs on the disk, once counted. */
  | { readonly type: 'sweep'; readonly sweep: SweepSummary; readonly bytes: number | null }
  /** The whole set, and what is kept of how it, or else another, was looked at; again where a sweep got another run. */
  | {
      readonly type: 'runs';
      readonly runs: readonly ComparedRun[];
      readonly view: unknown;
      readonly isOwnView: boolean;
    }
  /** One of them changed, or is gone. */
  | { readonly type: 'run'; readonly run: RunSummary; readonly isDeleted: boolean }
  | ({ readonly type: 'reading' } & SeriesProgress)
  | SeriesAnswer
  | OutcomesAnswer
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  | { readonly type: 'failed'; readonly message: string };

export interface ComparedRun {
  readonly run: RunSummary;
  /** Null where its plan can't be read. Of a cell its values as the matrix has them. */
  readonly settings: PlanSettings | null;
  /** What it is called in the sweep; absent where runs were chosen. */
  readonly cell?: string;
}

/** For the clipboard, or for a file whose place is asked for; `content` is text, or bytes of a picture. */
export type FileIntent =
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'saveFile'; readonly name: string; readonly content: string | Uint8Array };

export type FromCompare =
  | { readonly type: 'ready' }
  | SeriesIntent
  | OutcomesIntent
  | { readonly type: 'keepView'; readonly view: object }
  | FileIntent
  | { readonly type: 'askSweep'; readonly ask: SweepAsk }
  /** That of the sweep. */
  | { readonly type: 'openExperiment' }
  | { readonly type: 'openDashboard'; readonly runId: string };

/** All that the monitor shows, at most a few times a second. */
export interface ToMonitor {
  readonly type: 'state';
  readonly connection: ConnectionState;
  /** Live runs first, then the newest ended one; empty before the first run. */
  readonly runs: readonly MonitoredRun[];
}

/** A run with the ends of its curves, enough for sparklines. */
export interface MonitoredRun {
  readonly run: RunSummary;
  readonly loss: readonly number[];
  /** Of the batches trained on; what there is to see before the first test. */
  readonly batchAccuracy: readonly number[];
  readonly accuracy: readonly number[];
  readonly robustAccuracy: readonly number[];
  readonly imagesPerSecond: readonly number[];
}

export type FromMonitor =
  | { readonly type: 'ready' }
  | RunIntent
  | { readonly type: 'openDashboard'; readonly runId: string }
  | { readonly type: 'newExperiment' }
  | { readonly type: 'showLog' };

export interface RunIntent {
  readonly type: 'pause' | 'resume' | 'stop';
  readonly runId: string;
}

export type ToCheckpoint =
  | { readonly type: 'contents'; readonly contents: CheckpointContents }
  /** Of what was chosen to compare with; null for nothing. */
  | { readonly type: 'compared'; readonly comparison: Comparison | null }
  | { readonly type: 'kernel'; readonly pictures: KernelPictures }
  | { readonly type: 'noKernel'; readonly tensor: string; readonly message: string }
  /** Null where the file is of no run that is known here. */
  | { readonly type: 'place'; readonly place: CheckpointPlace | null }
  | { readonly type: 'failed'; readonly message: string };

/** Where a file stands among the checkpoints of its run. */
export interface CheckpointPlace {
  readonly runId: string;
  readonly checkpoints: readonly CheckpointSummary[];
  /** Whether the run is at rest, so that it can be attacked and trained on from. */
  readonly canEvaluate: boolean;
  /** Whether the run itself can go on, as it does from its last checkpoint. */
  readonly canResume: boolean;
}

/** Another file beside the one that is shown. */
export type Comparison = { readonly name: string } & (
  | { readonly status: 'reading' }
  | { readonly status: 'failed'; readonly message: string }
  | { readonly status: 'done'; readonly difference: CheckpointDifference }
);

export type FromCheckpoint =
  | FileIntent
  /** Another checkpoint of the run, by the name of its file. */
  | { readonly type: 'show'; readonly file: string }
  | { readonly type: 'evaluate' | 'fork'; readonly runId: string; readonly file: string }
  | { readonly type: 'resume'; readonly runId: string }
  /** With another checkpoint of the run, by the name of its file; null for none any more. */
  | { readonly type: 'compare'; readonly file: string | null }
  /** With a file that the user is asked for. */
  | { readonly type: 'compareWithFile' }
  | { readonly type: 'askKernel'; readonly tensor: string; readonly input: number; readonly page: number }
  | { readonly type: 'ready' }
  | { readonly type: 'reload' }
  | { readonly type: 'openRun'; readonly runId: string }
  | { readonly type: 'openAsExperiment'; readonly name: string; readonly text: string };

export type ToDataset =
  /** `progress` is null until something is known. */
  | { readonly type: 'progress'; readonly progress: Omit<LookProgress, 'lookId'> | null }
  | { readonly type: 'look'; readonly look: DatasetLook }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'cancelled' };

export type FromDataset = { readonly type: 'ready' | 'reload' | 'cancel' } | FileIntent;

/** All that the panel of a sweep shows, at most ten times a second. */
export interface ToLearningRate {
  /** The file's name. */
  readonly name: string;
  readonly status: 'running' | 'done' | 'cancelled' | 'failed';
  /** Why it failed; null otherwise. */
  readonly message: string | null;
  /** That were asked for; a loss that explodes ends a sweep before. */
  readonly steps: number;
  readonly points: readonly SweepPoint[];
  readonly suggestions: readonly Suggestion[];
  /** What they come to for a schedule's ends; null where the loss never fell. */
  readonly ends: RateEnds | null;
  /** What was written into the file; null before. */
  readonly applied: RateEnds | null;
}

export interface RateEnds {
  readonly min: number;
  readonly max: number;
}

export type FromLearningRate =
  FileIntent | { readonly type: 'ready' | 'cancel' | 'again' } | ({ readonly type: 'apply' } & RateEnds);
