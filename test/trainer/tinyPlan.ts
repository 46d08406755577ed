// A plan and a data set so small that the stock cpu backend trains in seconds.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset } from '../../server/data/split.ts';
import { datasetHere } from '../../server/data/dataset.ts';
import { memoryRows, sharedLabels, type Rows } from '../../server/data/rows.ts';
import { openSequence } from '../../server/data/randomSequence.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { registerOps } from '../../server/tensor/ops/registerOps.ts';
import { train, type TrainerEvent, type TrainOptions } from '../../server/trainer/train.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';

export async function openCpu(): Promise<void> {
  registerOps();
  await tf.setBackend('cpu');
}

/** Two steps an epoch, two epochs. */
export const tinyPlan: Plan = {
  version: 1,
  name: 'tiny',
  seed: 7,
  runtime: 'cpu',
  threads: 1,
  dataset: { name: 'shapes', trainSamples: 4, testSamples: 4, seed: 0 },
  model: {
    network: 'light',
    activation: { type: 'kaf', dictionary: 5, boundary: 3, gamma: 0.3, init: { type: 'normal', std: 0.3 } },
    dropout: [0.2, 0.3, 0.4],
    denseL2: 0.001,
    convolutionL2: 0,
    normalization: null,
  },
  training: {
    method: { type: 'fgsm-rs', start: 'ball', statistics: 'batch' },
    threat: { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 },
    epochs: 2,
    batchSize: 2,
    optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 5e-4 },
    schedule: { type: 'constant', learningRate: 1e-3 },
    augmentation: { crop: 1, flip: true },
    checkpointEveryEpochs: 1,
  },
  observe: {
    normsEverySteps: 1,
    shapesEverySteps: 2,
    testEveryEpochs: 1,
    robustSamples: 2,
    robustSteps: 2,
    histogramsEverySteps: 0,
    shiftSamples: 0,
    tensorboard: true,
  },
  checkpoints: { keep: 'all' },
  evaluation: [],
};

/** The same on one convolution and one dense layer: for what is alike on every network. */
export const shallowPlan: Plan = {
  ...tinyPlan,
  model: {
    ...{ ...tinyPlan.model, dropout: [] },
    network: {
      type: 'layers',
      layers: [
        { type: 'conv', channels: 4, size: 3, stride: 1, padding: 'same', bias: false, initializer: 'he-uniform' },
        ...([{ type: 'batch-norm' }, { type: 'activation', activation: null }, { type: 'flatten' }] as const),
        { type: 'dropout', rate: 0.2 },
        { type: 'dense', units: 'classes', bias: true, initializer: 'glorot-uniform' },
      ],
    },
  },
};

/** Noise of 4×4 (or other) pixels, its mean brightness telling the class. */
export function tinyDataset({ nTrain = 4, nTest = 4, side = 4, classes = ['dark', 'grey', 'bright'] } = {}): Dataset {
  return datasetHere(
    { name: 'shapes' },
    {
      classes,
      sampleShape: [side, side, 3],
      train: tinyRows(nTrain, 1, side, classes.length),
      test: tinyRows(nTest, 2, side, classes.length),
      isTable: false,
    },
  );
}

function tinyRows(nSamples: number, stream: number, side: number, nClasses: number): Rows {
  const random = openSequence(5, stream, 0);
  const size = side * side * 3;
  const labels = sharedLabels(nSamples).map((_, index) => index % nClasses);
  const images = Uint8Array.from({ length: nSamples * size }, (_, index) =>
    Math.floor((255 / nClasses) * (labels[Math.floor(index / size)]! + random())),
  );
  return memoryRows(images, labels, size);
}

export interface Collected {
  readonly events: TrainerEvent[];
  readonly records: RunRecord[];
  readonly states: TrainingState[];
}

/** Runs training to its end. */
export async function collect(
  plan: Plan,
  dataset: Dataset,
  options: Partial<TrainOptions> & { onEvent?: (event: TrainerEvent) => void } = {},
): Promise<Collected> {
  const collected: Collected = { events: [], records: [], states: [] };
  const { from = null, signal = new AbortController().signal, onEvent, ...rest } = options;
  for await (const event of train(plan, dataset, { from, signal, ...rest })) {
    collected.events.push(event);
    if (event.type === 'record') collected.records.push(event.record);
    else collected.states.push(event.state);
    onEvent?.(event);
  }
  return collected;
}
