// The data sets: what each is called, what its samples and classes are, which reader opens it, and where it may be fetched. The
// next published one of a known form is an entry here and nothing else: its settings, its plan, its hover, its document and its
// download are made from this table. Readers are in server/data.

export interface DatasetDeclaration {
  readonly title: string;
  /** For the hover and the documents. */
  readonly description: string;
  /** How it is opened. */
  readonly reader: 'shapes' | 'cifar' | 'idx' | 'publishedTable' | 'folder' | 'table' | 'arrays';
  /** What `dataset.path` names; null for what is made. */
  readonly path: { readonly description: string; readonly byDefault: string } | null;
  /** Null where only the disk tells. */
  readonly ends: { readonly sampleShape: readonly number[]; readonly classes: readonly string[] } | null;
  /** How many there are, and of those how many are taken where the experiment says nothing; null where only the disk tells. */
  readonly samples: DeclaredSamples | null;
  /** What may be fetched; null for nothing. */
  readonly download: Download | null;
}

export interface DeclaredSamples {
  readonly train: number;
  readonly test: number;
  readonly trainByDefault?: number;
  readonly testByDefault?: number;
}

/** Where the authors publish it. `dataset.path` names the folder it was fetched into. */
export interface Download {
  readonly sizeText: string;
  readonly files: readonly DownloadFile[];
}

export interface DownloadFile {
  readonly url: string;
  /** What it is called in the folder; of an archive, until it is unpacked. */
  readonly name: string;
  /** As the source publishes it; null where it publishes none: then what is in it is checked when it is opened. */
  readonly checksum: { readonly algorithm: 'md5' | 'sha256'; readonly hex: string } | null;
  /** More than this is not written. */
  readonly maxBytes: number;
  /** The files that are kept of what is in an archive; null for a file that stays as it comes. */
  readonly unpack: {
    readonly form: 'tar.gz' | 'zip';
    readonly keep: readonly string[];
    readonly maxBytes: number;
  } | null;
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

export const cifar10Classes = [
  ...['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
] as const;

const fashionClasses = [
  ...['T-shirt/top', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'],
] as const;

/** In the order of the fine labels. */
export const cifar100Classes = (
  'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle ' +
  'caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish ' +
  'forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle ' +
  'mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine ' +
  'possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar ' +
  'sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree ' +
  'wolf woman worm'
).split(' ');

/** In the order of the coarse labels. */
export const cifar100CoarseClasses = (
  'aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture insects ' +
  'large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores ' +
  'medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2'
).split(' ');

/** The figures of shapes, which server/data/figures.ts draws. */
export const shapesClasses = [
  ...['disk', 'ring', 'square', 'frame', 'triangle', 'cross', 'star', 'bars', 'checker', 'crescent'],
] as const;

/** The four files of MNIST's form in one folder, with the MD5 of each. */
function idxDownload(at: string, sizeText: string, md5: readonly [string, string, string, string]): Download {
  const names = [
    ...['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'],
    ...['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
  ];
  return {
    sizeText,
    files: names.map((name, index) => ({
      ...{ url: `${at}${name}`, name, maxBytes: 40_000_000, unpack: null },
      checksum: { algorithm: 'md5', hex: md5[index]! },
    })),
  };
}

function cifarDownload(name: string, md5: string, keep: readonly string[]): Download {
  return {
    sizeText: '162 MiB',
    files: [
      {
        ...{ url: `https://www.cs.toronto.edu/~kriz/${name}`, name, maxBytes: 180_000_000 },
        checksum: { algorithm: 'md5', hex: md5 },
        unpack: { form: 'tar.gz', keep, maxBytes: 200_000_000 },
      },
    ],
  };
}

const idxFolder = 'Folder with the four idx files (train-images-idx3-ubyte …), packed as .gz or not';

/** Every data set, in the order in which documents list them. */
export const datasets = {
  shapes: {
    title: 'Shapes',
    description: 'Ten classes of 32×32×3 pictures made by a seeded generator; nothing to download.',
    ...{ reader: 'shapes', path: null, download: null },
    ends: { sampleShape: [32, 32, 3], classes: shapesClasses },
    samples: { train: 200_000, test: 100_000, trainByDefault: 10_000, testByDefault: 2000 },
  },
  cifar10: {
    title: 'CIFAR-10',
    description: 'CIFAR-10 in its binary form: 50,000 training and 10,000 test images of 32×32×3 (Krizhevsky, 2009).',
    reader: 'cifar',
    path: { description: 'Folder with the six .bin batches', byDefault: '~/data/cifar-10-batches-bin' },
    ends: { sampleShape: [32, 32, 3], classes: cifar10Classes },
    samples: { train: 50_000, test: 10_000 },
    download: cifarDownload('cifar-10-binary.tar.gz', 'c32a1d4ab5d03f1284b67883e8d87530', [
      ...['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin', 'data_batch_4.bin', 'data_batch_5.bin'],
      ...['test_batch.bin', 'batches.meta.txt'],
    ]),
  },
  cifar100: {
    title: 'CIFAR-100',
    description:
      'CIFAR-100 in its binary form: 50,000 training and 10,000 test images of 32×32×3 in 100 classes (Krizhevsky, 2009).',
    reader: 'cifar',
    path: { description: 'Folder with train.bin and test.bin', byDefault: '~/data/cifar-100-binary' },
    ends: { sampleShape: [32, 32, 3], classes: cifar100Classes },
    samples: { train: 50_000, test: 10_000 },
    download: cifarDownload('cifar-100-binary.tar.gz', '03b5dce01913d631647c71ecec9e9cb8', [
      ...['train.bin', 'test.bin', 'fine_label_names.txt', 'coarse_label_names.txt'],
    ]),
  },
  mnist: {
    title: 'MNIST',
    description: 'Handwritten digits: 60,000 training and 10,000 test images of 28×28×1 (LeCun et al., 1998).',
    reader: 'idx',
    path: { description: idxFolder, byDefault: '~/data/mnist' },
    ends: { sampleShape: [28, 28, 1], classes: digits },
    samples: { train: 60_000, test: 10_000 },
    download: idxDownload('https://ossci-datasets.s3.amazonaws.com/mnist/', '11 MiB', [
      ...(['f68b3c2dcbeaaa9fbdd348bbdeb94873', 'd53e105ee54ea40749a09fcbcd1e9432'] as const),
      ...(['9fb629c4189551a2d022fa330f9573f3', 'ec29112dd5afa0611ce80d1b7f02629c'] as const),
    ]),
  },
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    description: 'Articles of clothing in the form of MNIST (Xiao et al., 2017).',
    reader: 'idx',
    path: { description: idxFolder, byDefault: '~/data/fashion-mnist' },
    ends: { sampleShape: [28, 28, 1], classes: fashionClasses },
    samples: { train: 60_000, test: 10_000 },
    download: idxDownload(
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
      '30 MiB',
      [
        ...(['8d4fb7e6c68d591d4c3dfef9ec88bf0d', '25c81989df183df01b3e8a0aad5dffbe'] as const),
        ...(['bef4ecab320f06d8554ea6380940ec79', 'bb300cfdad3c16e7a12a480ee83cd310'] as const),
      ],
    ),
  },
  sensorless: {
    title: 'Sensorless Drive Diagnosis',
    description: 'Sensorless Drive Diagnosis: 58,509 rows of 48 features in 11 classes of equal size (UCI, M. Bator).',
    reader: 'publishedTable',
    path: { description: 'The file Sensorless_drive_diagnosis.txt, or its folder', byDefault: '~/data/sensorless' },
    ends: { sampleShape: [48], classes: ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11'] },
    samples: null,
    download: {
      sizeText: '15 MiB',
      files: [
        {
          url: 'https://archive.ics.uci.edu/static/public/325/dataset+for+sensorless+drive+diagnosis.zip',
          ...{ name: 'sensorless.zip', checksum: null, maxBytes: 30_000_000 },
          unpack: { form: 'zip', keep: ['Sensorless_drive_diagnosis.txt'], maxBytes: 60_000_000 },
        },
      ],
    },
  },
  susy: {
    title: 'SUSY',
    description:
      'SUSY: 5,000,000 simulated collisions of 18 features, signal or background; the last 500,000 to test (Baldi et al., 2014).',
    reader: 'publishedTable',
    path: { description: 'The file SUSY.csv.gz or SUSY.csv, or its folder', byDefault: '~/data/susy' },
    ends: { sampleShape: [18], classes: ['background', 'signal'] },
    samples: null,
    download: {
      sizeText: '879 MiB',
      files: [
        {
          url: 'https://archive.ics.uci.edu/ml/machine-learning-databases/00279/SUSY.csv.gz',
          ...{ name: 'SUSY.csv.gz', checksum: null, maxBytes: 1_200_000_000, unpack: null },
        },
      ],
    },
  },
  folder: {
    title: 'A folder of pictures',
    description:
      'Your own pictures (PNG, JPEG, WebP), one folder a class: every one is brought to one size, and kept as bytes in a cache.',
    ...{ reader: 'folder', ends: null, samples: null, download: null },
    path: { description: 'Folder with one folder of pictures a class', byDefault: '~/data/pictures' },
  },
  table: {
    title: 'A table',
    description:
      'Your own table: text (CSV) with a header, numbers in every column but the label. Columns are standardised by the network, so ε is in standard deviations.',
    ...{ reader: 'table', ends: null, samples: null, download: null },
    path: { description: 'The file, packed (.gz) or not', byDefault: '~/data/table.csv' },
  },
  arrays: {
    title: 'Arrays of NumPy',
    description:
      'Your own arrays: samples [N, …] of float32, float64 or uint8 (pictures: uint8 of [N, height, width, channels]) and integer labels [N].',
    ...{ reader: 'arrays', ends: null, samples: null, download: null },
    path: { description: 'An .npz file, or a folder of .npy files', byDefault: '~/data/arrays.npz' },
  },
} as const satisfies Readonly<Record<string, DatasetDeclaration>>;

export type DatasetName = keyof typeof datasets;

/** Those that have no settings of their own: a path and how many samples. */
export type PublishedName = {
  [N in DatasetName]: (typeof datasets)[N] extends { readonly reader: 'cifar' | 'idx' | 'publishedTable' } ? N : never;
}[DatasetName];

/** Of these, tables that only the disk counts. */
export type PublishedTableName = {
  [N in DatasetName]: (typeof datasets)[N] extends { readonly reader: 'publishedTable' } ? N : never;
}[DatasetName];

export const datasetNames = Object.keys(datasets) as DatasetName[];

export function datasetDeclaration(name: DatasetName): DatasetDeclaration {
  return datasets[name];
}

/** Those that may be fetched. */
export function downloadable(): DatasetName[] {
  return datasetNames.filter((name) => datasetDeclaration(name).download !== null);
}
