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
  { computed: 'a tenth of them where something is chosen by them (early stopping, the best checkpoint), else 0' },
  samples,
);

/** Of a data set whose samples are counted: how many are there, and are taken. */
function sizes(name: DatasetName) {
  const { samples: declared } = datasetDeclaration(name);
  if (!declared) throw new Error(`nobody knows how many samples ${name} has`);
  const { train, test, trainByDefault = train, testByDefault = test } = declared;
  return {
    trainSamples: number('The first so many training samples.', { min: 1, max: train }, trainByDefault, samples),
    validationSamples,
    testSamples: number('The first so many test samples.', { min: 1, max: test }, testByDefault, samples),
  };
}

const most = 100_000_000;

/** Of a data set that only the disk counts. */
const openSizes = {
  trainSamples: number('The first so many training samples.', { min: 1, max: most }, { computed: 'all' }, samples),
  validationSamples,
  testSamples: number('The first so many test samples.', { min: 1, max: most }, { computed: 'all' }, samples),
};

const share = {
  testShare: number(
    'Where no test samples lie apart: the share of all that is drawn and taken out to test on.',
    { min: 0, max: 1, isMinExcluded: true, isMaxExcluded: true },
    0.2,
  ),
  seed: number("Seed of that draw, independent of the run's.", uint32, 0, integer),
};

const testPath = (what: string) =>
  text(`${what}; without it a share is taken (testShare).`, 'folder', 4000, { computed: 'none' });

function publishedTable(name: DatasetName) {
  return { description: datasets[name].description, keys: { path: pathOf(name), ...openSizes } };
}

function pathOf(name: DatasetName) {
  const { description, byDefault } = datasetDeclaration(name).path!;
  return text(`${description}; ${homeAndFile}`, 'folder', 4000, byDefault);
}

/** Of a published data set: where it lies and how much of it is taken. */
function published(name: DatasetName) {
  return { description: datasets[name].description, keys: { path: pathOf(name), ...sizes(name) } };
}

type PublishedVariants = {
  readonly [N in PublishedName]: (typeof datasets)[N] extends { readonly samples: null }
    ? ReturnType<typeof publishedTable>
    : ReturnType<typeof published>;
};

const publishedVariants = Object.fromEntries(
  datasetNames
    .filter((name) => isPublished(name))
    .map((name) => [name, datasets[name].samples === null ? publishedTable(name) : published(name)]),
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
    folder: {
      description: datasets.folder.description,
      keys: {
        path: pathOf('folder'),
        testPath: testPath('Folder of the test pictures, with the same classes'),
        ...{ ...openSizes, ...share },
        size: number('Height and width that every picture is brought to.', { min: 4, max: 512 }, 32, {
          ...integer,
          unit: 'pixels',
        }),
        colors: word(
          'What is kept of the colours.',
          {
            rgb: { description: 'Three channels; a grey picture has three equal ones.' },
            grey: { description: 'One channel, the brightness.' },
          },
          'rgb',
        ),
      },
    },
    table: {
      description: datasets.table.description,
      keys: {
        path: pathOf('table'),
        testPath: testPath('The file of the test rows, with the same header'),
        ...{ ...openSizes, ...share },
        label: text('The column that holds the class: any text or number.', 'name', 200, 'label'),
        separator: word(
          'What stands between two values.',
          {
            comma: { description: 'A comma.' },
            semicolon: { description: 'A semicolon.' },
            tab: { description: 'A tab.' },
            space: { description: 'One blank.' },
          },
          'comma',
        ),
      },
    },
    arrays: {
      description: datasets.arrays.description,
      keys: {
        path: pathOf('arrays'),
        ...{ ...openSizes, ...share },
        x: text('Name of the array of samples.', 'name', 200, 'x_train'),
        y: text('Name of the array of labels.', 'name', 200, 'y_train'),
        xTest: text('Name of the array of test samples; where it is missing, a share is taken.', 'name', 200, 'x_test'),
        yTest: text('Name of the array of test labels.', 'name', 200, 'y_test'),
      },
    },
  },
  'shapes',
);
