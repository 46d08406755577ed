// Every way in which a run goes and ends, with a scripted trainer.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../server/protocol/run.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { RunDatabase } from '../../server/run/runDatabase.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { prepareEvaluation } from '../../server/run/resumeRun.ts';
import { scriptedEvaluation, scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { createScriptedRun, fromStart, readRows, startScriptedRun, statuses, trainScripted } from './scriptedRun.ts';

describe('runPlan', () => {
  it('keeps every record in order, numbered from 1, with NaN and infinities as they are', async () => {
    const run = await trainScripted(scriptedPlan('steps'));
    expect(run.status).toBe('finished');
    const rows = readRows(run.folder);
    expect(rows.map((row) => row.seq)).toEqual(rows.map((_, index) => index + 1));
    const told = rows.map(({ record }) => `${record.type}${'step' in record ? String(record.step) : ''}`);
    expect(told.slice(0, 12)).toEqual([
      ...['prepared', 'step1', 'step2', 'norms2', 'step3', 'step4', 'norms4', 'shapes4', 'test4', 'checkpointed4'],
      ...['step5', 'step6'],
    ]);
    expect(told.at(-1)).toBe('checkpointed12');
    expect(rows.find(({ record }) => record.type === 'step' && record.step === 3)?.record).toMatchObject({
      loss: Number.NaN,
    });
    const norms = rows.flatMap(({ record }) => (record.type === 'norms' ? [record] : []));
    expect(norms[0]!.gradients).toEqual(Float32Array.of(Infinity));
    expect(norms[1]!.gradients).toEqual(Float32Array.of(Number.NaN));
    expect(norms[1]!.nonFiniteGradients).toEqual(Int32Array.of(4));
  });

  it('sums the rows up in the summary and lists the checkpoints', async () => {
    const run = await trainScripted(scriptedPlan('steps'));
    expect(run).toMatchObject({ step: 12, steps: 12, epoch: 3, epochs: 3, loss: 1 / 12, cleanAccuracy: 12 / 13 });
    expect(run).toMatchObject({ robustAccuracy: null, device: 'scripted', message: null });
    expect(run.imagesPerSecond).toBeGreaterThan(0);
    expect(run.checkpoints).toEqual(
      [4, 8, 12].map((step) => ({ file: `step-${String(step)}.safetensors`, step, epoch: step / 4 })),
    );
    expect(fs.readdirSync(checkpointsFolder(run.folder)).sort()).toEqual(
      run.checkpoints.map(({ file }) => file).sort(),
    );
  });

  it('writes each checkpoint whole, with the plan, the run and the versions', async () => {
    const plan = scriptedPlan('steps');
    const run = await trainScripted(plan);
    const { state, origin } = readCheckpoint(path.join(checkpointsFolder(run.folder), 'step-8.safetensors'));
    expect(state).toEqual(scriptedState(8, 2));
    expect(origin).toEqual({
      runId: run.id,
      step: 8,
      epoch: 2,
      plan,
      versions: { kafscope: '0.0.0-test', node: '24', runtime: 'scripted' },
    });
  });

  it('goes through its statuses in order and attacks the final weights as the plan says', async () => {
    const run = createScriptedRun(scriptedPlan('steps', { evaluation: [scriptedEvaluation, scriptedEvaluation] }));
    const { summaries, ended } = startScriptedRun(run.folder);
    expect((await ended).robustAccuracy).toBe(0.25);
    expect(statuses(summaries)).toEqual(['preparing', 'training', 'evaluating', 'finished']);
    const started = readRows(run.folder).flatMap(({ record }) => (record.type === 'evaluationStarted' ? [record] : []));
    expect(started.map(({ evaluation, step }) => [evaluation, step])).toEqual([
      [1, 12],
      [2, 12],
    ]);
  });

  it('pulls nothing while it is paused, and goes on afterwards', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const paused = Promise.withResolvers<void>();
    const summaries: RunSummary[] = [];
    const { control, ended } = startScriptedRun(run.folder, fromStart, {
      onChange: (summary) => {
        summaries.push(summary);
        if (summary.status === 'paused') paused.resolve();
        else if (summary.step === 7 && !summaries.some(({ status }) => status === 'paused')) control.pause();
      },
    });
    await paused.promise;
    const before = readRows(run.folder).length;
    // A run that is not paused ends within twenty turns of the event loop.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(readRows(run.folder)).toHaveLength(before);
    control.resume();
    expect(await ended).toMatchObject({ status: 'finished', step: 12 });
    expect(statuses(summaries)).toEqual(['preparing', 'training', 'paused', 'training', 'finished']);
  });

  it('stops after the current step with a checkpoint', async () => {
    const run = createScriptedRun(scriptedPlan('endless', { evaluation: [scriptedEvaluation] }));
    const { control, ended } = startScriptedRun(run.folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 7) control.stop();
      },
    });
    const end = await ended;
    expect(end).toMatchObject({ status: 'stopped', message: null, step: 7 });
    expect(end.checkpoints.at(-1)).toEqual({ file: 'step-7.safetensors', step: 7, epoch: 1 });
    expect(readRows(run.folder).some(({ record }) => record.type === 'evaluationStarted')).toBe(false);
  });

  it('stops out of a pause', async () => {
    const run = createScriptedRun(scriptedPlan('endless'));
    const { control, ended } = startScriptedRun(run.folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 3 && summary.status === 'training') control.pause();
        if (summary.status === 'paused') control.stop();
      },
    });
    expect(await ended).toMatchObject({ status: 'stopped', step: 3 });
  });

  it('ends as interrupted with the reason', async () => {
    const run = createScriptedRun(scriptedPlan('endless'));
    const { control, ended } = startScriptedRun(run.folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 5) control.interrupt('The server went away.');
      },
    });
    expect(await ended).toMatchObject({ status: 'interrupted', message: 'The server went away.', step: 5 });
  });

  it('ends as diverged with the message of the record, and evaluates nothing', async () => {
    const run = await trainScripted(scriptedPlan('diverges', { evaluation: [scriptedEvaluation] }));
    expect(run).toMatchObject({
      status: 'diverged',
      message: 'The loss is not finite. Lower the learning rate.',
      step: 4,
    });
    expect(readRows(run.folder).at(-1)?.record.type).toBe('diverged');
  });

  it("ends as failed with the trainer's sentence and keeps what was recorded", async () => {
    const run = await trainScripted(scriptedPlan('throws'));
    expect(run).toMatchObject({ status: 'failed', message: 'Out of memory. Lower training.batchSize.', step: 4 });
    expect(readRows(run.folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 4 });
  });

  it('ends as failed where the data is missing', async () => {
    const run = await trainScripted(scriptedPlan('missing-data'));
    expect(run).toMatchObject({ status: 'failed', message: 'There is no data. Download it first.' });
  });

  it('evaluates a run at rest and gives it its status back', async () => {
    const { folder, status } = await trainScripted(scriptedPlan('throws'));
    prepareEvaluation(folder, 2_000_000);
    const work = { type: 'evaluate', checkpoint: 'step-4.safetensors', evaluation: scriptedEvaluation } as const;
    const { ended, summaries } = startScriptedRun(folder, work);
    expect(await ended).toMatchObject({ status, cleanAccuracy: 0.8, robustAccuracy: 0.25 });
    expect(statuses(summaries)).toEqual(['preparing', 'evaluating', 'failed']);
  });

  it('ends a stopped evaluation with partial figures and the status of before', async () => {
    const stopped = createScriptedRun(scriptedPlan('endless'));
    const training = startScriptedRun(stopped.folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 5) training.control.stop();
      },
    });
    await training.ended;
    prepareEvaluation(stopped.folder, 2_000_000);
    const work = {
      type: 'evaluate',
      checkpoint: 'step-5.safetensors',
      evaluation: { ...scriptedEvaluation, samples: 1_000_000 },
    };
    const { control, ended } = startScriptedRun(
      stopped.folder,
      { ...work, type: 'evaluate' },
      {
        onRows: (rows) => {
          if (rows.some(({ record }) => record.type === 'attackProgress')) control.stop();
        },
      },
    );
    expect(await ended).toMatchObject({ status: 'stopped', step: 5 });
    expect(readRows(stopped.folder).at(-1)?.record).toMatchObject({ type: 'evaluationFinished', isPartial: true });
  });
});

describe('a disk that refuses', () => {
  it('ends the run as failed when the database is full, with all that was committed', async () => {
    const run = createScriptedRun(scriptedPlan('endless'));
    const summaries: string[] = [];
    let committed = 0;
    const { ended } = startScriptedRun(run.folder, fromStart, {
      openDatabase: (file) => {
        const database = RunDatabase.open(file, 'write');
        database.limitSize(64_000);
        return database;
      },
      onRows: (rows) => (committed += rows.length),
      onChange: (summary) => summaries.push(summary.message ?? summary.status),
    });
    const end = await ended;
    expect(end.status).toBe('failed');
    expect(end.message).toMatch(
      /^The disk is full: .*run\.db can't be written\. Free some space, then resume the run\.$/,
    );
    expect(summaries.at(-1)).toBe(end.message);
    expect(committed).toBeGreaterThan(20);
    const rows = readRows(run.folder);
    expect(rows).toHaveLength(committed);
    expect(rows.at(-1)?.seq).toBe(committed);
  });

  it('ends the run as failed when a checkpoint finds no space, and leaves no half file', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const folder = checkpointsFolder(run.folder);
    // The kernel's own full disk: every write to it fails for lack of space.
    fs.symlinkSync('/dev/full', path.join(folder, 'step-8.safetensors.tmp'));
    const end = await startScriptedRun(run.folder).ended;
    expect(end).toMatchObject({ status: 'failed', step: 8 });
    expect(end.message).toMatch(/^The disk is full: .*step-8\.safetensors can't be written\. Free some space/);
    expect(end.checkpoints.map(({ step }) => step)).toEqual([4]);
    expect(fs.readdirSync(folder)).toEqual(['step-4.safetensors']);
    expect(readRows(run.folder).at(-1)?.record).toMatchObject({ type: 'test', step: 8 });
  });

  it('ends the run as failed when a folder stands where a checkpoint should be', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    fs.mkdirSync(path.join(checkpointsFolder(run.folder), 'step-4.safetensors.tmp'));
    const end = await startScriptedRun(run.folder).ended;
    expect(end.status).toBe('failed');
    expect(end.message).toContain('step-4.safetensors');
  });
});

describe('a database without write-ahead logging', () => {
  it('gathers rows for at most 200 ms and loses none at the end', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const batches: number[] = [];
    const { ended } = startScriptedRun(run.folder, fromStart, {
      openDatabase: (file) => RunDatabase.open(file, 'write', 'rollback'),
      onRows: (rows) => batches.push(rows.at(-1)!.timeMs - rows[0]!.timeMs),
    });
    await ended;
    expect(Math.max(...batches)).toBeLessThanOrEqual(200);
    expect(batches.length).toBeLessThan(readRows(run.folder).length);
    expect(readRows(run.folder).at(-1)?.record.type).toBe('checkpointed');
  });
});
