// The real trainer through the driver: what is resumed from the disk equals what was never interrupted, bit for bit.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { findLearningRate } from '../../server/trainer/findLearningRate.ts';
import { attackedImagesName, readAttackedImages } from '../../server/run/attackedImages.ts';
import { forkRun } from '../../server/run/forkRun.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import { train } from '../../server/trainer/train.ts';
import { openCpu, tinyDataset, tinyPlan } from '../trainer/tinyPlan.ts';
import { scriptedEvaluation } from './scriptedTrainer.ts';
import { createScriptedRun, fromStart, goOn, readRows, startScriptedRun } from './scriptedRun.ts';

/** Trains and attacks for real, on pictures so small that plain JavaScript keeps up. */
const openTrainer: OpenTrainer = async () => {
  await openCpu();
  const dataset = tinyDataset();
  return {
    device: 'cpu',
    memory: () => ({ usedBytes: 0, peakBytes: 0 }),
    train: (plan, options) => train(plan, dataset, options),
    findLearningRate: (plan, options) => findLearningRate(plan, dataset, options),
    evaluate: (plan, evaluation, options) => evaluate(plan, evaluation, dataset, options),
  };
};

describe('the real trainer', () => {
  it('gives the same log and weights when it is interrupted within an epoch and resumed from the disk', async () => {
    const plan = { ...tinyPlan, evaluation: [{ ...scriptedEvaluation, samples: 4 }] };
    const whole = createScriptedRun(plan);
    const end = await startScriptedRun(whole.folder, fromStart, { openTrainer }).ended;
    expect(end).toMatchObject({
      status: 'finished',
      message: null,
      step: 4,
      device: 'cpu',
    });

    const cut = createScriptedRun(plan);
    const first = startScriptedRun(cut.folder, fromStart, {
      openTrainer,
      onChange: (summary) => {
        if (summary.step === 3) first.control.interrupt('The server went away.');
      },
    });
    expect(await first.ended).toMatchObject({ status: 'interrupted', step: 3 });
    const resumed = await startScriptedRun(cut.folder, goOn(cut.folder), { openTrainer }).ended;
    expect(resumed).toMatchObject({ status: 'finished', message: null, step: 4 });

    const isScheduled = (record: RunRecord) => !(record.type === 'checkpointed' && record.step === 3);
    const records = (folder: string) => readRows(folder).map((row) => row.record);
    expect(records(cut.folder).filter(isScheduled)).toEqual(records(whole.folder));
    const weights = (folder: string) =>
      readCheckpoint(path.join(checkpointsFolder(folder), 'step-4.safetensors')).state;
    expect(weights(cut.folder)).toEqual(weights(whole.folder));
    expect([...weights(whole.folder).tensors.keys()]).toContain('model/kaf1.alpha');
  });

  it('makes of the parts of an attack, each in a run of its own, the log of one that was not cut', async () => {
    const evaluation = { ...scriptedEvaluation, samples: 4, batchSize: 1, keep: 2, epsilon: 0.1 };
    const plan = { ...tinyPlan, evaluation: [evaluation] };
    const uncut = createScriptedRun(plan);
    await startScriptedRun(uncut.folder, fromStart, { openTrainer }).ended;
    const given = (own: Plan) => ({
      ...{ plan: own, description: 'part', experimentText: '', experimentFile: null, versions: {} },
    });
    const parts: string[] = [];
    for (const index of [0, 1, 2]) {
      const own = { ...plan, part: { index, of: 3 } };
      const { folder } =
        parts.length === 0 ? createScriptedRun(own) : forkRun(parts[0]!, 'step-4.safetensors', 1, given(own));
      const first = startScriptedRun(folder, goOn(folder), { openTrainer });
      const { status, figures = [] } = await first.ended;
      expect([status, figures.filter(({ isOfTest }) => !isOfTest).map(({ samples }) => samples)]).toEqual([
        'finished',
        [[2], [], [2]][index],
      ]);
      parts.push(folder);
    }
    const { folder } = forkRun(parts[2]!, 'step-4.safetensors', 1, given(plan));
    const taken: (number | undefined)[] = [];
    const listening: OpenTrainer = async (opened) => {
      const trainer = await openTrainer(opened);
      return {
        ...trainer,
        evaluate: (ofPlan, one, options) => {
          taken.push(options.merged?.state.samples);
          return trainer.evaluate(ofPlan, one, options);
        },
      };
    };
    const work = { ...goOn(folder), parts };
    const merged = await startScriptedRun(folder, work, { openTrainer: listening }).ended;
    expect(taken).toEqual([4]);
    const records = (of: string) => readRows(of).map((row) => row.record);
    expect(records(folder)).toEqual(records(uncut.folder));
    const { figures, robustAccuracy } = glance(uncut.folder).summary;
    expect(merged).toMatchObject({ figures, robustAccuracy });
    const images = (of: string) =>
      readAttackedImages(path.join(checkpointsFolder(of), attackedImagesName(4, 1)), { first: 0, count: 9 });
    expect(images(folder)).toEqual(images(uncut.folder));
  });
});
