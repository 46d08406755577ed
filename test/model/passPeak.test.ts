// The memory that a pass is said to take at most, next to what it takes of the runtime's.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { inputGradient } from '../../server/attack/inputGradient.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { measurePass } from '../../server/model/passMemory.ts';
import { trainingLosses } from '../../server/tensor/ops/trainingLoss.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import { computeGradients, penaltiesOf } from '../../server/trainer/gradients.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';

interface Trial {
  readonly what: string;
  readonly layers: string;
  /** Under the pass of a training, and of an attack: so much of what is said is taken at least. */
  readonly least?: readonly [all: number, input: number];
  readonly model?: string;
}

const ends = { sampleShape: [16, 16, 3], nClasses: 4 } as const;
const batchSize = 32;

const start = 'conv: {channels: 24, size: 1}';
const trials: readonly Trial[] = [
  { what: 'one convolution', layers: start, least: [0.94, 0.95] },
  { what: 'convolutions', layers: `${start}, ${start}`, least: [0.96, 0.95] },
  { what: 'a formula behind a normalisation', layers: `${start}, batch-norm, activation: relu` },
  { what: 'a KAF behind a normalisation', layers: `${start}, batch-norm, activation: kaf` },
  { what: 'a trained formula behind a normalisation', layers: `${start}, batch-norm, activation: prelu` },
  { what: 'a spline behind a normalisation', layers: `${start}, batch-norm, activation: spline`, least: [0.98, 1] },
  {
    what: 'a KAF of ReLU behind a normalisation',
    layers: `${start}, batch-norm, activation: {type: kaf, kernel: relu, dictionary: 4}`,
    least: [0.98, 0.99],
  },
  { what: 'other normalisations', layers: `${start}, layer-norm, activation: swish, group-norm: 4` },
  { what: 'pooling', layers: `${start}, max-pool: 2, average-pool: 2` },
  { what: 'padded pooling', layers: `${start}, average-pool: {size: 3, stride: 2, padding: same}` },
  { what: 'pooling that pads nothing', layers: `${start}, average-pool: {size: 2, stride: 2, padding: same}` },
  { what: 'padded maximum pooling', layers: `${start}, max-pool: {size: 3, stride: 2, padding: same}` },
  { what: 'padded pooling of large windows', layers: `${start}, average-pool: {size: 5, stride: 1, padding: same}` },
  { what: 'a normalisation alone', layers: `${start}, batch-norm, ${start}`, least: [0.97, 0.97] },
  { what: 'dropout', layers: `${start}, dropout: 0.2, activation: relu` },
  { what: 'dropout of nothing', layers: `${start}, dropout: 0, activation: relu` },
  { what: 'a sum', layers: `${start}, residual: {branch: [${start}, activation: relu]}, activation: relu` },
  { what: 'a scaled sum', layers: `${start}, residual: {branch: [${start}], scale: trained}` },
  {
    what: 'a scaled sum of samples',
    layers: 'residual: {branch: [activation: relu], scale: trained}',
  },
  { what: 'a concatenation', layers: `${start}, concat: [[${start}], [activation: relu], []]` },
  {
    what: 'normalised samples',
    layers: 'conv: {channels: 4, size: 1}',
    model: ', normalization: {mean: [0.5, 0.5, 0.5], std: [1, 1, 1]}',
    least: [0.73, 0.93],
  },
  { what: 'dense layers', layers: 'flatten, dense: 512, activation: relu, dense: 512', least: [0.99, 0.96] },
];

function modelOf({ layers, model = '' }: Trial) {
  const end = layers.startsWith('flatten') ? 'dense' : 'global-average-pool, dense';
  const text = `model: {denseL2: 0, convolutionL2: 0, network: {layers: [${layers}, ${end}]}${model}}`;
  return compileExperiment(text, { file: null, homeFolder: '/' }).plans[0]!.model;
}

async function take(trial: Trial, gradients: 'all' | 'input'): Promise<number> {
  const { backend } = await openWasmBackend(assetsFolder, { threads: 1 });
  const { pool } = backend;
  const model = modelOf(trial);
  const network = buildNetwork(model, { ...ends, seed: 0 });
  const labels = tf.zeros<tf.Rank.R1>([batchSize], 'int32');
  const before = pool.usedBytes;
  const images = tf.randomUniform<tf.Rank.R4>([batchSize, ...ends.sampleShape]);
  pool.peakBytes = pool.usedBytes;
  const key = { seed: 1, stream: 0, counter: 0 };
  if (gradients === 'all') computeGradients(network, { images, labels }, { key, penalties: penaltiesOf(model) });
  else {
    const lossOf = (logits: tf.Tensor2D) => trainingLosses['cross-entropy'](logits, labels);
    inputGradient(network, images, lossOf, { mode: 'inference', key: null });
  }
  return (pool.peakBytes - before) / 4;
}

describe('the memory of a pass', () => {
  const taken: number[][] = [];

  beforeAll(async () => {
    for (const trial of trials) taken.push([await take(trial, 'all'), await take(trial, 'input')]);
  });

  it.each(trials.map((trial, index) => ({ ...trial, index })))(
    'through $what is what is said at most, and no small part of it',
    ({ index, ...trial }) => {
      const least = trial.least ?? [0.99, 0.99];
      const { peak } = measurePass(modelOf(trial), ends);
      const said = [
        peak({ batchSize, mode: 'training', gradients: 'all', threads: 1 }),
        peak({ batchSize, mode: 'inference', gradients: 'input', threads: 1 }),
      ];
      said.forEach((floats, pass) => {
        // Logits, labels and what has one value a channel are left out.
        expect(taken[index]![pass]).toBeLessThanOrEqual(1.01 * floats);
        expect(taken[index]![pass]).toBeGreaterThanOrEqual(least[pass]! * floats);
      });
    },
  );
});
