// An attack by transfer on the weights of one training, with images made on those of another: what is judged, and what is refused.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBatch } from '../../server/data/batches.ts';
import type { DatasetPlan, Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import {
  isSameNetwork,
  requireFittingSurrogate,
  surrogateNetwork,
  surrogateNetworks,
  type Surrogate,
} from '../../server/trainer/surrogate.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';
import { attackPlan } from '../attack/plans.ts';
import { collect, openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

const dataset = tinyDataset({ nTest: 7 });
const given = { epsilon: 0.1, stepSize: 0.03, steps: 3, restarts: 2, samples: 100, batchSize: 3 };
const plan: Plan = { ...shallowPlan, observe: { ...shallowPlan.observe, testEveryEpochs: 0 } };
const otherPlan: Plan = { ...plan, seed: 8 };
let state: TrainingState;
let other: Surrogate;

beforeAll(async () => {
  await openCpu();
  state = (await collect(plan, dataset)).states.at(-1)!;
  other = surrogateOf(otherPlan, (await collect(otherPlan, dataset)).states.at(-1)!);
});

describe('an evaluation by transfer', () => {
  it('says which weights its images were made on, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const records = await run(other);
    expect(records[0]).toMatchObject({ type: 'evaluationStarted', surrogates: [other.origin] });
    expect(records.at(-1)).toMatchObject({ samples: 7, isPartial: false });
    expect(flags(records)).not.toContain('own-surrogate');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('on the same weights counts what PGD counts, step by step, and the audit says that it is no transfer', async () => {
    const own = await run(surrogateOf(plan, state));
    const pgd: RunRecord[] = [];
    const options = { state, number: 4, signal: new AbortController().signal };
    for await (const record of evaluate(plan, attackPlan('pgd', given), dataset, options)) pgd.push(record);
    const counts = (records: RunRecord[]) =>
      records.flatMap((record) => (record.type === 'attackProgress' ? [[record.robust, record.outcomes]] : []));
    expect(counts(own)).toEqual(counts(pgd));
    expect(flags(own)).toContain('own-surrogate');
  });

  it('is no transfer only where network and weights are the same', () => {
    const { activation } = plan.model;
    const wider: Plan = {
      ...plan,
      model: { ...plan.model, activation: { ...activation, gamma: 0.4 } as typeof activation },
    };
    const attacked = { plan, state, of: 'model' } as const;
    expect(isSameNetwork(surrogateOf(plan, state), attacked)).toBe(true);
    expect(isSameNetwork(surrogateOf(wider, state), attacked)).toBe(false);
    expect(isSameNetwork(other, attacked)).toBe(false);
  });

  it('is a transfer from the average of the weights to those that it is of', () => {
    const averaging: Plan = { ...plan, training: { ...plan.training, weightAverage: { decay: 0.5 } as never } };
    const averages = [...state.tensors].map(([name, tensor]) => {
      const values = tensor.values.map((value) => value / 2);
      return [name.replace(/^model/, 'average'), { ...tensor, values }] as const;
    });
    const both = { ...state, tensors: new Map([...state.tensors, ...averages]) };
    const attacked = { plan: averaging, state: both };
    expect(isSameNetwork(surrogateOf(averaging, both), { ...attacked, of: 'average' })).toBe(true);
    expect(isSameNetwork(surrogateOf(averaging, both), { ...attacked, of: 'model' })).toBe(false);
    expect(isSameNetwork(surrogateOf(plan, state), { ...attacked, of: 'model' })).toBe(true);
  });

  it('is as far in its training as its checkpoint', async () => {
    const lowering = { to: 0.1, by: 0.5, everyEpochs: 1, afterEpochs: 1 };
    const kept = { type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.5 } as const;
    const winners = (activation: Plan['model']['activation']): Plan => ({
      ...plan,
      model: { ...plan.model, activation },
    });
    const lowered = winners({ ...kept, lowering });
    const { tensors, ...rest } = (await collect(winners(kept), dataset)).states.at(-1)!;
    const answers = async (step: number) => {
      const network = surrogateNetwork(surrogateOf(lowered, { ...rest, step, tensors }), { plan, dataset });
      const { images, labels } = makeBatch(await dataset.test.read(Uint32Array.of(0, 1)), dataset.sampleShape);
      const pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null } as const;
      const logits = tf.tidy(() => [...network.forward(images, pass).dataSync()]);
      tf.dispose([images, labels]);
      network.dispose();
      return logits;
    };
    // Two steps an epoch: in the second fewer win.
    expect(await answers(2)).toEqual(await answers(0));
    expect(await answers(3)).not.toEqual(await answers(2));
  });

  it('takes the averaged weights of a run that averages them', async () => {
    const averaging: Plan = {
      ...otherPlan,
      training: { ...otherPlan.training, weightAverage: { decay: 0.5 } as never },
    };
    const averaged = (await collect(averaging, dataset)).states.at(-1)!;
    const network = surrogateNetwork(surrogateOf(averaging, averaged), { plan, dataset });
    for (const { name, variable } of network.parameters)
      expect(variable.dataSync()).toEqual(averaged.tensors.get(`average/${name}`)!.values);
    network.dispose();
  });
});

describe('a surrogate is refused', () => {
  const on = (set: object): Plan => ({ ...plan, dataset: { ...set } as DatasetPlan });
  const cifar10 = on({ name: 'cifar10', path: '/a', trainSamples: 10, testSamples: 10 });
  const mnist = on({ name: 'mnist', path: '/b', trainSamples: 10, testSamples: 10 });
  const refused = (surrogate: Plan, attacked: Plan) => () => {
    requireFittingSurrogate(surrogateOf(surrogate, state), { plan: attacked, dataset });
  };

  it.each([
    ['samples of another shape', mnist, cifar10, /takes samples of 28×28×1, the attacked one of 32×32×3\. Name a/],
    [
      'pictures of another size',
      on({ name: 'folder', path: '/c', size: 64, colors: 'rgb' }),
      cifar10,
      /takes samples of 64×64×3, the attacked one of 32×32×3/,
    ],
    [
      'grey pictures',
      on({ name: 'folder', path: '/c', size: 32, colors: 'grey' }),
      cifar10,
      /takes samples of 32×32×1, the attacked one of 32×32×3/,
    ],
    [
      'another number of classes',
      on({ name: 'cifar100', labels: 'coarse', path: '/a' }),
      cifar10,
      /tells 20 classes apart, the attacked one 10/,
    ],
    [
      'other classes',
      on({ name: 'fashion-mnist', path: '/b', trainSamples: 10, testSamples: 10 }),
      mnist,
      /tells the classes of fashion-mnist apart, not those of mnist/,
    ],
  ])('for %s, with a remedy', (_, surrogate, attacked, message) => {
    expect(refused(surrogate, attacked)).toThrow(message);
  });

  it('not where only one of two data sets names its classes', () => {
    const folder = on({ name: 'folder', path: '/c', size: 32, colors: 'rgb' });
    expect(refused(folder, cifar10)).not.toThrow();
    const shown = tinyDataset({ side: 32, classes: [...'0123456789'] });
    expect(() => {
      requireFittingSurrogate(surrogateOf(cifar10, state), { plan: folder, dataset: shown });
    }).not.toThrow();
  });

  it('before its weights are looked at, and those that were opened before it are closed', () => {
    const before = tf.memory().numTensors;
    const grey = surrogateOf(mnist, { ...state, tensors: new Map() });
    expect(() => surrogateNetwork(grey, { plan, dataset })).toThrow(/takes samples of 28×28×1/);
    const both = new Map([
      ['fitting', other],
      ['grey', grey],
    ]);
    expect(() => surrogateNetworks(both, { plan, dataset })).toThrow(/takes samples of 28×28×1/);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('where it standardises by figures of other data, which published data that lies elsewhere is not', () => {
    const standardised = (one: Plan): Plan => ({ ...one, model: { ...one.model, normalization: 'dataset' } });
    const table = on({ name: 'table', path: '/a.csv' });
    const another = on({ name: 'table', path: '/b.csv' });
    expect(refused(standardised(table), another)).toThrow(/standardises by figures of its own data set/);
    expect(refused(table, another)).not.toThrow();
    expect(refused(standardised(table), table)).not.toThrow();
    const moved = on({ ...cifar10.dataset, path: '/elsewhere' });
    expect(refused(standardised(cifar10), moved)).not.toThrow(/standardises/);
  });

  it('where its weights are no such network’s, or its layers take no such samples', () => {
    const relu: Plan = { ...plan, model: { ...plan.model, activation: { type: 'relu' } } };
    const before = tf.memory().numTensors;
    const { state: ofRelu } = surrogateOf(relu, { ...state, tensors: new Map() });
    expect(() => surrogateNetwork(surrogateOf(relu, ofRelu), { plan, dataset })).toThrow(
      /does not fit: the checkpoint has no/,
    );
    const deep: Plan = { ...plan, model: { ...plan.model, network: 'vgg', dropout: [] } };
    expect(refused(deep, plan)).toThrow(/does not fit these samples/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

function surrogateOf(of: Plan, weights: TrainingState): Surrogate {
  return { file: 'step-4.safetensors', plan: of, state: weights, origin: { runId: 'one', step: 4, digest: '00' } };
}

async function run(surrogate: Surrogate): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  const evaluation = attackPlan('transfer', { ...given, from: 'one', judged: 'all' });
  const options = { state, number: 4, signal: new AbortController().signal, surrogates: new Map([['one', surrogate]]) };
  for await (const record of evaluate(plan, evaluation, dataset, options)) records.push(record);
  return records;
}

function flags(records: readonly RunRecord[]): string[] {
  const last = records.at(-1);
  return last?.type === 'evaluationFinished' ? (last.audit ?? []).map(({ flag }) => flag) : [];
}
