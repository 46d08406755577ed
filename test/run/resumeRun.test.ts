// A resumed run's log and weights equal those of a run that was never cut off.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isResumable } from '../../server/protocol/run.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { RunDatabase } from '../../server/run/runDatabase.ts';
import { checkpointsFolder, databaseFile } from '../../server/run/runFolder.ts';
import { isAbandoned, prepareEvaluation, prepareResume, settleRun } from '../../server/run/resumeRun.ts';
import { RunReader } from '../../server/run/runReader.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, fromStart, readRows, startScriptedRun, trainScripted } from './scriptedRun.ts';

/** Ends at step 7 with a checkpoint there. */
async function interruptedRun(): Promise<string> {
  const { folder } = createScriptedRun(scriptedPlan('steps'));
  const { control, ended } = startScriptedRun(folder, fromStart, {
    onChange: (summary) => {
      if (summary.step === 7) control.interrupt('The server went away.');
    },
  });
  await ended;
  return folder;
}

async function resume(folder: string) {
  const { checkpoint } = prepareResume(folder, 5_000_000);
  return startScriptedRun(folder, { type: 'train', checkpoint }).ended;
}

function records(folder: string): RunRecord[] {
  return readRows(folder).map((row) => row.record);
}

describe('resuming', () => {
  it('cuts the log after the last whole checkpoint and makes the rest again', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    // The newest checkpoint is cut off, as by a copy that broke: the one before counts, and steps 5 to 7 come again.
    fs.truncateSync(path.join(checkpointsFolder(folder), 'step-7.safetensors'), 300);
    const end = await resume(folder);
    expect(end).toMatchObject({ status: 'finished', message: null, step: 12 });
    expect(records(folder)).toEqual(records(whole.folder));
    expect(readRows(folder).map(({ seq }) => seq)).toEqual(readRows(whole.folder).map(({ seq }) => seq));
    expect(end.checkpoints).toEqual(whole.checkpoints);
    const weights = (run: string) => readCheckpoint(path.join(checkpointsFolder(run), 'step-12.safetensors')).state;
    expect(weights(folder)).toEqual(weights(whole.folder));
  });

  it('goes on from the checkpoint of an interruption, which stays in the log', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    await resume(folder);
    const isScheduled = (record: RunRecord) => !(record.type === 'checkpointed' && record.step === 7);
    expect(records(folder)).toHaveLength(records(whole.folder).length + 1);
    expect(records(folder).filter(isScheduled)).toEqual(records(whole.folder));
  });

  it('begins again where no checkpoint is left', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    fs.rmSync(checkpointsFolder(folder), { recursive: true });
    expect(prepareResume(folder, 5_000_000)).toMatchObject({
      checkpoint: null,
      summary: { step: 0, loss: null, checkpoints: [], status: 'queued' },
    });
    await startScriptedRun(folder).ended;
    expect(records(folder)).toEqual(records(whole.folder));
  });

  it('keeps evaluations of the weights it goes on from, and numbers later ones after them', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps', { evaluation: [scriptedEvaluation] }));
    const first = startScriptedRun(folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 7) first.control.stop();
      },
    });
    await first.ended;
    prepareEvaluation(folder, 4_000_000);
    const work = { type: 'evaluate', checkpoint: 'step-7.safetensors', evaluation: scriptedEvaluation } as const;
    await startScriptedRun(folder, work).ended;
    await resume(folder);
    const evaluations = records(folder).flatMap((record) => (record.type === 'evaluationStarted' ? [record] : []));
    expect(evaluations.map(({ evaluation, step }) => [evaluation, step])).toEqual([
      [1, 7],
      [2, 12],
    ]);
  });

  it('tells TensorBoard from which step on older files are void', async () => {
    const folder = await interruptedRun();
    const before = fs.readdirSync(folder).filter((name) => name.includes('tfevents'));
    expect(before).toHaveLength(1);
    const sessionStart = Buffer.from([0x10, 8, 0x3a, 2, 8, 1]); // step 8 · session_log {status: START}
    expect(fs.readFileSync(path.join(folder, before[0]!)).includes(sessionStart)).toBe(false);
    await resume(folder);
    const written = Buffer.concat(
      fs
        .readdirSync(folder)
        .flatMap((name) => (name.includes('tfevents') ? [fs.readFileSync(path.join(folder, name))] : [])),
    );
    expect(written.includes(sessionStart)).toBe(true);
  });

  it('makes the summary anew from the rows that stay', async () => {
    const folder = await interruptedRun();
    fs.rmSync(path.join(checkpointsFolder(folder), 'step-7.safetensors'));
    const { summary, checkpoint } = prepareResume(folder, 5_000_000);
    expect(checkpoint).toBe('step-4.safetensors');
    expect(summary).toMatchObject({
      status: 'queued',
      step: 4,
      epoch: 1,
      loss: 1 / 4,
      cleanAccuracy: 4 / 5,
      steps: 12,
    });
    expect(summary.checkpoints.map(({ step }) => step)).toEqual([4]);
  });
});

describe('a run whose process is gone', () => {
  it('counts as abandoned when its process does not exist or has not been heard of for ten minutes', async () => {
    const folder = await interruptedRun();
    const database = RunDatabase.open(databaseFile(folder), 'read');
    const state = database.readState();
    database.close();
    const live = { ...state, summary: { ...state.summary, status: 'training' as const }, heartbeatMs: 1000 };
    expect(isAbandoned({ ...live, pid: process.pid }, 2000)).toBe(false);
    expect(isAbandoned({ ...live, pid: process.pid }, 1000 + 601_000)).toBe(true);
    expect(isAbandoned({ ...live, pid: 2 ** 30 }, 2000)).toBe(true);
    expect(isAbandoned({ ...live, pid: null }, 2000)).toBe(true);
    expect(isAbandoned({ ...state, pid: null }, 2000)).toBe(false);
  });

  it('falls back to its status of before where only its evaluation was cut off', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    prepareEvaluation(folder, 4_000_000);
    const settled = settleRun(folder, 5_000_000, { status: 'interrupted', message: 'The trainer process is gone.' });
    expect(settled).toMatchObject({ status: 'finished', message: 'The trainer process is gone.' });
    expect(isResumable(settled)).toBe(false);
  });
});

describe('RunReader', () => {
  it('grows a snapshot with the log to what a fresh fold gives', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const growing = new RunReader();
    const cursors: number[] = [];
    const { ended } = startScriptedRun(folder, fromStart, {
      onChange: (summary) => cursors.push(growing.snapshot(summary).cursor),
    });
    const run = await ended;
    const fresh = new RunReader();
    expect(growing.snapshot(run)).toEqual(fresh.snapshot(run));
    expect(new Set(cursors).size).toBeGreaterThan(10);
    growing.close();
    fresh.close();
  });

  it('gives the rows after a cursor', async () => {
    const run = await trainScripted(scriptedPlan('steps'));
    const reader = new RunReader();
    const rows = readRows(run.folder);
    expect(reader.rows(run, 0)).toEqual(rows);
    expect(reader.rows(run, 5)).toEqual(rows.slice(5));
    expect(reader.rows(run, rows.length)).toEqual([]);
    expect(reader.lastSeq(run)).toBe(rows.length);
    reader.close();
  });
});
