// What the server and a trainer process say to each other, over node's IPC with structured clone. Rows don't go this way: the
// server reads them from the run's log, so that what it shows is what is kept.
import type { RunSummary } from '../protocol/run.ts';
import type { Work } from './runPlan.ts';

export type ToTrainer =
  | { readonly type: 'begin'; readonly folder: string; readonly work: Work }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop' }
  | { readonly type: 'interrupt'; readonly message: string };

export type FromTrainer =
  | { readonly type: 'ready' }
  /** The run's folder holds new rows or a new status; at most ten a second while the status stays. */
  | { readonly type: 'changed'; readonly summary: RunSummary }
  /** The work could not begin: what its disk says. Nobody else has the run, and the process ends now. */
  | { readonly type: 'refused'; readonly message: string }
  /** The run is at rest and the process ends now. */
  | { readonly type: 'ended'; readonly summary: RunSummary };
