// What is observed beside a training: histograms by the step, responses of activation functions at each test.
import { beforeAll, describe, expect, it } from 'vitest';
import type { HistogramsRecord, ResponsesRecord } from '../../server/protocol/records.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { collect, openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();
const plan: Plan = {
  ...shallowPlan,
  observe: {
    ...shallowPlan.observe,
    normsEverySteps: 0,
    shapesEverySteps: 0,
    histogramsEverySteps: 3,
    shiftSamples: 3,
  },
};

describe('observation beside a training', () => {
  it('comes by its turns, and moves nothing', async () => {
    const [observed, unobserved] = [
      await collect(plan, dataset),
      await collect({ ...plan, observe: { ...plan.observe, histogramsEverySteps: 0, shiftSamples: 0 } }, dataset),
    ];
    const kinds = observed.records.map((record) => `${record.type} ${'step' in record ? record.step : 0}`);
    expect(kinds).toEqual([
      ...['prepared 0', 'step 1', 'step 2', 'test 2', 'responses 2'],
      ...['step 3', 'histograms 3', 'step 4', 'test 4', 'responses 4'],
    ]);
    const isUsual = ({ type }: { type: string }) => type !== 'histograms' && type !== 'responses';
    expect(observed.records.filter(isUsual)).toEqual(unobserved.records);
    expect(observed.states).toEqual(unobserved.states);
  });

  it('is the same, bit by bit, of a run that was stopped and went on', async () => {
    const whole = await collect(plan, dataset);
    for (const stopAfter of [2, 3]) {
      const controller = new AbortController();
      const head = await collect(plan, dataset, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
            controller.abort();
        },
      });
      const tail = await collect(plan, dataset, { from: head.states.at(-1)! });
      const both = [...head.records, ...tail.records].filter(({ type }) => type !== 'prepared');
      expect(both).toEqual(whole.records.filter(({ type }) => type !== 'prepared'));
    }
  });

  it('is of as few samples as the plan asks for', async () => {
    const { records } = await collect({ ...plan, observe: { ...plan.observe, shiftSamples: 1 } }, dataset);
    const responses = records.filter(({ type }) => type === 'responses');
    expect(responses).toMatchObject([{ samples: 1 }, { samples: 1 }]);
    expect(responses[0]).not.toHaveProperty('weights');
  });

  it('tells of every activation layer and the logits, and of attacked images that are others', async () => {
    const { records } = await collect(plan, dataset);
    const responses = records.filter((record): record is ResponsesRecord => record.type === 'responses').at(-1)!;
    expect(responses).toMatchObject({ samples: 3, attack: 'PGD-2 8/255' });
    expect(responses.layers.map(({ layer }) => layer)).toEqual(['kaf1', 'logits']);
    for (const { layer, l2, relative, thesis, ks, inputs } of responses.layers) {
      for (const value of [l2, relative, thesis]) expect(value, layer).toBeGreaterThan(0);
      expect(ks).toBeGreaterThanOrEqual(0);
      expect(ks).toBeLessThanOrEqual(1);
      expect(inputs !== undefined).toBe(layer !== 'logits');
    }
    // 4 channels; dictionaries of [−3, 3] and 1 beyond.
    expect(responses.layers[0]!.inputs).toMatchObject({ low: -4, high: 4 });
    expect(responses.layers[0]!.inputs!.clean).toHaveLength(4 * 26);
    for (const { outputs } of responses.layers)
      expect([outputs.clean.length, outputs.attacked.length]).toEqual([64, 64]);
    const histograms = records.find((record): record is HistogramsRecord => record.type === 'histograms')!;
    const count = records[0]!.type === 'prepared' ? records[0].parameters.length : 0;
    for (const { ranges, bins } of [histograms.weights, histograms.gradients]) {
      expect(ranges).toHaveLength(2 * count);
      expect(bins).toHaveLength(32 * count);
      for (let tensor = 0; tensor < count; tensor++) {
        expect(Math.max(...bins.subarray(32 * tensor, 32 * (tensor + 1)))).toBe(255);
        expect(ranges[2 * tensor]).toBeLessThanOrEqual(ranges[2 * tensor + 1]!);
      }
    }
  });
});
