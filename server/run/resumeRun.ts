// Brings a run at rest back to a state from which a trainer can go on, and one whose process is gone to rest.
import fs from 'node:fs';
import path from 'node:path';
import { isLive } from '../protocol/run.ts';
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import { RunDatabase, StorageError } from './runDatabase.ts';
import type { RunState } from './runDatabase.ts';
import { checkpointsFolder, databaseFile } from './runFolder.ts';
import { forEachRow } from './runReader.ts';
import { heartbeatMs } from './runRecorder.ts';
import { SafetensorsFile } from './safetensors.ts';
import { clearedSummary, SummaryFold } from './summaryFold.ts';

/** A step on the slowest runtime takes minutes, during which no heartbeat comes; a process id is seldom reused so soon. */
const longestStepMs = 120 * heartbeatMs;

/**
 * Cuts the log after the newest whole checkpoint: the rows of later steps go, for the trainer makes them again, bit for bit;
 * evaluations of weights up to that step stay. Without a checkpoint everything goes. The run is `queued` then.
 * @throws StorageError
 */
export function prepareResume(folder: string, nowMs: number): { checkpoint: string | null; summary: RunSummary } {
  const database = RunDatabase.open(databaseFile(folder), 'write');
  try {
    const newest = database
      .readCheckpoints()
      .findLast(({ file }) => isWhole(path.join(checkpointsFolder(folder), file)));
    for (const file of database.cutAfter(newest?.step ?? -1)) {
      fs.rmSync(path.join(checkpointsFolder(folder), file), { force: true });
    }
    const { plan } = database.readOrigin();
    const state = database.readState();
    const fold = new SummaryFold({ ...clearedSummary(state.summary), folder }, plan);
    let evaluations = 0;
    forEachRow(database, 0, (row) => {
      fold.apply(row);
      if (row.record.type === 'evaluationStarted') evaluations = Math.max(evaluations, row.record.evaluation);
    });
    const summary: RunSummary = { ...fold.summary, status: 'queued', message: null, updatedMs: nowMs };
    database.commit([], [], { ...state, summary, evaluations, restStatus: null, pid: process.pid, heartbeatMs: nowMs });
    return { checkpoint: newest?.file ?? null, summary };
  } finally {
    database.close();
  }
}

/** Marks a run at rest as waiting for an evaluation; it falls back to its status afterwards. @throws StorageError */
export function prepareEvaluation(folder: string, nowMs: number): RunSummary {
  return changeState(folder, nowMs, (state) => ({
    ...state,
    restStatus: state.summary.status,
    summary: { ...state.summary, status: 'queued', message: null },
  }));
}

/** Ends a run whose process is gone. @throws StorageError */
export function settleRun(
  folder: string,
  nowMs: number,
  end: { status: RunStatus; message: string | null },
): RunSummary {
  return changeState(folder, nowMs, (state) => ({
    ...state,
    restStatus: null,
    summary: { ...state.summary, ...end, status: state.restStatus ?? end.status },
  }));
}

/** Live on paper, but no process has said so for a while. */
export function isAbandoned(state: RunState, nowMs: number): boolean {
  if (!isLive(state.summary.status)) return false;
  return state.pid === null || !isRunning(state.pid) || nowMs - state.heartbeatMs > longestStepMs;
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function changeState(folder: string, nowMs: number, change: (state: RunState) => RunState): RunSummary {
  const database = RunDatabase.open(databaseFile(folder), 'write');
  try {
    const { summary, ...rest } = change(database.readState());
    const state = { ...rest, summary: { ...summary, folder, updatedMs: nowMs }, pid: process.pid, heartbeatMs: nowMs };
    database.commit([], [], state);
    return state.summary;
  } finally {
    database.close();
  }
}

function isWhole(file: string): boolean {
  try {
    new SafetensorsFile(file).close();
    return true;
  } catch (error) {
    if (error instanceof StorageError) throw error;
    return false;
  }
}
