// The data sets that an experiment may name, and what it may say of each: their names, sizes and places are those of
// protocol/datasets.ts.
import {
  datasetDeclaration,
  datasetNames,
  datasets,
  type DatasetName,
  type PublishedName,
} from '../protocol/datasets.ts';
import { number, text, variants, word } from './setting.ts';

const integer = { isInteger: true };
const samples = { ...integer, unit: 'samples' };
const uint32 = { min: 0, max: 0xffff_ffff };
const homeAndFile = '~/ is the home folder, a relative path starts at the experiment file.';

const validationSamples = number(
  'Of the training samples, the last so many are kept back: tested beside the test samples, never trained on.',
  { min: 0, max: 100_000_000 },
  0,
  samples,
);

/** Of a data set whose samples are counted: how many are there, and are taken. */
function sizes(name: DatasetName) {
  const { train, test, trainByDefault = train, testByDefault = test } = datasetDeclaration(name).samples!;
  return {
    trainSamples: number('The first so many training samples.', { min: 1, max: train }, trainByDefault, samples),
    validationSamples,
    testSamples: number('The first so many test samples.', { min: 1, max: test }, testByDefault, samples),
  };
}

function pathOf(name: DatasetName) {
  const { description, byDefault } = datasetDeclaration(name).path!;
  return text(`${description}; ${homeAndFile}`, 'folder', 4000, byDefault);
}

/** Of a published data set: where it lies and how much of it is taken. */
function published(name: DatasetName) {
  return { description: datasets[name].description, keys: { path: pathOf(name), ...sizes(name) } };
}

type PublishedVariants = { readonly [N in PublishedName]: ReturnType<typeof published> };

const publishedVariants = Object.fromEntries(
  datasetNames.filter((name) => isPublished(name)).map((name) => [name, published(name)]),
) as PublishedVariants;

export function isPublished(name: DatasetName): name is PublishedName {
  const { reader } = datasetDeclaration(name);
  return reader === 'cifar' || reader === 'idx' || reader === 'publishedTable';
}

export const datasetSetting = variants(
  'The samples to learn from.',
  'name',
  {
    shapes: {
      description: datasets.shapes.description,
      keys: {
        ...sizes('shapes'),
        seed: number(
          "Seed of the generator, independent of the run's, so that runs share their data.",
          uint32,
          0,
          integer,
        ),
      },
    },
    ...publishedVariants,
    cifar100: {
      description: datasets.cifar100.description,
      keys: {
        ...published('cifar100').keys,
        labels: word(
          'Which of the two labels of each picture.',
          { fine: { description: 'The 100 classes.' }, coarse: { description: 'The 20 groups of five classes each.' } },
          'fine',
        ),
      },
    },
  },
  'shapes',
  {
    sensorless: { description: 'Sensorless drive diagnosis (UCI).' },
    susy: { description: 'SUSY (UCI).' },
    folder: { description: 'A folder of images, one subfolder a class.' },
  },
);
