// A run as lists show it, from the end of its newest log; and whether it lives. Neither reads the whole log nor writes anything.
import fs from 'node:fs';
import path from 'node:path';
import { isLive } from '../protocol/run.ts';
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import type { Life, LifeWatch, Sign } from './lifeWatch.ts';
import { beatFile, fileSize, logFile, newestLog, readHead, readTail } from './logFile.ts';
import { OldRun, oldRunFile } from './oldRun.ts';
import type { Owner } from './owner.ts';
import { originFile, readOrigin, startingProgress, summaryOf } from './runFolder.ts';
import { storedStateSchema } from './stored.ts';
import { storedRows } from './storedRows.ts';
import type { LogHead, RunOrigin, RunProgress } from './stored.ts';
import { SummaryFold } from './summaryFold.ts';

export interface RunGlance {
  readonly origin: RunOrigin;
  /** With the status that its writer gave it last. */
  readonly summary: RunSummary;
  /** Who wrote it last; null of a run that has not begun and of one of the older form. */
  readonly owner: Owner | null;
  /** To fall back to where its process is gone; null where that is `interrupted`. */
  readonly restStatus: RunStatus | null;
  readonly evaluations: number;
  readonly sign: Sign;
}

/** @throws StorageError */
export function glance(folder: string): RunGlance {
  const origin = readOrigin(folder);
  const newest = newestLog(folder);
  // A newest log without a state is one whose writer was cut off as it began: what was before it still holds.
  let seen: Seen | null = null;
  const last = Math.max(0, newest - maxCutOff);
  for (let number = newest; number >= last && !seen; number--) seen = glanceAtLog(folder, number, origin);
  seen ??= glanceAtOld(folder) ?? { progress: startingProgress(origin), evaluations: 0, head: null };
  const ofWriter = newest < 0 ? [] : [logFile(folder, newest), beatFile(folder, newest)].map(fileSize);
  return {
    origin,
    summary: summaryOf(folder, origin, newest, seen.progress),
    owner: seen.head?.owner ?? null,
    restStatus: seen.restStatus ?? seen.head?.restStatus ?? null,
    evaluations: seen.evaluations,
    sign: {
      incarnation: seen.head?.owner.incarnation ?? `${folder} ${String(newest)}`,
      value: [...ofWriter, seen.heartbeatMs ?? 0].join(),
    },
  };
}

/** Writers that were cut off as they began, one after another; behind more of them nothing is looked for. */
const maxCutOff = 100;

interface Seen {
  readonly progress: RunProgress;
  readonly evaluations: number;
  readonly head: LogHead | null;
  readonly restStatus?: RunStatus | null;
  readonly heartbeatMs?: number;
}

function glanceAtLog(folder: string, number: number, origin: RunOrigin): Seen | null {
  const file = logFile(folder, number);
  if (!fs.existsSync(file)) return null;
  const head = readHead(folder, number);
  const { found, after } = readTail(file, 'state');
  const state = found && storedStateSchema.safeParse(found.payload).data;
  if (!head || !state) return null;
  const fold = new SummaryFold(summaryOf(folder, origin, number, state.progress), origin.plan);
  for (const { kind, payload } of after)
    if (kind === 'rows') for (const row of storedRows(payload) ?? []) fold.apply(row);
  return { progress: { ...state.progress, ...rowFields(fold.summary) }, evaluations: state.evaluations, head };
}

/** What rows change. */
function rowFields(summary: RunSummary): Partial<RunProgress> {
  const { step, steps, epoch, epochs, loss, cleanAccuracy, checkpoints, health, updatedMs, workedMs } = summary;
  const { cleanWeights, robustAccuracy, figures, attackUnderWay } = summary;
  return {
    ...{ step, steps, epoch, epochs, loss, cleanAccuracy, cleanWeights, robustAccuracy, figures, attackUnderWay },
    ...{ checkpoints, health, updatedMs, workedMs },
  };
}

function glanceAtOld(folder: string): Seen | null {
  if (fs.existsSync(originFile(folder)) || !fs.existsSync(oldRunFile(folder))) return null;
  const old = new OldRun(folder);
  try {
    const { progress, evaluations, restStatus, heartbeatMs } = old.state();
    return { progress, evaluations, head: null, restStatus, heartbeatMs };
  } finally {
    old.close();
  }
}

/** The run as it is: one that is live on paper but whose process is gone is interrupted. Nothing of that is written. */
export function judged(seen: RunGlance, watch: LifeWatch): { summary: RunSummary; life: Life | null } {
  const { summary, owner, restStatus, sign } = seen;
  if (!isLive(summary.status)) return { summary, life: null };
  const life = watch.judge(owner, sign);
  if (life !== 'dead') return { summary, life };
  return {
    summary: {
      ...summary,
      status: restStatus ?? 'interrupted',
      message:
        restStatus === null
          ? `Its process ended without a message, as when the machine or the server is stopped. ${remedy(summary)}`
          : 'The process of its attack ended without a message. Go on with the attack: it continues behind its last batch.',
    },
    life,
  };
}

export function remedy({ checkpoints }: RunSummary): string {
  return checkpoints.length > 0
    ? 'Resume the run to go on from its last checkpoint.'
    : 'It had no checkpoint yet; resume the run to begin again.';
}

/** Where a live run is at work, for people; null where that is not known. */
export function placeOf({ owner }: RunGlance): string | null {
  if (!owner) return null;
  return `process ${String(owner.pid)} on ${owner.host}${owner.job ? `, ${owner.job}` : ''}`;
}

/** A run whose folder can't be read, so that it is listed all the same. */
export function damagedRun(folder: string, error: Error): RunSummary {
  const createdMs = fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const id = path.basename(folder);
  return {
    ...{ id, folder, name: id, seed: 0, createdMs, updatedMs: createdMs, description: 'damaged', experimentFile: null },
    ...{ status: 'damaged', message: error.message, step: 0, steps: 0, epoch: 0, epochs: 0, loss: null },
    ...{ cleanAccuracy: null, robustAccuracy: null, imagesPerSecond: null, device: null, memory: null },
    ...{ checkpoints: [], incarnation: -1, revision: 0 },
  };
}

/** Changes when the run is written to. */
export function filesSign(folder: string): string {
  try {
    const newest = newestOf(folder);
    const ofOld = fs.statSync(path.join(folder, 'run.db'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const ofOldLog = fileSize(path.join(folder, 'run.db-wal'));
    if (newest < 0) return [newest, ofOld, ofOldLog, fs.statSync(folder, { throwIfNoEntry: false })?.ino ?? 0].join();
    return [newest, fileSize(logFile(folder, newest)), fileSize(beatFile(folder, newest)), ofOld, ofOldLog].join();
  } catch (error) {
    return String(error); // as where the folder may not be looked into any more, which its next reader says
  }
}

export function newestOf(folder: string): number {
  try {
    return newestLog(folder);
  } catch {
    return -1; // the folder is gone, which its next reader says
  }
}
