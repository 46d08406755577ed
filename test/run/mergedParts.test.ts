// What runs of parts of an evaluation found, read from their folders.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { RunRecord } from '../../server/protocol/records.ts';
import { completeEvaluation, type EvaluationPlan } from '../../server/protocol/evaluationPlan.ts';
import { AttackedImagesFile, attackedImagesName } from '../../server/run/attackedImages.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { mergedParts } from '../../server/run/mergedParts.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { attackPlan } from '../attack/plans.ts';
import { begin } from './handMadeLog.ts';
import { createScriptedRun } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

const evaluation = attackPlan('pgd', { steps: 1, restarts: 1, samples: 8, batchSize: 2, keep: 2 });
const other = { ...evaluation, epsilon: 0.5 };

function started(plan: EvaluationPlan = evaluation, number = 1, step = 4, from?: number): RunRecord {
  return {
    ...{ type: 'evaluationStarted', evaluation: number, plan, step, samples: 4 },
    ...(from !== undefined && { from }),
  };
}

/** Of one batch more; so many stand. */
function progress(samples: number, standing: number, number = 1): RunRecord {
  return {
    ...{ type: 'attackProgress', evaluation: number, restart: 0, samples, robust: Int32Array.of(samples, standing) },
    ...{ clean: samples, passes: { forward: samples, backward: 0 }, outcomes: Uint8Array.of(2, 1) },
  };
}

function finished(number = 1): RunRecord {
  const proportion = { value: 0.5, low: 0, high: 1 };
  return {
    ...{ type: 'evaluationFinished', evaluation: number, samples: 4, clean: proportion, robust: proportion },
    isPartial: false,
  };
}

function runOf(...records: readonly RunRecord[]): string {
  const { folder } = createScriptedRun(scriptedPlan('steps'));
  const rows = records.map((record, index) => ({ seq: index + 1, timeMs: index, step: 4, record }));
  begin(folder, 0, { further: [encodeFrame('rows', rows)] });
  return folder;
}

/** Of one image each, so that they are told from each other. */
function keepImages(folder: string, number: number, label: number): void {
  fs.mkdirSync(checkpointsFolder(folder), { recursive: true });
  const file = path.join(checkpointsFolder(folder), attackedImagesName(4, number));
  const images = new AttackedImagesFile(file, { evaluation, runId: 'a-run' });
  images.write({
    ...{ first: 0, total: 3, shape: [1], classes: [], outcomes: Uint8Array.of(2, 2, 2) },
    ...{ clean: new Float32Array(3), attacked: new Float32Array(3), distances: new Float32Array(3) },
    ...{ labels: Int32Array.of(label, 1, 2), predictions: new Int32Array(3) },
  });
  images.close();
}

/** How many stand after each batch. */
const standing = (folders: readonly string[], of: EvaluationPlan = evaluation, step = 4) =>
  mergedParts(folders, of, step)?.merged.progress.map(({ robust }) => robust[1]);

/** With an evaluation before it that does not count. */
const afterAnother = () =>
  runOf(
    ...[started(other, 1), progress(2, 2, 1), finished(1)],
    ...[started(evaluation, 2), progress(2, 0, 2), finished(2)],
  );

const simple = () => runOf(started(), progress(2, 1), progress(4, 2), finished());

describe('the parts of an evaluation', () => {
  it('are put together in their order, each from its own run', () => {
    const second = afterAnother();
    const both = mergedParts([simple(), second], evaluation, 4)!;
    expect(both.merged.progress.map(({ samples, robust }) => [samples, [...robust]])).toEqual([
      [2, [2, 1]],
      [4, [4, 2]],
      [6, [6, 2]],
    ]);
    expect(both.kept).toBeNull();
  });

  it('are nothing where there are none, one is not done, or it is of other weights or another plan', () => {
    expect(mergedParts([], evaluation, 4)).toBeNull();
    expect(mergedParts([simple()], attackPlan('pgd', { samples: 8 }), 4)).toBeNull();
    expect(standing([simple(), runOf(started(), progress(2, 1))])).toBeUndefined();
    expect(standing([simple(), runOf()])).toBeUndefined();
    expect(standing([simple()], evaluation, 5)).toBeUndefined();
    expect(standing([simple()], other)).toBeUndefined();
    expect(standing([runOf(started(evaluation, 1, 8), progress(2, 1), finished())])).toBeUndefined();
  });

  it('are nothing of what is no attack', () => {
    const certificate = completeEvaluation('ibp', {}, { trainedEpsilon: 0.1, testSamples: 8 });
    const run = runOf(started(certificate), progress(2, 1), finished());
    expect(mergedParts([run], certificate, 4)).toBeNull();
  });

  it('are those of the evaluation that was made last, from its beginning', () => {
    const again = runOf(
      ...[started(), progress(2, 1), finished(), started(other, 2), progress(2, 2, 2), finished(2)],
      ...[started(evaluation, 3), progress(2, 0, 3), finished(3)],
    );
    expect(standing([again])).toEqual([0]);
    const last = runOf(...[started(), progress(2, 1), finished(), started(other, 2), progress(2, 2, 2), finished(2)]);
    expect(standing([last])).toEqual([1]);
  });

  it('hold all of one that was cut off and went on', () => {
    const cut = runOf(started(), progress(2, 1), started(evaluation, 1, 4, 2), progress(4, 3), finished());
    expect(standing([cut])).toEqual([1, 3]);
  });

  it('leave no history open', () => {
    const closed = vi.spyOn(RunHistory.prototype, 'close');
    mergedParts([simple(), simple()], evaluation, 4);
    expect(closed).toHaveBeenCalledTimes(2);
    closed.mockRestore();
  });
});

describe('the images that are kept', () => {
  it('are the first so many, which the first part has beside the evaluation that counts', () => {
    const first = afterAnother();
    const second = simple();
    keepImages(first, 1, 7);
    keepImages(first, 2, 8);
    keepImages(second, 1, 9);
    const { kept } = mergedParts([first, second], evaluation, 4)!;
    expect(kept).toMatchObject({ first: 0, labels: Int32Array.of(8, 1) });
  });

  it('are none where the plan keeps none', () => {
    const plan = { ...evaluation, keep: 0 };
    const run = runOf(started(plan), progress(2, 1), finished());
    keepImages(run, 1, 7);
    expect(mergedParts([run], plan, 4)).toMatchObject({ kept: null });
  });
});
