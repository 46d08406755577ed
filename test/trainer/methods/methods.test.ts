import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { completeMethod, methodEntry, methodNames, type MethodName } from '../../../server/protocol/methodTable.ts';
import type { Plan } from '../../../server/protocol/plan.ts';
import type { RunRecord, StepRecord, TestRecord } from '../../../server/protocol/records.ts';
import type { TrainingState } from '../../../server/trainer/trainingState.ts';
import { collect, openCpu, shallowPlan, tinyDataset, tinyPlan } from '../tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();

function planBy(type: MethodName, given: Readonly<Record<string, unknown>> = {}, { model } = shallowPlan): Plan {
  const { norms, stepSize } = methodEntry(type);
  const epsilon = 8 / 255;
  const threat = norms.length === 0 ? null : ({ norm: 'linf', epsilon, stepSize: stepSize * epsilon } as const);
  const training = { ...tinyPlan.training, method: completeMethod(type, given, epsilon), threat };
  return { ...tinyPlan, model, training };
}

const settings: Partial<Record<MethodName, readonly Readonly<Record<string, unknown>>[]>> = {
  'fgsm-rs': [{}, { start: 'image', statistics: 'moving' }, { statistics: 'running' }],
  pgd: [{ steps: 2 }, { steps: 2, start: 'zero', statistics: 'moving' }],
  free: [{ replays: 2 }, { replays: 3 }],
  trades: [{ steps: 2 }, { steps: 2, statistics: 'batch' }, { steps: 2, statistics: 'moving' }],
  gradalign: [{}, { through: 'both' }],
  ensemble: [
    { steps: 2, combine: 'max' },
    { steps: 2, combine: 'average' },
    { steps: 2, combine: 'average', statistics: 'moving' },
    { steps: 2, combine: 'msd' },
  ],
};
const cases = methodNames.flatMap((type) => (settings[type] ?? [{}]).map((given) => ({ type, given })));

describe('every training method', () => {
  it.each(cases)(
    'goes on from any step as if it had not been stopped, bit by bit: $type $given',
    async ({ type, given }) => {
      const plan: Plan = { ...planBy(type, given), observe: { ...tinyPlan.observe, robustSamples: 0 } };
      // Three images in batches of two: the last batch is smaller.
      const three = tinyDataset({ nTrain: 3 });
      const before = tf.memory().numTensors;
      const whole = await collect(plan, three);
      expect(tf.memory().numTensors).toBe(before);
      for (const stopAfter of [1, 2, 3]) {
        const controller = new AbortController();
        const head = await collect(plan, three, {
          signal: controller.signal,
          onEvent: (event) => {
            if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
              controller.abort();
          },
        });
        expect(head.states.at(-1)!.step).toBe(stopAfter);
        const tail = await collect(plan, three, { from: head.states.at(-1)! });
        expect([...head.records, ...tail.records.slice(1)]).toEqual(whole.records);
        expect(tail.states.at(-1)).toEqual(whole.states.at(-1));
      }
    },
  );

  it('trains other weights than every other method, and than with other settings', async () => {
    const digests = await Promise.all(
      cases.map(async ({ type, given }) => digestOf((await collect(planBy(type, given), dataset)).states.at(-1)!)),
    );
    expect(new Set(digests).size).toBe(cases.length);
  });

  it('takes as many steps an epoch as it makes updates on all batches', async () => {
    const { records } = await collect(planBy('free', { replays: 3 }), dataset);
    expect(records[0]).toMatchObject({ type: 'prepared', steps: 12, stepsPerEpoch: 6, epochs: 2 });
    expect(stepsOf(records).map(({ epoch }) => epoch)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  });
});

describe('standard training and FGSM-RS', () => {
  const known = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'methodRecords.json'), 'utf8')) as {
    readonly runs: readonly {
      readonly method: 'standard' | 'fgsm-rs';
      readonly optimizer: 'adam' | 'sgd';
      readonly steps: readonly (readonly number[])[];
      readonly tests: readonly (readonly number[])[];
      readonly weights: string;
    }[];
  };
  const sgd = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;

  it.each(known.runs)(
    'tell bit by bit what they told before they were entries of a table: $method by $optimizer',
    async (run) => {
      const plan = planBy(run.method, {}, tinyPlan);
      const optimizer = run.optimizer === 'sgd' ? sgd : plan.training.optimizer;
      const { records, states } = await collect({ ...plan, training: { ...plan.training, optimizer } }, dataset);
      expect(stepsOf(records).map(({ loss, accuracy }) => [loss, accuracy])).toEqual(run.steps);
      const tests = records.filter((record): record is TestRecord => record.type === 'test');
      expect(tests.map(({ loss, accuracy, robustAccuracy }) => [loss, accuracy, robustAccuracy])).toEqual(run.tests);
      expect(digestOf(states.at(-1)!)).toBe(run.weights);
    },
  );
});

function stepsOf(records: readonly RunRecord[]): StepRecord[] {
  return records.filter((record): record is StepRecord => record.type === 'step');
}

function digestOf({ tensors }: TrainingState): string {
  const hash = createHash('sha256');
  for (const [name, { values }] of tensors) {
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
