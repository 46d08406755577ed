// A run that goes on from a checkpoint of another.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { RunRecord } from '../../server/protocol/records.ts';
import { writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { forkRun } from '../../server/run/forkRun.ts';
import { logFile, readHead, readPassage } from '../../server/run/logFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { checkpointsFolder, listRunFolders, readOrigin } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { StorageError } from '../../server/run/storageError.ts';
import { begin } from './handMadeLog.ts';
import {
  createScriptedRun,
  filesOf,
  goOn,
  readRows,
  startScriptedRun,
  trainScripted,
  watchFiles,
} from './scriptedRun.ts';
import { scriptedEvaluation, scriptedPlan, scriptedState } from './scriptedTrainer.ts';

const checkpointed = { type: 'checkpointed', step: 4, epoch: 1, file: 'step-4.safetensors' } as const;
const tested = { type: 'test', step: 4, epoch: 1, loss: 1, accuracy: 0.5, samples: 10 } as const;
const test: RunRecord = { ...tested, robustAccuracy: null, robustSamples: 0 };
const evaluated: RunRecord = {
  ...{ type: 'evaluationStarted', evaluation: 1, plan: scriptedEvaluation, step: 4, samples: 10 },
};

/** A run whose log holds these records, with the checkpoint of step 4. */
function runOf(records: readonly (RunRecord & { step: number })[], plan = scriptedPlan('steps')): string {
  const { folder } = createScriptedRun(plan);
  const rows = records.map((record, index) => ({ seq: index + 1, timeMs: index, step: record.step, record }));
  begin(folder, 0, { further: [encodeFrame('rows', rows)] });
  const origin = { plan, runId: path.basename(folder), versions: {} };
  fs.mkdirSync(checkpointsFolder(folder), { recursive: true });
  writeCheckpoint(path.join(checkpointsFolder(folder), 'step-4.safetensors'), scriptedState(4, 1), origin);
  return folder;
}

const fork = (folder: string) => forkRun(folder, 'step-4.safetensors', 1).folder;
const recordsOf = (folder: string) => readRows(folder).map(({ record }) => record);

describe('a fork', () => {
  it('is a run of its own, cut off at the checkpoint, that ends as the other did; the other is only read', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const before = filesOf(folder);
    const made = forkRun(folder, 'step-4.safetensors', 1);
    expect(glance(made.folder).summary).toMatchObject({
      ...{ status: 'interrupted', step: 4, steps: 12, cleanAccuracy: 4 / 5 },
      checkpoints: [{ file: 'step-4.safetensors', step: 4, epoch: 1 }],
      message: `Goes on from step 4 of ${path.basename(folder)}.`,
    });
    expect(await startScriptedRun(made.folder, goOn(made.folder)).ended).toMatchObject({
      status: 'finished',
      step: 12,
    });
    const records = (run: string) => readRows(run).map(({ record }) => record);
    expect(records(made.folder)).toEqual(records(folder));
    for (const name of ['step-4.safetensors', 'step-12.safetensors']) {
      const tensorsOf = (run: string) => fs.readFileSync(path.join(checkpointsFolder(run), name)).subarray(-80);
      expect(tensorsOf(made.folder)).toEqual(tensorsOf(folder));
    }
    expect(filesOf(folder)).toEqual(before);
  });

  it('has from the start the rows up to its checkpoint as they were, and that checkpoint alone', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const rows = readRows(folder);
    const last = rows.find(({ record }) => record.type === 'checkpointed' && record.step === 8)!.seq;
    const made = forkRun(folder, 'step-8.safetensors', 1);
    expect(made).toMatchObject({ status: 'waiting', createdMs: 1 });
    expect(readRows(made.folder)).toEqual(rows.filter(({ seq }) => seq <= last));
    expect(fs.readdirSync(checkpointsFolder(made.folder))).toEqual(['step-8.safetensors']);
    const checkpoint = (run: string) => fs.readFileSync(path.join(checkpointsFolder(run), 'step-8.safetensors'));
    expect(checkpoint(made.folder)).toEqual(checkpoint(folder));
    expect(readHead(made.folder, 0)).toMatchObject({ work: 'note', firstSeq: 1, startedMs: 1, voids: null });
    expect(glance(made.folder).summary.workedMs).toBe(0);
    const history = new RunHistory(made.folder);
    expect(history.lastSeq()).toBe(last);
    history.close();
  });

  it.each([
    [1, ['head', 'rows', 'state']],
    [200, ['head', 'rows', 'state']],
    [201, ['head', 'rows', 'rows', 'state']],
  ])('of %d rows writes them two hundred at a time', (count, kinds) => {
    const steps = Array.from({ length: count - 1 }, (_, index) => ({
      ...{ type: 'step', step: Math.min(4, index + 1), epoch: 1, loss: index, accuracy: 0, learningRate: 1 },
    })) as (RunRecord & { step: number })[];
    // Its first row counts as any other.
    const folder = runOf([checkpointed, ...steps]);
    const made = fork(folder);
    expect(readRows(made)).toEqual(readRows(folder));
    expect(readPassage(logFile(made, 0), 0).frames.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('goes on from the checkpoint as it was made last: tests that came between stay', () => {
    const folder = runOf([
      checkpointed,
      test as typeof tested & RunRecord,
      checkpointed,
      test as typeof tested & RunRecord,
    ]);
    expect(recordsOf(fork(folder))).toEqual([checkpointed, test, checkpointed]);
  });

  it('of a part has none of its evaluations where it is to be another run, else all of those up to there', () => {
    const records = [checkpointed, evaluated as typeof evaluated & { step: number }];
    const part = scriptedPlan('steps', { part: { index: 0, of: 2 } });
    const forkedAs = (folder: string, given: boolean) => {
      const { versions } = readOrigin(folder);
      const plan = scriptedPlan('steps', { name: 'other' });
      const other = { plan, description: 'other', experimentText: '', experimentFile: null, versions };
      const made = forkRun(folder, 'step-4.safetensors', 1, given ? other : undefined).folder;
      expect(readOrigin(made).plan.name).toBe(given ? 'other' : 'steps');
      return recordsOf(made);
    };
    expect(forkedAs(runOf(records, part), true)).toEqual([checkpointed]);
    expect(forkedAs(runOf(records, part), false)).toEqual(records);
    expect(forkedAs(runOf(records), true)).toEqual(records);
  });

  it('is on the disk when it is told, and leaves nothing open', () => {
    const folder = runOf([checkpointed]);
    const watched = watchFiles();
    const closed = vi.spyOn(RunHistory.prototype, 'close');
    const synced = vi.spyOn(fs, 'fsyncSync');
    const written = vi.spyOn(fs, 'writeSync');
    try {
      fork(folder);
      expect(synced.mock.invocationCallOrder.at(-1)).toBeGreaterThan(written.mock.invocationCallOrder.at(-1)!);
      expect(closed).toHaveBeenCalledOnce();
      expect(watched().closed).toEqual(watched().opened);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('that the disk has no room for is not made', () => {
    const folder = runOf([checkpointed]);
    const copied = vi.spyOn(fs, 'copyFileSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    });
    try {
      expect(() => fork(folder)).toThrow(StorageError);
    } finally {
      copied.mockRestore();
    }
    expect(listRunFolders(path.dirname(folder))).toEqual([folder]);
  });

  it('is not made from a checkpoint that is damaged, or whose rows are gone', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const file = path.join(checkpointsFolder(folder), 'step-4.safetensors');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.copyFileSync(
      path.join(checkpointsFolder(folder), 'step-8.safetensors'),
      path.join(checkpointsFolder(folder), 'step-9.safetensors'),
    );
    fs.writeFileSync(file, bytes);
    expect(() => forkRun(folder, 'step-4.safetensors', 1)).toThrow(/is damaged/);
    expect(() => forkRun(folder, 'step-9.safetensors', 1)).toThrow(/is not in the log/);
    expect(listRunFolders(path.dirname(folder))).toEqual([folder]);
  });
});
