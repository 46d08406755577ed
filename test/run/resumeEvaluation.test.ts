// An evaluation that was cut off and goes on from the disk equals one that was not, bit for bit: counts, verdicts and images kept.
import fs from 'node:fs';
import path from 'node:path';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluationNames, type EvaluationName } from '../../server/protocol/evaluationTable.ts';
import { completeEvaluation, type EvaluationPlan } from '../../server/protocol/evaluationPlan.ts';
import { applyRow, emptySnapshot, type EvaluationView } from '../../server/protocol/snapshot.ts';
import { attackedImagesName, readAttackedImages } from '../../server/run/attackedImages.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { newestLog } from '../../server/run/logFile.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import { findLearningRate } from '../../server/trainer/findLearningRate.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import { train } from '../../server/trainer/train.ts';
import { attackPlan } from '../attack/plans.ts';
import { openCpu, tinyDataset, tinyPlan } from '../trainer/tinyPlan.ts';
import { createScriptedRun, fromStart, goOn, readRows, startScriptedRun } from './scriptedRun.ts';

const classes = ['black', 'dark', 'grey', 'bright', 'white'];
const openTrainer: OpenTrainer = async () => {
  await openCpu();
  const dataset = tinyDataset({ nTest: 7, classes });
  // Of which a detector finds some that the network is right about.
  const judged = { ...dataset, train: tinyDataset({ nTrain: 60, classes }).train };
  return {
    device: 'cpu',
    memory: () => ({ usedBytes: 0, peakBytes: 0 }),
    train: (plan, options) => train(plan, dataset, options),
    findLearningRate: (plan, options) => findLearningRate(plan, dataset, options),
    evaluate: (plan, evaluation, options) => evaluate(plan, evaluation, judged, options),
  };
};

/** Settings that make an attack short; of every kind of stage more than one where it has them. */
const short: { readonly [A in EvaluationName]: object } = {
  pgd: { steps: 2, restarts: 2, protocol: 'thesis' },
  fgsm: { epsilons: [0.01] },
  noise: { draws: 3 },
  transfer: { from: 'other', steps: 2, restarts: 2, judged: 'all' },
  'apgd-ce': { steps: 3, restarts: 2 },
  'apgd-dlr': { steps: 3 },
  'apgd-t': { steps: 2, targets: 2 },
  square: { queries: 4, restarts: 2 },
  fab: { steps: 2, restarts: 2 },
  'fab-t': { steps: 2, targets: 2 },
  deepfool: { steps: 3 },
  cw: { searches: 2, steps: 3, learningRate: 0.05 },
  nes: { steps: 2, directions: 2 },
  autoattack: {},
  density: { fit: 40 },
  metzen: {},
  ibp: { searches: 4 },
  lipschitz: {},
  smoothing: { sigma: 0.1, selection: 5, draws: 20 },
};
const plan = {
  ...tinyPlan,
  dataset: { ...tinyPlan.dataset, testSamples: 7 },
  observe: { ...tinyPlan.observe, testEveryEpochs: 0, tensorboard: false },
};

let trained: string;

beforeAll(async () => {
  const run = createScriptedRun(plan, fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-run-')));
  await startScriptedRun(run.folder, fromStart, { openTrainer }).ended;
  trained = run.folder;
  // What transfer makes its images on.
  const other = createScriptedRun({ ...plan, seed: 8 }, path.dirname(trained));
  await startScriptedRun(other.folder, fromStart, { openTrainer }).ended;
  fs.renameSync(other.folder, path.join(path.dirname(trained), 'other'));
});
afterAll(() => {
  fs.rmSync(path.dirname(trained), { recursive: true });
});

// AutoAttack's thousands of steps are cut off in test/attack/attacks.test.ts, on a network that takes no time. PGD fools
// this one too rarely for a detector network to learn anything; the way in which it is cut off is that of the density.
describe.each(evaluationNames.filter((name) => name !== 'autoattack' && name !== 'metzen'))('%s', (attack) => {
  const given = { epsilon: 0.05, ...short[attack], samples: 100, batchSize: 3, keep: 5 };
  const evaluation = completeEvaluation(attack, given, { trainedEpsilon: null, testSamples: 7 });

  it('that is cut off in its second batch, by a stop or without a word, goes on and says the same', async () => {
    const whole = copyOf(trained);
    await attackRun(whole, evaluation);
    const expected = seen(whole);
    expect(expected.finished).toMatchObject({ samples: 7, isPartial: false });

    const stopped = copyOf(trained);
    const killed: string[] = [];
    let batches = 0;
    const first = startScriptedRun(
      stopped,
      { ...goOn(stopped), ...asked(evaluation) },
      {
        openTrainer,
        onRows: (rows) => {
          for (const { record } of rows) {
            if (record.type !== 'attackProgress') continue;
            if (batches === 1) {
              // As a machine leaves it that loses its power here.
              killed.push(copyOf(stopped));
              first.control.stop();
            }
            if (record.outcomes) batches++;
          }
        },
      },
    );
    await first.ended;
    expect(seen(stopped).finished).toMatchObject({ isPartial: true });
    expect(seen(killed[0]!).finished).toBeNull();
    for (const folder of [stopped, killed[0]!]) {
      await startScriptedRun(folder, { ...goOn(folder), type: 'evaluate', continues: 1 }, { openTrainer }).ended;
      expect(seen(folder)).toEqual(expected);
      if ('keep' in evaluation) expect(images(folder)).toEqual(images(whole));
    }
  });
});

describe('a run that was cut off in its evaluations', () => {
  it('does not begin those again that are done, and goes on with the one that is not', async () => {
    const evaluations = (['fgsm', 'pgd'] as const).map(
      (name) => attackPlan(name, { ...short[name], epsilon: 0.05, samples: 7, batchSize: 3 }) as EvaluationPlan,
    );
    const { folder } = createScriptedRun({ ...plan, evaluation: evaluations });
    let batches = 0;
    const first = startScriptedRun(folder, fromStart, {
      openTrainer,
      onRows: (rows) => {
        for (const { record } of rows)
          if (record.type === 'attackProgress' && record.outcomes && ++batches === 4)
            first.control.interrupt('The server went away.');
      },
    });
    expect(await first.ended).toMatchObject({ status: 'interrupted' });
    expect(await startScriptedRun(folder, goOn(folder), { openTrainer }).ended).toMatchObject({ status: 'finished' });
    const started = readRows(folder).flatMap(({ record }) =>
      record.type === 'evaluationStarted' ? [[record.evaluation, record.from]] : [],
    );
    expect(started).toEqual([
      [1, undefined],
      [2, undefined],
      [2, 3],
    ]);
  });

  it('says what is wrong where there is nothing to go on with', async () => {
    const folder = copyOf(trained);
    const work = { ...goOn(folder), type: 'evaluate', continues: 1 } as const;
    const end = await startScriptedRun(folder, work, { openTrainer }).ended;
    expect(end).toMatchObject({ status: 'finished', message: 'Evaluation 1 of this run is not one to go on with.' });
  });
});

describe('the images kept', () => {
  it('are as they were, as they fooled, within the ball, with what the network says', async () => {
    const folder = copyOf(trained);
    await attackRun(folder, attackPlan('pgd', { epsilon: 0.2, steps: 4, restarts: 1, keep: 100, samples: 100 }));
    const all = images(folder)!;
    expect(all).toMatchObject({ first: 0, total: 7, classes, shape: [4, 4, 3] });
    all.outcomes.forEach((outcome, row) => {
      const own = (values: Float32Array) => values.subarray(row * 48, (row + 1) * 48);
      const largest = own(all.attacked).reduce(
        (most, value, i) => Math.max(most, Math.abs(value - own(all.clean)[i]!)),
        0,
      );
      expect(all.distances[row]).toBeCloseTo(largest, 6);
      expect(largest).toBeLessThan(0.2 + 1e-6);
      expect(largest > 0).toBe(outcome === 1);
      expect(all.predictions[row] === all.labels[row]).toBe(outcome === 2);
    });
    expect(images(folder, { first: 5, count: 1 })).toMatchObject({ first: 5, labels: all.labels.slice(5, 6) });
  });
});

function asked(evaluation: EvaluationPlan) {
  return { type: 'evaluate', checkpoint: 'step-4.safetensors', evaluation } as const;
}

async function attackRun(folder: string, evaluation: EvaluationPlan): Promise<void> {
  await startScriptedRun(folder, { ...goOn(folder), ...asked(evaluation) }, { openTrainer }).ended;
}

let copies = 0;
function copyOf(folder: string): string {
  const copy = path.join(path.dirname(folder), `copy-${String(++copies)}`);
  fs.cpSync(folder, copy, { recursive: true });
  expect(newestLog(copy)).toBeGreaterThanOrEqual(0);
  return copy;
}

/** The evaluation as panels show it. */
function seen(folder: string): EvaluationView {
  const snapshot = emptySnapshot({} as never, plan);
  for (const row of readRows(folder)) applyRow(snapshot, row);
  expect(snapshot.evaluations).toHaveLength(1);
  return snapshot.evaluations[0]!;
}

function images(folder: string, part = { first: 0, count: 100 }) {
  return readAttackedImages(path.join(checkpointsFolder(folder), attackedImagesName(4, 1)), part);
}
