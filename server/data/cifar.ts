// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) from a folder with their binary files: records of one label byte (CIFAR-100: the
// coarse one, then the fine one), then 1,024 red, 1,024 green and 1,024 blue bytes. Only as many files are read as the samples
// asked for need. Downloading is elsewhere.
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { cifar100Classes, cifar100CoarseClasses, cifar10Classes, datasets } from '../protocol/datasets.ts';
import type { Cifar100Plan, DatasetPlan } from '../protocol/plan.ts';
import { DataError } from './dataError.ts';
import type { OpenedData } from './opened.ts';
import { memoryRows, sharedBytes, sharedLabels, type Rows } from './rows.ts';

const pixels = 32 * 32;
const imageBytes = 3 * pixels;

/** How one of the two lies on the disk. */
interface Form {
  readonly name: 'cifar10' | 'cifar100';
  readonly trainFiles: readonly string[];
  readonly testFiles: readonly string[];
  readonly recordsPerFile: { readonly train: number; readonly test: number };
  /** Bytes before the picture. */
  readonly nLabels: number;
  /** Which of them is the label. */
  readonly labelAt: number;
  readonly classes: readonly string[];
}

const cifar10: Form = {
  name: 'cifar10',
  trainFiles: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`),
  testFiles: ['test_batch.bin'],
  recordsPerFile: { train: 10_000, test: 10_000 },
  ...{ nLabels: 1, labelAt: 0, classes: cifar10Classes },
};

function cifar100(labels: Cifar100Plan['labels']): Form {
  return {
    name: 'cifar100',
    ...{ trainFiles: ['train.bin'], testFiles: ['test.bin'], recordsPerFile: { train: 50_000, test: 10_000 } },
    ...{ nLabels: 2, labelAt: labels === 'fine' ? 1 : 0 },
    classes: labels === 'fine' ? cifar100Classes : cifar100CoarseClasses,
  };
}

type CifarPlan = Extract<DatasetPlan, { name: 'cifar10' | 'cifar100' }>;

/**
 * The first `trainSamples` of the training files and the first `testSamples` of the test file.
 * @throws DataError for a missing folder or file, a file of another size, or a label that no class has.
 */
export async function openCifar(
  plan: Pick<CifarPlan, 'path' | 'trainSamples' | 'testSamples'> & { readonly labels?: Cifar100Plan['labels'] },
): Promise<OpenedData> {
  const { path: folder, labels, trainSamples, testSamples } = plan;
  const form = labels === undefined ? cifar10 : cifar100(labels);
  const { title } = datasets[form.name];
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) {
    throw new DataError(
      `There is no folder ${folder} with ${title}. Set dataset.path to the folder that holds ${filesText(form)} (the binary version of ${title}), fetch it (in VS Code: “Kafscope: Download Data Set…”; else: kafscope download ${form.name} FOLDER), or use the built-in data set shapes.`,
      { kind: 'missing' },
    );
  }
  return {
    classes: form.classes,
    sampleShape: [32, 32, 3],
    train: await readSplit(folder, form, { part: 'train', nSamples: trainSamples, option: 'trainSamples' }),
    test: await readSplit(folder, form, { part: 'test', nSamples: testSamples, option: 'testSamples' }),
    isTable: false,
  };
}

function filesText({ name }: Form): string {
  return name === 'cifar10' ? 'data_batch_1.bin … data_batch_5.bin and test_batch.bin' : 'train.bin and test.bin';
}

async function readSplit(
  folder: string,
  form: Form,
  { part, nSamples, option }: { part: 'train' | 'test'; nSamples: number; option: string },
): Promise<Rows> {
  const files = part === 'train' ? form.trainFiles : form.testFiles;
  const recordsPerFile = form.recordsPerFile[part];
  const { title } = datasets[form.name];
  const nAvailable = files.length * recordsPerFile;
  if (nSamples > nAvailable) {
    throw new DataError(
      `${title} has ${nAvailable} images for ${option}, but ${nSamples} are asked for. Lower dataset.${option}.`,
    );
  }
  const recordBytes = form.nLabels + imageBytes;
  const images = sharedBytes(nSamples * imageBytes);
  const labels = sharedLabels(nSamples);
  for (let first = 0; first < nSamples; first += recordsPerFile) {
    const nRecords = Math.min(recordsPerFile, nSamples - first);
    const file = path.join(folder, files[first / recordsPerFile]!);
    const records = await readRecords(file, form, nRecords * recordBytes, recordsPerFile * recordBytes);
    for (let record = 0; record < nRecords; record++) {
      const label = records[record * recordBytes + form.labelAt]!;
      if (label >= form.classes.length) {
        throw new DataError(
          `Record ${record} of ${file} has the label ${label}, but ${title}'s go from 0 to ${form.classes.length - 1}. The file is damaged or is no ${title} file: get it again.`,
        );
      }
      labels[first + record] = label;
      interleavePlanes(records, record * recordBytes + form.nLabels, images, (first + record) * imageBytes);
    }
  }
  return memoryRows(images, labels, imageBytes);
}

async function readRecords(file: string, form: Form, wantedBytes: number, fileBytes: number): Promise<Uint8Array> {
  const { title } = datasets[form.name];
  const handle = await open(file).catch((cause: unknown) => {
    throw new DataError(
      `${title}'s file ${file} can't be opened. The folder needs ${filesText(form)}: get the binary version of ${title} again, or correct dataset.path.`,
      { cause, kind: (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unusable' },
    );
  });
  try {
    const { size } = await handle.stat();
    if (size !== fileBytes) {
      throw new DataError(
        `${title}'s file ${file} should have ${fileBytes} bytes, but has ${size}. It is truncated or something else: get it again.`,
      );
    }
    const records = new Uint8Array(wantedBytes);
    let filled = 0;
    while (filled < records.length) {
      const { bytesRead } = await handle.read(records, filled, records.length - filled, filled);
      if (bytesRead === 0) throw new DataError(`${title}'s file ${file} became shorter while it was read: try again.`);
      filled += bytesRead;
    }
    return records;
  } finally {
    await handle.close();
  }
}

/** Planes R, G, B of 1,024 bytes each to pixels of three bytes. */
function interleavePlanes(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    target[to + 3 * pixel] = source[from + pixel]!;
    target[to + 3 * pixel + 1] = source[from + pixels + pixel]!;
    target[to + 3 * pixel + 2] = source[from + 2 * pixels + pixel]!;
  }
}
