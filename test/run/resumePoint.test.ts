// From where a run goes on, by rows and checkpoints made by hand.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunRecord } from '../../server/protocol/records.ts';
import { checkpointName, writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { resumePoint } from '../../server/run/resumeRun.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { begin } from './handMadeLog.ts';
import { createScriptedRun } from './scriptedRun.ts';
import { scriptedEvaluation, scriptedPlan, scriptedState } from './scriptedTrainer.ts';

const step = (at: number): RunRecord => ({
  ...{ type: 'step', step: at, epoch: 1, loss: at, accuracy: 0.5, learningRate: 0.1 },
});
const saved = (at: number): RunRecord => ({ type: 'checkpointed', step: at, epoch: at, file: checkpointName(at) });
const tested = (at: number, accuracy: number): RunRecord => ({
  ...{ type: 'test', step: at, epoch: 1, loss: 1, accuracy, samples: 10, robustAccuracy: null, robustSamples: 0 },
});
const attacked = (evaluation: number, at: number): RunRecord => ({
  ...{ type: 'evaluationStarted', evaluation, plan: scriptedEvaluation, step: at, samples: 10 },
});

/** The rows are numbered from 1; of the checkpoints those files are there. */
function pointOf(records: readonly RunRecord[], files: readonly number[]) {
  const plan = scriptedPlan('steps');
  const run = createScriptedRun(plan);
  const rows = records.map((record, index) => ({
    ...{ seq: index + 1, timeMs: index, step: 'step' in record ? record.step : 0, record },
  }));
  if (rows.length > 0) begin(run.folder, 0, { further: [encodeFrame('rows', rows)] });
  for (const at of files) {
    const file = path.join(checkpointsFolder(run.folder), checkpointName(at));
    writeCheckpoint(file, scriptedState(at, 1), { plan, runId: run.id, versions: {} });
  }
  const history = new RunHistory(run.folder);
  onTestFinished(() => {
    history.close();
  });
  return { ...resumePoint(history), folder: run.folder };
}

describe('a run goes on', () => {
  it('from the beginning where it has no rows', () => {
    expect(pointOf([], [])).toMatchObject({
      ...{ checkpoint: null, voids: null, faults: [], firstSeq: 1, evaluations: 0 },
      progress: { status: 'waiting', step: 0, checkpoints: [] },
    });
  });

  it('from its newest checkpoint, with all that was before', () => {
    const records = [step(1), step(2), saved(2), step(3), step(4), tested(4, 0.5), saved(4), step(5)];
    const { folder, ...point } = pointOf(records, [2, 4]);
    expect(point).toMatchObject({
      ...{ checkpoint: 'step-4.safetensors', voids: { step: 4, seq: 7 }, faults: [], firstSeq: 8, evaluations: 0 },
      progress: { step: 4, loss: 4, cleanAccuracy: 0.5 },
    });
    const sizeOf = (file: string) => fs.statSync(path.join(checkpointsFolder(folder), file)).size;
    expect(point.progress.checkpoints).toEqual(
      [2, 4].map((at) => ({ file: checkpointName(at), step: at, epoch: at, sizeBytes: sizeOf(checkpointName(at)) })),
    );
  });

  it('without the test that followed the checkpoint, but with evaluations of it', () => {
    const records = [
      step(1),
      step(2),
      saved(2),
      tested(2, 0.7),
      attacked(3, 2),
      attacked(2, 1),
      step(3),
      attacked(4, 3),
    ];
    expect(pointOf(records, [2])).toMatchObject({
      ...{ checkpoint: 'step-2.safetensors', voids: { step: 2, seq: 3 }, firstSeq: 7, evaluations: 3 },
      progress: { step: 2, cleanAccuracy: null },
    });
  });

  it('from the last of one name', () => {
    const records = [step(1), step(2), saved(2), tested(2, 0.7), saved(2), step(3)];
    expect(pointOf(records, [2])).toMatchObject({ voids: { step: 2, seq: 5 }, progress: { cleanAccuracy: 0.7 } });
  });

  it('with its very first row', () => {
    expect(pointOf([step(1), saved(1)], [1]).progress).toMatchObject({ step: 1, loss: 1 });
  });

  it('from the checkpoint of most steps, whatever came last', () => {
    expect(pointOf([step(1), step(2), step(3), saved(3), saved(2)], [2, 3])).toMatchObject({
      checkpoint: 'step-3.safetensors',
    });
  });

  it.each([
    ['within', [step(1), step(2), saved(2), step(4), saved(4)], 3, [4], 2],
    ['twice, of which the first counts', [step(1), saved(1), step(3), saved(3), step(5), saved(5)], 2, [5, 3], 1],
    ['at the end', [step(1), step(2), saved(2), saved(3)], 3, [3], 2],
    ['twice at the end', [step(1), saved(1), saved(3), step(2), saved(5)], 2, [5, 3], 1],
    ['at the beginning', [step(2), saved(2)], 1, [2], null],
  ] as const)('from before a step that is missing: %s', (_, records, missing, passed, chosen) => {
    const files = records.flatMap((record) => (record.type === 'checkpointed' ? [record.step] : []));
    const point = pointOf(records, files);
    expect(point.faults).toEqual(
      passed.map(
        (at) => `${checkpointName(at)} is passed over: step ${String(missing)} is missing in the log before it.`,
      ),
    );
    expect(point.checkpoint).toBe(chosen === null ? null : checkpointName(chosen));
    if (chosen === null) expect([point.voids, point.firstSeq]).toEqual([{ step: -1, seq: 0 }, 1]);
  });

  it('from the one before where a file is gone or damaged, which it says', () => {
    const records = [step(1), saved(1), step(2), saved(2), step(3), saved(3)];
    const point = pointOf(records, [1, 3]);
    fs.truncateSync(path.join(checkpointsFolder(point.folder), checkpointName(3)), 100);
    const history = new RunHistory(point.folder);
    const { checkpoint, faults, progress } = resumePoint(history);
    history.close();
    expect(checkpoint).toBe('step-1.safetensors');
    expect(faults).toEqual([
      expect.stringContaining('step-3.safetensors') as string,
      expect.stringContaining('step-2.safetensors') as string,
    ]);
    expect(progress.checkpoints.map(({ file }) => file)).toEqual(['step-1.safetensors']);
  });
});
