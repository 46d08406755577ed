import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ActivationPlan, Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';
import { attackPlan } from '../attack/plans.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

const dataset = tinyDataset({ nTest: 7 });
const evaluation = attackPlan('pgd', {
  ...{ epsilon: 0.1, stepSize: 0.03, steps: 3, restarts: 2, loss: 'cross-entropy', samples: 100, batchSize: 3 },
});
let state: TrainingState;

beforeAll(async () => {
  await openCpu();
  const { states } = await collect({ ...tinyPlan, observe: { ...tinyPlan.observe, testEveryEpochs: 0 } }, dataset);
  state = states.at(-1)!;
});

describe('evaluate', () => {
  it('tells of every restart on every batch, and of no more images than there are', async () => {
    const before = tf.memory().numTensors;
    const records = await run();
    expect(records.map(({ type }) => type)).toEqual([
      'evaluationStarted',
      ...Array<string>(6).fill('attackProgress'),
      'evaluationFinished',
    ]);
    expect(records[0]).toMatchObject({ evaluation: 4, step: 4, samples: 7 });
    expect(records.filter((record) => record.type === 'attackProgress').map(({ samples }) => samples)).toEqual([
      3, 3, 6, 6, 7, 7,
    ]);
    expect(records.at(-1)).toMatchObject({ evaluation: 4, samples: 7, isPartial: false });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('counts an image as robust only under every step of every restart', async () => {
    const records = await run();
    const last = records.filter((record) => record.type === 'attackProgress').slice(-2);
    const finished = records.at(-1)!;
    if (finished.type !== 'evaluationFinished') throw new Error('no end');
    const counts = last.flatMap(({ robust }) => [...robust]);
    expect(counts).toHaveLength(2 * 4);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(counts[0]! / 7).toBeLessThanOrEqual(finished.clean.value);
    expect(counts.at(-1)! / 7).toBe(finished.robust.value);
  });

  it.each([0, 1, 2])('attacks the weights it is given: those that see class %i everywhere', async (seen) => {
    const tensors = new Map(state.tensors);
    const [bias] = [...tensors.keys()].filter(
      (name) => name.endsWith('.bias') && tensors.get(name)!.shape.join() === '3',
    );
    tensors.set(bias!, { shape: [3], values: Float32Array.from([0, 1, 2], (index) => (index === seen ? 1e4 : 0)) });
    const finished = (await run(undefined, undefined, { plan: tinyPlan, of: { ...state, tensors }, on: dataset })).at(
      -1,
    )!;
    // Of seven images three are dark, two grey and two bright.
    const share = [3, 2, 2][seen]! / 7;
    expect(finished).toMatchObject({ clean: { value: share }, robust: { value: share } });
  });

  it('stops when asked, with the figures of the batches that are done', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    let nProgress = 0;
    const records = await run(controller.signal, (record) => {
      if (record.type === 'attackProgress' && ++nProgress === 3) controller.abort();
    });
    expect(records.at(-1)).toMatchObject({ type: 'evaluationFinished', samples: 3, isPartial: true });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes the share of winners of the epoch that the weights are from', async () => {
    const withWinners = (activation: ActivationPlan): Plan => ({
      ...tinyPlan,
      model: { ...tinyPlan.model, activation },
    });
    const lowering = { to: 0.05, by: 0.5, everyEpochs: 1, afterEpochs: 1 };
    const lowered = withWinners({
      type: 'k-wta',
      rounding: 'ceiling',
      over: 'layer',
      ties: 'all',
      ratio: 0.5,
      lowering,
    });
    // Three images in batches of two: the second step of an epoch is on what is left.
    const on = tinyDataset({ nTrain: 3, nTest: 7 });
    const { states } = await collect(lowered, on);
    expect(states.map(({ step }) => step)).toEqual([2, 4]);
    const recordsOf = (activation: ActivationPlan, of: TrainingState) =>
      run(undefined, undefined, { plan: withWinners(activation), of, on });
    for (const [of, ratio, other] of [
      [states[0]!, 0.5, 0.05],
      [states[1]!, 0.05, 0.5],
    ] as const) {
      const own = await recordsOf(
        { type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.5, lowering },
        of,
      );
      expect(own).toEqual(
        await recordsOf({ type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio }, of),
      );
      expect(own).not.toEqual(
        await recordsOf({ type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: other }, of),
      );
    }
  });

  it('says the same when it is run again', async () => {
    expect(await run()).toEqual(await run());
  });
});

async function run(
  signal = new AbortController().signal,
  onRecord: (record: RunRecord) => void = () => undefined,
  { plan, of, on } = { plan: tinyPlan, of: state, on: dataset },
): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of evaluate(plan, evaluation, on, { state: of, number: 4, signal })) {
    records.push(record);
    onRecord(record);
  }
  return records;
}
