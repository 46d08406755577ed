// A new run that goes on from a checkpoint of another: its rows up to there, that one checkpoint, and the same plan, or one of the same
// training. The other is only read.
import fs from 'node:fs';
import path from 'node:path';
import type { RunSummary } from '../protocol/run.ts';
import { checkpointFault } from './checkpointFile.ts';
import { LogWriter } from './logFile.ts';
import { encodeFrame } from './logFrames.ts';
import { thisProcess } from './owner.ts';
import { foldRows } from './resumeRun.ts';
import { checkpointsFolder, createRun, deleteRun, type NewRun } from './runFolder.ts';
import { RunHistory } from './runHistory.ts';
import { StorageError, storageError } from './storageError.ts';
import { isVoid, storedVersion } from './stored.ts';
import type { StoredRow, StoredState, Voids } from './stored.ts';

const rowsAFrame = 200;

/**
 * @param folder of the run that is forked
 * @param file name of one of its checkpoints
 * @param given what the new run is, where that is not what the other is; evaluations that the other made of its part of the images do not
 * come along
 * @returns the new run, to be resumed: interrupted at the checkpoint's step
 * @throws StorageError where that checkpoint is damaged or its rows are gone; then nothing is made.
 */
export function forkRun(folder: string, file: string, nowMs: number, given?: NewRun): RunSummary {
  const source = path.join(checkpointsFolder(folder), file);
  const fault = checkpointFault(source);
  if (fault !== null) throw new StorageError(fault);
  const history = new RunHistory(folder);
  try {
    const voids = voidsBehind(history, file);
    const { plan, description, experimentText, experimentFile, versions } = given ?? history.origin;
    const made = createRun(
      path.dirname(folder),
      { plan, description, experimentText, experimentFile, versions },
      nowMs,
    );
    try {
      fs.copyFileSync(source, path.join(checkpointsFolder(made.folder), file), fs.constants.COPYFILE_EXCL);
      const isOfPart = given !== undefined && history.origin.plan.part !== undefined;
      const isLeft = (row: StoredRow) => isVoid(row, voids) || (isOfPart && 'evaluation' in row.record);
      writeLog(made, history, { step: voids.step, isLeft, nowMs });
    } catch (error) {
      deleteRun(made.folder, nowMs);
      throw storageError(made.folder, error, 'try again');
    }
    return made;
  } finally {
    history.close();
  }
}

function voidsBehind(history: RunHistory, file: string): Voids {
  const found: Voids[] = [];
  history.forEachRow(0, ({ record, seq }) => {
    if (record.type === 'checkpointed' && record.file === file) found.push({ step: record.step, seq });
  });
  const last = found.at(-1);
  if (last) return last;
  throw new StorageError(`${file} is not in the log of ${history.folder}: what was trained up to it is not known.`);
}

interface LogBeginning {
  readonly step: number;
  /** Whether a row does not come along. */
  readonly isLeft: (row: StoredRow) => boolean;
  readonly nowMs: number;
}

function writeLog(made: RunSummary, history: RunHistory, { step, isLeft, nowMs }: LogBeginning): void {
  const { progress, evaluations, firstSeq } = foldRows(history, isLeft);
  const message = `Goes on from step ${String(step)} of ${path.basename(history.folder)}.`;
  const checkpoints = progress.checkpoints.filter((one) => one.step === step);
  const log = new LogWriter(made.folder, {
    ...{ format: 'kafscope log', version: storedVersion, number: 0, owner: thisProcess(), work: 'note' },
    ...{ startedMs: nowMs, firstSeq: 1, voids: null, restStatus: null },
  });
  try {
    let rows: StoredRow[] = [];
    const flush = () => {
      if (rows.length > 0) log.append(encodeFrame('rows', rows));
      rows = [];
    };
    history.forEachRow(0, (row) => {
      if (isLeft(row)) return;
      rows.push(row);
      if (rows.length >= rowsAFrame) flush();
    });
    flush();
    const state: StoredState = {
      progress: { ...progress, checkpoints, status: 'interrupted', message, updatedMs: nowMs, workedMs: 0 },
      ...{ seq: firstSeq - 1, evaluations },
    };
    log.append(encodeFrame('state', state));
    log.sync();
  } finally {
    log.close();
  }
}
