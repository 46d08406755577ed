// Every key of an experiment file: the one source for validation, JSON Schema, completion, hovers and docs/experiment.md.
// Equation numbers are those of Peconi (2020) unless another source is named.
import { activationSetting } from './activationSetting.ts';
import { attackSetting } from './attackSetting.ts';
import { averageSetting } from './averageSetting.ts';
import { datasetSetting } from './datasetSetting.ts';
import { initializerSetting } from './initializerSetting.ts';
import { matrixSetting } from './matrixSetting.ts';
import { methodSetting, threatSetting } from './methodSetting.ts';
import { networkSetting } from './networkSetting.ts';
import { clippingSetting, optimizerSetting, scheduleSetting } from './optimizerSetting.ts';
import { runtimeSetting } from './runtimeSetting.ts';
import { spectralNormSetting } from './spectralNormSetting.ts';
import { flag, group, list, number, optionalGroup, text, word } from './setting.ts';
import { trainingPresets } from './trainingPresets.ts';
import { watchSetting } from './watchSetting.ts';
import type { Setting, ValueOf } from './setting.ts';

const atLeast0 = { min: 0, max: 1_000_000 };
const rate = { min: 0, max: 1, isMaxExcluded: true };
const uint32 = { min: 0, max: 0xffff_ffff };
const penalty = { min: 0, max: 10 };
const integer = { isInteger: true };

const channelValues = (description: string, item: ReturnType<typeof channelValue>, computed: string) =>
  list(description, item, { minLength: 1, maxLength: 4, computed });
const channelValue = (description: string, byDefault: number, isMinExcluded: boolean) =>
  number(description, { min: 0, max: 1, isMinExcluded }, byDefault);

const model = group('The network.', {
  network: networkSetting,
  activation: activationSetting,
  initializer: initializerSetting,
  dropout: list(
    'Drop rates in order of the dropout layers of a network with a name (3 for light, 4 for vgg, one a block for cnn5, none for the others): the share of units set to 0 (2.20, 2.21).',
    number('Share of units dropped.', rate, 0),
    { maxLength: 5, computed: '[0.2, 0.3, 0.4] for light, [0.2, 0.25, 0.3, 0.4] for vgg, 0.25 each for cnn5' },
  ),
  denseL2: number('λ of the penalty λ·Σw² on the kernels of the dense layers.', penalty, {
    computed: '0.0012 for light and vgg, 0.0005 for resnets, 0.0001 for cnn5 and mlp, else 0',
  }),
  convolutionL2: number('λ of the penalty λ·Σw² on the kernels of the convolutions.', penalty, {
    computed: '0.0005 for resnets, 0.0001 for cnn5, else 0',
  }),
  alphaL1: number('λ of the penalty λ·Σ|α| on the coefficients of KAFs, which makes many of them small.', penalty, 0),
  alphaL2: number('λ of the penalty λ·Σα² on the coefficients of KAFs.', penalty, 0),
  spectralNorm: spectralNormSetting,
  normalization: optionalGroup(
    "(x − mean)/std of each channel or column as the network's first layer, so that ε stays in pixel values of [0, 1].",
    {
      mean: channelValues('Mean of each channel.', channelValue('Mean.', 0, false), '0 each'),
      std: channelValues('Standard deviation of each channel.', channelValue('Standard deviation.', 1, true), '1 each'),
    },
    'dataset for tables and arrays, none for others',
    {
      none: { description: 'Values as they are, like the thesis.' },
      dataset: { description: 'Of a table by its own columns over the training samples; pictures as they are.' },
      cifar10: { description: 'mean [0.4914, 0.4822, 0.4465], std [0.2471, 0.2435, 0.2616] (Wong et al., 2020).' },
    },
  ),
});

const training = group('How the network is trained.', {
  preset: word(
    'A published recipe: what the other keys of training are where the experiment does not say them.',
    { none: { description: 'The defaults below.' }, ...trainingPresets },
    'none',
  ),
  loss: word(
    'What training minimises, averaged over the samples (§2.2.1).',
    {
      'cross-entropy': { description: 'Categorical cross-entropy of the softmax.', equation: '−log softmax(z)_y' },
      'binary-cross-entropy': {
        description: 'Of two classes, by one output: `dense: classes` makes one unit.',
        equation: '−y·log σ(z) − (1 − y)·log(1 − σ(z))',
      },
      'least-squares': { description: 'Squared distance from the class.', equation: 'Σₖ (zₖ − [k = y])²' },
    },
    'cross-entropy',
  ),
  method: methodSetting,
  threat: threatSetting,
  earlyStopping: optionalGroup(
    'Whether training ends before its last epoch where the samples kept back (dataset.validationSamples) say that it gets no better (chooseBy).',
    {
      patience: number('After so many tests that are no better.', { min: 1, max: 10_000 }, 5, {
        ...integer,
        unit: 'tests',
      }),
      minDelta: number('What counts as better: by a larger share of the samples, or loss in nats.', rate, 0),
    },
    'none',
    { none: { description: 'To the last epoch.' } },
  ),
  chooseBy: word(
    'What early stopping and the best checkpoint are chosen by, on the samples kept back.',
    {
      accuracy: { description: 'Accuracy as they are.' },
      loss: { description: 'The mean loss as they are: the smaller the better.' },
      robustAccuracy: {
        description:
          'Accuracy under PGD with one restart at ε of the threat (8/255 without one), of the first observe.robustSamples of them in observe.robustSteps.',
      },
    },
    'accuracy',
  ),
  watch: watchSetting,
  weightAverage: averageSetting,
  epochs: number('Passes over the training images.', { min: 1, max: 10_000 }, 20, { ...integer, unit: 'epochs' }),
  batchSize: number(
    'Images in a training step.',
    { min: 1, max: 4096 },
    { computed: '128, or all training images where there are fewer' },
    { ...integer, unit: 'images' },
  ),
  optimizer: optimizerSetting,
  schedule: scheduleSetting,
  clipping: clippingSetting,
  labelSmoothing: number(
    's, by which the targets of cross-entropy are smoothed (Szegedy et al., 2016): 1 − s + s/K for the class, s/K for the others.',
    rate,
    0,
  ),
  augmentation: group('Random changes of the training images.', {
    crop: number(
      'Zero padding before a random crop to the original size; 0 for none (the thesis pads its ResNets by 4).',
      {
        min: 0,
        max: 16,
      },
      0,
      { ...integer, unit: 'pixels' },
    ),
    flip: flag('Mirror half of the images left to right.', false),
  }),
  checkpointEveryEpochs: number(
    'A checkpoint every so many epochs; the last is always kept.',
    { min: 1, max: 10_000 },
    1,
    {
      ...integer,
      unit: 'epochs',
    },
  ),
});

const observe = group('What is recorded while it trains.', {
  norms: number('Norms of all weights and gradients every so many steps; 0 for never.', atLeast0, 10, {
    ...integer,
    unit: 'steps',
  }),
  shapes: number('Coefficients of KAFs and splines every so many steps; 0 for never.', atLeast0, 50, {
    ...integer,
    unit: 'steps',
  }),
  histograms: number('Histograms of all weights and gradients every so many steps; 0 for never.', atLeast0, 100, {
    ...integer,
    unit: 'steps',
  }),
  test: number('Accuracy on the test images every so many epochs; 0 for never.', { min: 0, max: 10_000 }, 1, {
    ...integer,
    unit: 'epochs',
  }),
  robustSamples: number(
    'Test images attacked by PGD with one restart at each test; 0 for none.',
    { min: 0, max: 100_000 },
    { computed: '256, or all test images where there are fewer' },
    { ...integer, unit: 'images' },
  ),
  robustSteps: number('Steps of that attack.', { min: 1, max: 1000 }, 10, { ...integer, unit: 'steps' }),
  shiftSamples: number(
    'Test images at each test on which what activation functions take and answer is compared with what they do on the same images under that attack; 0 for none.',
    { min: 0, max: 1000 },
    32,
    { ...integer, unit: 'images' },
  ),
  tensorboard: flag(
    "Keep TensorBoard's event file in the run's folder; it takes about twice the size of the run's own log.",
    true,
  ),
});

const checkpoints = group(
  'Which checkpoints stay on the disk; training.checkpointEveryEpochs says how many are made.',
  {
    keep: group(
      'Those that stay: each that one of these keys keeps. The newest, and the one that a run was resumed from, always do.',
      {
        last: number('The newest so many.', { min: 1, max: 10_000 }, 1, { ...integer, unit: 'checkpoints' }),
        everyEpochs: number('Those at the end of every so many epochs; 0 for none.', { min: 0, max: 10_000 }, 0, {
          ...integer,
          unit: 'epochs',
        }),
        best: flag(
          'The one that did best in a test: by training.chooseBy on the samples kept back where there are some (dataset.validationSamples), else under attack where tests attack, else on clean samples.',
          false,
        ),
      },
      { words: { all: { description: 'Every checkpoint.' } } },
    ),
  },
);

export const experimentSettings = group('An experiment: what to train, on what, how, and how to attack the result.', {
  name: text("The experiment's name.", 'name', 80, { computed: "the file's name without .kaf.yaml" }),
  dataset: datasetSetting,
  model,
  training,
  observe,
  checkpoints,
  evaluation: list('Attacks to run on the final weights, in order.', attackSetting, {
    maxLength: 20,
    computed: '[]',
  }),
  seed: number(
    'Seed of every random number of the run: same plan and seed, same records.',
    uint32,
    { computed: '0' },
    integer,
  ),
  seeds: list(
    'One run for each seed, and in a matrix for each seed of each cell: the same as its axis `seed`.',
    number('Seed.', uint32, 0, integer),
    {
      minLength: 1,
      maxLength: 100,
      isUnique: true,
      computed: '[seed]',
    },
  ),
  matrix: matrixSetting((): Setting => experimentSettings),
  parts: number(
    'A sweep cuts the attacks of `evaluation` by test images into so many cells, which run side by side, on many machines too. Figures are those of one pass over all images.',
    { min: 1, max: 100 },
    1,
    { ...integer, unit: 'cells' },
  ),
  runtime: runtimeSetting,
  threads: number(
    'Threads of the runtimes wasm and torch. Results on wasm do not depend on it.',
    { min: 1, max: 256 },
    'auto',
    {
      isInteger: true,
      unit: 'threads',
      words: { auto: { description: 'As many as the machine has cores.' } },
    },
  ),
});

export type ExperimentValues = ValueOf<typeof experimentSettings>;
