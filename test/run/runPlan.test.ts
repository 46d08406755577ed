// Every way in which a run goes and ends, with a scripted trainer.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DataError } from '../../server/data/dataError.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { glance } from '../../server/run/runGlance.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { RunRecorder } from '../../server/run/runRecorder.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import { openScriptedTrainer, scriptedEvaluation, scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import {
  createScriptedRun,
  fromStart,
  goOn,
  readRows,
  startScriptedRun,
  statuses,
  trainScripted,
} from './scriptedRun.ts';

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
      [4, 8, 12].map((step) => {
        const file = `step-${String(step)}.safetensors`;
        const sizeBytes = fs.statSync(path.join(checkpointsFolder(run.folder), file)).size;
        return { file, step, epoch: step / 4, sizeBytes };
      }),
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

  it('keeps of its checkpoints what the plan says, and lists no others', async () => {
    const keep = { last: 1, everyEpochs: 0, best: false };
    const { folder } = createScriptedRun(scriptedPlan('steps', { checkpoints: { keep } }));
    const first = startScriptedRun(folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 6) first.control.interrupt('The server went away.');
      },
    });
    const cut = await first.ended;
    expect(cut.checkpoints.map(({ step }) => step)).toEqual([6]);
    const end = await startScriptedRun(folder, goOn(folder)).ended;
    // The one that it went on from stays until its work is done.
    expect(end.checkpoints.map(({ step }) => step)).toEqual([6, 12]);
    expect(fs.readdirSync(checkpointsFolder(folder)).sort()).toEqual(['step-12.safetensors', 'step-6.safetensors']);
    expect(glance(folder).summary.checkpoints.map(({ step }) => step)).toEqual([6, 12]);
  });

  it('removes what a killed writer of checkpoints left', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const folder = checkpointsFolder(run.folder);
    fs.writeFileSync(path.join(folder, 'step-4.safetensors.123.ab12.tmp'), 'half');
    fs.writeFileSync(path.join(folder, 'notes.tmp'), 'mine');
    await startScriptedRun(run.folder).ended;
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual(['notes.tmp']);
  });

  it('writes no file for TensorBoard where the plan says so', async () => {
    const { observe } = scriptedPlan('steps');
    const run = await trainScripted(scriptedPlan('steps', { observe: { ...observe, tensorboard: false } }));
    expect(fs.readdirSync(run.folder).filter((name) => name.includes('tfevents'))).toEqual([]);
  });

  it('goes through its statuses in order and attacks the final weights as the plan says', async () => {
    const run = createScriptedRun(scriptedPlan('steps', { evaluation: [scriptedEvaluation, scriptedEvaluation] }));
    const { summaries, ended } = startScriptedRun(run.folder);
    expect((await ended).robustAccuracy).toBe(0.2);
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
    // Its speed starts anew then.
    const rested = vi.spyOn(RunRecorder.prototype, 'rest');
    onTestFinished(() => {
      rested.mockRestore();
    });
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
    expect(rested).toHaveBeenCalledTimes(1);
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
    expect(end.checkpoints.at(-1)).toMatchObject({ file: 'step-7.safetensors', step: 7, epoch: 1 });
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

  it('ends as diverged where a test is not finite, although its steps were, and evaluates nothing', async () => {
    const run = await trainScripted(scriptedPlan('unsound', { evaluation: [scriptedEvaluation] }));
    expect(run).toMatchObject({ status: 'diverged', step: 12, health: [{ rule: 'test-not-finite', step: 4 }] });
    expect(run.message).toMatch(/^After epoch 1 the test loss is NaN, the accuracy 80\.0 %\. Lower the learning rate/);
    expect(readRows(run.folder).some(({ record }) => record.type === 'evaluationStarted')).toBe(false);
    expect(glance(run.folder).summary.health).toEqual(run.health);
  });

  it("ends as failed with the trainer's sentence and keeps what was recorded", async () => {
    const run = await trainScripted(scriptedPlan('throws'));
    expect(run).toMatchObject({ status: 'failed', message: 'Out of memory. Lower training.batchSize.', step: 4 });
    expect(readRows(run.folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 4 });
  });

  it('ends as failed by a bug of ours, whose stack is logged for who mends it', async () => {
    for (const bug of [new TypeError('x is undefined'), new RangeError('too long'), new ReferenceError('no y')]) {
      const log: string[] = [];
      const { folder } = createScriptedRun(scriptedPlan('steps'));
      const openTrainer = () => Promise.reject(bug);
      const { status, message } = await startScriptedRun(folder, fromStart, {
        openTrainer,
        log: (line) => log.push(line),
      }).ended;
      expect([status, message]).toEqual(['failed', `Kafscope failed (${bug.name}: ${bug.message}). Please report it.`]);
      expect(log).toEqual([bug.stack]);
    }
  });

  it('ends as failed with whatever else is thrown, of which nothing is logged', async () => {
    for (const [thrown, said] of [
      [new Error('It does not work.'), 'It does not work.'],
      ['a text', 'a text'],
    ] as const) {
      const log: string[] = [];
      const { folder } = createScriptedRun(scriptedPlan('steps'));
      const openTrainer = () => Promise.reject(thrown as Error);
      const { message } = await startScriptedRun(folder, fromStart, { openTrainer, log: (line) => log.push(line) })
        .ended;
      expect([message, log]).toEqual([said, []]);
    }
  });

  it('ends its trainer whatever goes wrong, and tells of the memory that it took', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    let isEnded = false;
    let nLooks = 0;
    const openTrainer: OpenTrainer = async (...options) => ({
      ...(await openScriptedTrainer(...options)),
      memory: () => {
        if (++nLooks > 3) throw new Error('It is too much.');
        return { usedBytes: 5, peakBytes: 7 };
      },
      train: async function* (plan, trainOptions) {
        try {
          yield* (await openScriptedTrainer(...options)).train(plan, trainOptions);
        } finally {
          isEnded = true;
        }
      },
    });
    const ended = await startScriptedRun(folder, fromStart, { openTrainer }).ended;
    expect(ended).toMatchObject({ status: 'failed', message: 'It is too much.' });
    expect(ended.memory).toEqual({ usedBytes: 5, peakBytes: 7 });
    expect(isEnded).toBe(true);
  });

  it('says what was wrong with the checkpoints that it passed over', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    fs.rmSync(path.join(checkpointsFolder(folder), 'step-12.safetensors'));
    const log: string[] = [];
    await startScriptedRun(folder, goOn(folder), { log: (line) => log.push(line) }).ended;
    expect(log).toEqual([expect.stringContaining('step-12.safetensors')]);
  });

  it('says where it is the data that is missing, and leaves nothing open', async () => {
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    for (const [error, missing] of [
      [new DataError('No such folder.', { kind: 'missing' }), 'data'],
      [new DataError('It is damaged.'), undefined],
      [new Error('It is slow.'), undefined],
    ] as const) {
      const { folder } = createScriptedRun(scriptedPlan('steps'));
      const ended = await startScriptedRun(folder, fromStart, { openTrainer: () => Promise.reject(error) }).ended;
      expect(ended).toMatchObject({ status: 'failed', message: error.message });
      expect(ended.missing).toBe(missing);
      expect(glance(folder).summary.missing).toBe(missing);
    }
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length);
  });

  it('ends as failed where the data is missing', async () => {
    const run = await trainScripted(scriptedPlan('missing-data'));
    expect(run).toMatchObject({ status: 'failed', message: 'There is no data. Download it first.' });
  });

  it('evaluates a run at rest and gives it its status back', async () => {
    const { folder, status } = await trainScripted(scriptedPlan('throws'));
    const checkpoint = 'step-4.safetensors';
    const work = { type: 'evaluate', incarnation: 1, checkpoint, evaluation: scriptedEvaluation } as const;
    const { ended, summaries } = startScriptedRun(folder, work);
    expect(await ended).toMatchObject({ status, cleanAccuracy: 0.8, robustAccuracy: 0.2 });
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
    const work = {
      type: 'evaluate',
      incarnation: 1,
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
