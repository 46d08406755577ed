// Detectors from training to their curves: what they learn, what they are tried against, transfers too, and what they refuse.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryRows, splitOf } from '../../server/data/rows.ts';
import type { Dataset } from '../../server/data/split.ts';
import { DetectorError } from '../../server/detector/detector.ts';
import { completeEvaluation, type DetectorPlan } from '../../server/protocol/evaluationPlan.ts';
import type { DetectorName } from '../../server/protocol/detectorTable.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { Detection, RunRecord } from '../../server/protocol/records.ts';
import { detectionsAt, rocOf } from '../../server/protocol/roc.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import type { Surrogate } from '../../server/trainer/surrogate.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';
import { attackPlan } from '../attack/plans.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

const dataset = tinyDataset({ nTrain: 60, nTest: 30 });
const attack = { epsilon: 0.15, stepSize: 0.05, steps: 5, restarts: 1, samples: 30, batchSize: 30 } as const;
const plan: Plan = {
  ...tinyPlan,
  model: {
    ...tinyPlan.model,
    network: { type: 'mlp', hiddenLayers: 1, units: 16 },
    activation: { type: 'relu' },
    dropout: [],
  },
  training: {
    ...tinyPlan.training,
    method: { type: 'standard' },
    threat: null,
    epochs: 8,
    batchSize: 10,
    schedule: { type: 'constant', learningRate: 5e-3 },
    augmentation: { crop: 0, flip: false },
    checkpointEveryEpochs: 8,
  },
  observe: { ...tinyPlan.observe, testEveryEpochs: 0 },
};
let state: TrainingState;
let other: TrainingState;

beforeAll(async () => {
  await openCpu();
  state = (await collect(plan, dataset)).states.at(-1)!;
  other = (await collect({ ...plan, seed: 8 }, dataset)).states.at(-1)!;
});

describe.each(['density', 'metzen'] as const)('the %s detector', (name) => {
  it('learns, tells what fools from clean images, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const records = await detected(name, { ...plan, evaluation: [attackPlan('pgd', attack)] });
    expect(tf.memory().numTensors).toBe(before);
    const [pgd] = detectionsOf(records);
    expect(pgd!.against).toBe('PGD-5-1 38.3/255');
    expect(pgd!.attacked.length).toBeGreaterThan(5);
    const roc = rocOf(pgd!.clean, pgd!.attacked);
    expect(roc.area).toBeGreaterThan(0.6);
    expect(detectionsAt(roc, 1)).toBe(1);
    // What is right and does not stand fooled the network and was not noticed.
    const finished = records.at(-1)!;
    expect(finished).toMatchObject({ type: 'evaluationFinished', samples: 30, isPartial: false });
    const { clean, robust } = finished as { clean: { value: number }; robust: { value: number } };
    expect(pgd!.clean).toHaveLength(Math.round(30 * clean.value));
    expect(robust.value).toBeLessThanOrEqual(clean.value);
    expect(Math.round(30 * (clean.value - robust.value))).toBeLessThanOrEqual(pgd!.attacked.length);
  });

  it('is tried against transfers too: on the same weights that is PGD, on others it is not', async () => {
    const evaluation = [
      attackPlan('pgd', attack),
      attackPlan('transfer', { ...attack, from: 'itself', judged: 'all' }),
      attackPlan('transfer', { ...attack, from: 'another', judged: 'all' }),
    ];
    const surrogates = new Map([
      ['itself', surrogateOf(state, 'a')],
      ['another', surrogateOf(other, 'b')],
    ]);
    const records = await detected(name, { ...plan, evaluation }, { surrogates });
    expect(records[0]).toMatchObject({ surrogates: [{ digest: 'a' }, { digest: 'b' }] });
    const [pgd, itself, another] = detectionsOf(records);
    expect(itself!.attacked).toEqual(pgd!.attacked);
    expect(another!.attacked).not.toEqual(pgd!.attacked);
    expect(another!.against).toMatch(/^transfer-5-1 from another/);
  });

  it('says so where the network is right about none of the images that it would learn from', async () => {
    const found = detected(name, plan, { of: labelled(() => 1), weights: always(0) });
    await expect(found).rejects.toBeInstanceOf(DetectorError);
    await expect(found).rejects.toThrow(
      /has nothing to learn from: the network is right about none of the training images 1 to 40\. Train it further, or raise fit\./,
    );
  });

  it('says so where it is right about none of those that its threshold comes from', async () => {
    const of = labelled((index) => (index < 40 ? 0 : 1));
    await expect(detected(name, plan, { of, weights: always(0) })).rejects.toThrow(
      /has nothing to take a threshold from: .* none of the training images 41 to 60\./,
    );
  });
});

/** The training images with other labels. */
function labelled(labelOf: (index: number) => number): Dataset {
  const size = 48;
  const images = new Uint8Array(60 * size).map((_, at) => (at * 37) % 256);
  const labels = Uint16Array.from({ length: 60 }, (_, index) => labelOf(index));
  return { ...dataset, train: splitOf(memoryRows(images, labels, size)) };
}

/** Weights of a network that says the same of every image. */
function always(label: number): TrainingState {
  const bias = state.tensors.get('model/dense2.bias')!;
  const values = Float32Array.from(bias.values, (_, index) => (index === label ? 1e4 : 0));
  return { ...state, tensors: new Map([...state.tensors, ['model/dense2.bias', { ...bias, values }]]) };
}

function surrogateOf(weights: TrainingState, digest: string): Surrogate {
  return { file: 'step-48.safetensors', plan, state: weights, origin: { runId: 'one', step: 48, digest } };
}

async function detected(
  name: DetectorName,
  of: Plan,
  given: { readonly surrogates?: Map<string, Surrogate>; readonly of?: Dataset; readonly weights?: TrainingState } = {},
): Promise<RunRecord[]> {
  const { surrogates, weights = state } = given;
  const settings = { epsilon: 0.15, fit: 40, samples: 30, batchSize: 10 };
  const detector = completeEvaluation(name, settings, { trainedEpsilon: null, testSamples: null }) as DetectorPlan;
  const options = { state: weights, number: 1, signal: new AbortController().signal, surrogates };
  const records: RunRecord[] = [];
  for await (const record of evaluate(of, detector, given.of ?? dataset, options)) records.push(record);
  return records;
}

function detectionsOf(records: readonly RunRecord[]): readonly Detection[] {
  const last = records.findLast((record) => record.type === 'attackProgress');
  return last?.detections ?? [];
}
