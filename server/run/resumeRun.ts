// From where a run goes on: the newest checkpoint that is whole and up to which no step is missing. Only looks; the log that then
// begins says which rows of earlier ones count no more.
import fs from 'node:fs';
import path from 'node:path';
import { HealthWatch } from '../health/healthWatch.ts';
import { checkpointFault } from './checkpointFile.ts';
import { checkpointsFolder, progressOf, startingProgress, summaryOf } from './runFolder.ts';
import type { RunHistory } from './runHistory.ts';
import { isVoid } from './stored.ts';
import type { RunProgress, StoredRow, Voids } from './stored.ts';
import { SummaryFold } from './summaryFold.ts';

export interface ResumePoint {
  /** File name in the run's `checkpoints` folder; null to begin anew. */
  readonly checkpoint: string | null;
  readonly voids: Voids | null;
  /** As the rows that stay have it. */
  readonly progress: RunProgress;
  /** Has watched them. */
  readonly health: HealthWatch;
  readonly firstSeq: number;
  readonly evaluations: number;
  /** What was found wrong on the way, a sentence each. */
  readonly faults: readonly string[];
}

interface Checkpointed {
  readonly file: string;
  readonly step: number;
  readonly seq: number;
}

/**
 * The rows of steps after the checkpoint go, for the trainer makes them again, bit for bit; evaluations of weights up to that step
 * stay. Without a checkpoint everything goes.
 * @throws StorageError
 */
export function resumePoint(history: RunHistory): ResumePoint {
  const faults: string[] = [];
  const { checkpoints, firstMissing, hasRows } = survey(history);
  const chosen = checkpoints.findLast(({ file, step }) => {
    if (step >= firstMissing) {
      faults.push(`${file} is passed over: step ${String(firstMissing)} is missing in the log before it.`);
      return false;
    }
    const fault = checkpointFault(path.join(checkpointsFolder(history.folder), file));
    if (fault !== null) faults.push(fault);
    return fault === null;
  });
  const voids = hasRows ? { step: chosen?.step ?? -1, seq: chosen?.seq ?? 0 } : null;
  return {
    checkpoint: chosen?.file ?? null,
    voids,
    faults,
    ...foldRows(history, (row) => voids !== null && isVoid(row, voids)),
  };
}

/** Every checkpoint in the log, and the first step that the log should have and has not. */
function survey(history: RunHistory) {
  const checkpoints: Checkpointed[] = [];
  let firstMissing = Infinity;
  let lastStep = 0;
  let hasRows = false;
  history.forEachRow(0, ({ record, seq }) => {
    hasRows = true;
    if (record.type === 'step') {
      if (record.step !== lastStep + 1) firstMissing = Math.min(firstMissing, lastStep + 1);
      lastStep = record.step;
    }
    if (record.type === 'checkpointed') {
      // A state of steps that the log has not (yet): the rows before it were lost.
      if (record.step > lastStep) firstMissing = Math.min(firstMissing, lastStep + 1);
      checkpoints.push({ file: record.file, step: record.step, seq });
    }
  });
  return { checkpoints: checkpoints.toSorted((a, b) => a.step - b.step), firstMissing, hasRows };
}

/** What the rows that count make of the run. */
export function foldRows(history: RunHistory, isGone: (row: StoredRow) => boolean) {
  const { origin, folder, newest } = history;
  const health = new HealthWatch(origin.plan);
  const fold = new SummaryFold(summaryOf(folder, origin, newest, startingProgress(origin)), origin.plan, health);
  let evaluations = 0;
  let lastSeq = 0;
  history.forEachRow(0, (row: StoredRow) => {
    if (isGone(row)) return;
    fold.apply(row);
    lastSeq = row.seq;
    if (row.record.type === 'evaluationStarted') evaluations = Math.max(evaluations, row.record.evaluation);
  });
  const progress = progressOf(fold.summary);
  const checkpoints = progress.checkpoints.flatMap((one) => {
    const sizeBytes = fs.statSync(path.join(checkpointsFolder(folder), one.file), { throwIfNoEntry: false })?.size;
    return sizeBytes === undefined ? [] : [{ ...one, sizeBytes }];
  });
  return { progress: { ...progress, checkpoints }, health, evaluations, firstSeq: lastSeq + 1 };
}
