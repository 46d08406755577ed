import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ActivationPlan, Plan } from '../../server/protocol/plan.ts';
import type {
  DivergedRecord,
  NormsRecord,
  PreparedRecord,
  RunRecord,
  StepRecord,
} from '../../server/protocol/records.ts';
import type { SavedTensor } from '../../server/trainer/trainingState.ts';
import { collect, openCpu, shallowPlan, tinyDataset, tinyPlan, type Collected } from './tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();
const kafOfFive = { dictionary: 5, boundary: 3, gamma: 0.3 } as const;

function withTraining(changes: Partial<Plan['training']>, observe: Partial<Plan['observe']> = {}): Plan {
  return {
    ...shallowPlan,
    training: { ...shallowPlan.training, ...changes },
    observe: { ...shallowPlan.observe, ...observe },
  };
}

/** An epoch of a network with two dense layers. */
const deeper: Plan = { ...withTraining({ epochs: 1 }, { testEveryEpochs: 0 }), model: tinyPlan.model };

describe('train', () => {
  it('says what it prepared, then shows the initial shapes, every step, and tests each epoch before its checkpoint', async () => {
    const { events } = await collect(shallowPlan, dataset);
    const told = events.map((event) => (event.type === 'record' ? event.record.type : event.type));
    expect(told).toEqual([
      ...['prepared', 'shapes', 'step', 'norms', 'updates', 'step', 'norms', 'updates', 'shapes', 'test', 'checkpoint'],
      ...['step', 'norms', 'updates', 'step', 'norms', 'updates', 'shapes', 'test', 'checkpoint'],
    ]);
    const prepared = recordsOf<PreparedRecord>(events, 'prepared')[0]!;
    expect(prepared).toMatchObject({ steps: 4, stepsPerEpoch: 2, epochs: 2 });
    expect(prepared.activations.map(({ layer }) => layer)).toEqual(['kaf1']);
    expect(recordsOf<StepRecord>(events, 'step').map(({ step, epoch }) => [step, epoch])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 2],
    ]);
    for (const norms of recordsOf<NormsRecord>(events, 'norms')) {
      expect(norms.weights).toHaveLength(prepared.parameters.length);
      expect(norms.gradients.every((norm) => Number.isFinite(norm))).toBe(true);
    }
  });

  it('observes, tests and saves by the plan’s turns, and tests and saves the last epoch anyway', async () => {
    const turns = { normsEverySteps: 2, shapesEverySteps: 3, testEveryEpochs: 2, robustSamples: 0 };
    const plan = withTraining({ epochs: 3, checkpointEveryEpochs: 2 }, turns);
    const { events } = await collect(plan, dataset);
    const told = events.slice(1).map((event) => {
      if (event.type === 'checkpoint') return `checkpoint ${event.state.step}`;
      return `${event.record.type} ${'step' in event.record ? event.record.step : ''}`;
    });
    expect(told).toEqual([
      ...[
        'shapes 0',
        'step 1',
        'step 2',
        'norms 2',
        'updates 2',
        'step 3',
        'shapes 3',
        'step 4',
        'norms 4',
        'updates 4',
      ],
      ...['test 4', 'checkpoint 4', 'step 5', 'step 6', 'norms 6', 'updates 6', 'shapes 6', 'test 6', 'checkpoint 6'],
    ]);
    const never = { normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0 };
    const quiet = await collect(withTraining({ epochs: 1 }, never), dataset);
    expect(quiet.records.map(({ type }) => type)).toEqual(['prepared', 'step', 'step']);
    const always = { ...never, normsEverySteps: 1, shapesEverySteps: 1 };
    const loud = await collect(withTraining({ epochs: 1 }, always), dataset);
    expect(loud.records.map(({ type }) => type)).toEqual([
      ...['prepared', 'shapes', 'step', 'norms', 'updates', 'shapes', 'step', 'norms', 'updates', 'shapes'],
    ]);
  });

  it('takes every image once an epoch, the last step what is left', async () => {
    const never = { normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0 };
    const { events } = await collect(withTraining({ epochs: 2 }, never), tinyDataset({ nTrain: 3 }));
    expect(recordsOf<PreparedRecord>(events, 'prepared')[0]).toMatchObject({ steps: 4, stepsPerEpoch: 2 });
    const steps = recordsOf<StepRecord>(events, 'step');
    expect(steps.map(({ step, epoch }) => [step, epoch])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 2],
    ]);
    // Of a single image: right or wrong.
    for (const { step, accuracy } of steps) expect(step % 2 === 0 ? [0, 1] : [0, 0.5, 1]).toContain(accuracy);
  });

  it('crops, flips or does neither, as the plan says', async () => {
    const lossWith = async (augmentation: Plan['training']['augmentation']) => {
      const never = { normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0 };
      const { records } = await collect(withTraining({ augmentation, epochs: 1 }, never), dataset);
      return recordsOf<StepRecord>(
        records.map((made) => ({ type: 'record', record: made })),
        'step',
      )[0]!.loss;
    };
    const losses = [
      await lossWith({ crop: 0, flip: false }),
      await lossWith({ crop: 1, flip: false }),
      await lossWith({ crop: 0, flip: true }),
      await lossWith({ crop: 1, flip: true }),
    ];
    expect(new Set(losses).size).toBe(4);
  });

  it('tells the same records for the same plan, and others for another seed', async () => {
    const first = await collect(shallowPlan, dataset);
    const second = await collect(shallowPlan, dataset);
    const other = await collect({ ...shallowPlan, seed: 8 }, dataset);
    expect(second.records).toEqual(first.records);
    expect(second.states).toEqual(first.states);
    expect(other.records).not.toEqual(first.records);
  });

  it.each([
    ['Adam', tinyPlan.training.optimizer],
    ['SGD with momentum', { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const],
  ])('goes on from any step with %s as if it had not been stopped, bit by bit', async (_, optimizer) => {
    const plan = withTraining({ optimizer }, { robustSamples: 0 });
    const whole = await collect(plan, dataset);
    for (const stopAfter of [1, 2, 3]) {
      const controller = new AbortController();
      const head = await collect(plan, dataset, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
            controller.abort();
        },
      });
      expect(head.states.at(-1)!.step).toBe(stopAfter);
      const tail = await collect(plan, dataset, { from: head.states.at(-1)! });
      expect([...head.records, ...tail.records.slice(1)]).toEqual(whole.records);
      expect(tail.states.at(-1)).toEqual(whole.states.at(-1));
    }
  });

  it('lowers the share of winners by the epoch, also when resumed within or after one', async () => {
    const withWinners = (activation: ActivationPlan): Plan => ({
      ...withTraining({}, { shapesEverySteps: 0 }),
      model: { ...shallowPlan.model, activation },
    });
    const lowering = { to: 0.1, by: 0.5, everyEpochs: 1, afterEpochs: 1 };
    const plan = withWinners({ type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.5, lowering });
    const whole = await collect(plan, dataset);
    const still = await collect(
      withWinners({ type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.5 }),
      dataset,
    );
    const isOfFirstEpoch = (record: RunRecord) => 'step' in record && record.step <= 2;
    expect(whole.records.filter(isOfFirstEpoch)).toEqual(still.records.filter(isOfFirstEpoch));
    const losses = ({ records }: Collected) => records.flatMap((one) => (one.type === 'step' ? [one.loss] : []));
    expect(losses(whole)[2]).not.toBe(losses(still)[2]);
    // After 4 only the last test is left.
    for (const stopAfter of [1, 2, 3, 4]) {
      const controller = new AbortController();
      const head = await collect(plan, dataset, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
            controller.abort();
        },
      });
      const tail = await collect(plan, dataset, { from: head.states.at(-1)! });
      expect([...head.records, ...tail.records.slice(1)]).toEqual(whole.records);
    }
  });

  it('on abort ends after the step at hand with one checkpoint', async () => {
    const controller = new AbortController();
    const { events, states } = await collect(shallowPlan, dataset, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step') controller.abort();
      },
    });
    expect(states).toHaveLength(1);
    expect(states[0]).toMatchObject({ step: 1, epoch: 0 });
    expect(events.at(-1)!.type).toBe('checkpoint');
  });

  it('gives others their turn before every step, so that it hears of an abort', async () => {
    const controller = new AbortController();
    const never = { normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0 };
    const { states } = await collect(withTraining({}, never), dataset, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step')
          setImmediate(() => {
            controller.abort();
          });
      },
    });
    expect(states.map(({ step }) => step)).toEqual([1]);
  });

  it('on abort at an epoch’s end leaves the test for later', async () => {
    const plan = withTraining({ epochs: 1 }, { shapesEverySteps: 0, normsEverySteps: 0 });
    const controller = new AbortController();
    const head = await collect(plan, dataset, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step' && event.record.step === 2) controller.abort();
      },
    });
    expect(head.records.map(({ type }) => type)).toEqual(['prepared', 'step', 'step']);
    expect(head.states).toHaveLength(1);
    expect(head.states[0]).toMatchObject({ step: 2, epoch: 0 });
    const tail = await collect(plan, dataset, { from: head.states[0]! });
    expect(tail.events.map((event) => (event.type === 'record' ? event.record.type : event.type))).toEqual([
      ...['prepared', 'test', 'checkpoint'],
    ]);
    expect(tail.states[0]).toMatchObject({ step: 2, epoch: 1 });
  });

  it('neither leaks a tensor from step to step nor leaves one behind', async () => {
    const before = tf.memory().numTensors;
    const during: number[] = [];
    await collect(shallowPlan, dataset, { onEvent: () => during.push(tf.memory().numTensors) });
    expect(new Set(during).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves no tensor behind when its reader stops reading', async () => {
    const { train } = await import('../../server/trainer/train.ts');
    const before = tf.memory().numTensors;
    for await (const event of train(shallowPlan, dataset, { from: null, signal: new AbortController().signal })) {
      if (event.type === 'record' && event.record.type === 'step') break;
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('ends as diverged when a loss is not finite, naming it, with the weights before that step', async () => {
    const plan = withTraining({
      schedule: { type: 'constant', learningRate: 1e30 },
      optimizer: { type: 'sgd', momentum: 0, weightDecay: 0 },
    });
    const { records, states, events } = await collect(plan, dataset);
    const nSteps = records.filter(({ type }) => type === 'step').length;
    const controller = new AbortController();
    const stopped = await collect(plan, dataset, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step' && event.record.step === nSteps) controller.abort();
      },
    });
    expect(nSteps).toBeLessThan(4);
    expect(records.at(-1)).toMatchObject({ type: 'diverged', step: nSteps + 1, quantity: 'loss' });
    expect(events.at(-2)).toMatchObject({ type: 'checkpoint', state: { step: nSteps } });
    expect(states.at(-1)!.tensors).toEqual(stopped.states.at(-1)!.tensors);
  });

  it('names the first parameter on the way back whose gradient is not finite, and how many there are', async () => {
    // With kaf4 and kaf5 at zero nothing passes dense1 and dense2, so that their penalties overflow while the loss is finite.
    const { states } = await collect(deeper, dataset);
    const tensors = new Map(states[0]!.tensors);
    fillTensor(tensors, 'model/kaf4.alpha', 0);
    fillTensor(tensors, 'model/dense1.kernel', 3e38);
    fillTensor(tensors, 'model/kaf5.alpha', 0);
    const plan: Plan = { ...tinyPlan, model: { ...tinyPlan.model, denseL2: 1 } };
    const broken = async () => (await collect(plan, dataset, { from: { ...states[0]!, tensors } })).records.at(-1)!;
    expect(await broken()).toMatchObject({ type: 'diverged', step: 3, quantity: 'dense1.kernel' });
    fillTensor(tensors, 'model/dense2.kernel', 3e38);
    const both = await broken();
    expect(both).toMatchObject({ type: 'diverged', step: 3, quantity: 'dense2.kernel' });
    expect((both as DivergedRecord).message).toMatch(
      /^The gradient of dense2\.kernel is not finite at step 3, the first on the way back \(2 of \d+ parameters, the last is dense1\.kernel\)\. /,
    );
  });

  it.each([
    ['a KAF', { type: 'kaf', ...kafOfFive, init: { type: 'normal', std: 0.3 } }, true],
    ['a residual KAF', { type: 'residual-kaf', ...kafOfFive, init: { type: 'normal', std: 0.3 } }, false],
    ['no KAF', { type: 'relu' }, false],
  ] as const)(
    'advises a gentler start after a divergence with %s, where there is one',
    async (_, activation, isGentler) => {
      const plan = withTraining({
        schedule: { type: 'constant', learningRate: 1e30 },
        optimizer: { type: 'sgd', momentum: 0, weightDecay: 0 },
      });
      const { records } = await collect({ ...plan, model: { ...plan.model, activation } }, dataset);
      const diverged = records.at(-1)!;
      if (diverged.type !== 'diverged') throw new Error('it did not diverge');
      const gentler =
        ', or start the kernel activation functions closer to a smooth function (residual-kaf, or init ridge)';
      expect(diverged.message).toMatch(/^The loss of step \d is (NaN|Infinity)\. Lower the learning rate/);
      expect(diverged.message.endsWith(`Lower the learning rate${isGentler ? gentler : ''}.`)).toBe(true);
    },
  );

  it('makes no update where a single value of the gradients is not finite', async () => {
    const { states } = await collect(deeper, dataset);
    const tensors = new Map(states[0]!.tensors);
    // Nothing passes dense1, so that the penalty of its one large weight overflows alone.
    fillTensor(tensors, 'model/kaf4.alpha', 0);
    fillTensor(tensors, 'model/kaf5.alpha', 0);
    const { shape, values } = tensors.get('model/dense1.kernel')!;
    tensors.set('model/dense1.kernel', { shape, values: values.with(17, 3e38) });
    const plan: Plan = { ...tinyPlan, model: { ...tinyPlan.model, denseL2: 1 } };
    const { records, events } = await collect(plan, dataset, { from: { ...states[0]!, tensors } });
    const norms = recordsOf<NormsRecord>(events, 'norms').at(-1)!;
    expect(norms.nonFiniteGradients.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(records.at(-1)).toMatchObject({ type: 'diverged', step: 3, quantity: 'dense1.kernel' });
    expect(events.at(-2)).toMatchObject({ type: 'checkpoint', state: { step: 2, tensors } });
  });

  it('refuses a state of another network, naming the tensor', async () => {
    const { states } = await collect(withTraining({ epochs: 1 }, { testEveryEpochs: 0 }), dataset);
    const relu: Plan = {
      ...shallowPlan,
      model: {
        ...shallowPlan.model,
        activation: { type: 'kaf', dictionary: 6, boundary: 3, gamma: 0.3, init: { type: 'normal', std: 0.3 } },
      },
    };
    await expect(collect(relu, dataset, { from: states[0]! })).rejects.toThrow(
      'model/kaf1.alpha is [4, 5] in the checkpoint, but [4, 6] in the network',
    );
  });
});

function recordsOf<T>(events: readonly { type: string; record?: unknown }[], type: string): T[] {
  return events
    .filter((event) => event.type === 'record' && (event.record as { type: string }).type === type)
    .map((event) => event.record as T);
}

function fillTensor(tensors: Map<string, SavedTensor>, name: string, value: number): void {
  const { shape, values } = tensors.get(name)!;
  tensors.set(name, { shape, values: values.map(() => value) });
}
