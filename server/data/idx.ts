// Pictures in the IDX form of MNIST (LeCun et al. 1998): a file of images and one of labels for each split, packed by gzip or not.
// A header of big-endian numbers: 0, 0, 8 (bytes), the number of dimensions, then the length of each.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { datasetDeclaration } from '../protocol/datasets.ts';
import type { PublishedPlan } from '../protocol/plan.ts';
import { DataError } from './dataError.ts';
import type { OpenedData } from './opened.ts';
import { memoryRows, sharedBytes, sharedLabels, type Rows } from './rows.ts';

const fileNames = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const;

/**
 * The first `trainSamples` and `testSamples` pictures of the folder.
 * @throws DataError for a missing folder or file, one that is no IDX file of the data set's pictures, or a label that no class has
 */
export async function openIdx(
  plan: Pick<PublishedPlan, 'name' | 'path' | 'trainSamples' | 'testSamples'>,
): Promise<OpenedData> {
  const { title, ends } = datasetDeclaration(plan.name);
  const found = await stat(plan.path).catch(() => null);
  if (!found?.isDirectory()) {
    throw new DataError(
      `There is no folder ${plan.path} with ${title}. Set dataset.path to the folder that holds ${fileNames.train.images} and its three companions, packed (.gz) or not, or fetch it (in VS Code: “Kafscope: Download Data Set…”; else: kafscope download ${plan.name} FOLDER).`,
      { kind: 'missing' },
    );
  }
  const { sampleShape, classes } = ends!;
  const about = { title, sampleShape, nClasses: classes.length };
  return {
    ...{ classes, sampleShape },
    train: await readSplit(plan.path, 'train', plan.trainSamples, about),
    test: await readSplit(plan.path, 'test', plan.testSamples, about),
    isTable: false,
  };
}

async function readSplit(
  folder: string,
  part: 'train' | 'test',
  nSamples: number,
  { title, sampleShape, nClasses }: { title: string; sampleShape: readonly number[]; nClasses: number },
): Promise<Rows> {
  const images = await readIdx(folder, fileNames[part].images);
  const labels = await readIdx(folder, fileNames[part].labels);
  const [nImages = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3 || height !== sampleShape[0] || width !== sampleShape[1]) {
    throw new DataError(
      `${images.file} holds ${images.shape.join('×')} bytes, but ${title} is pictures of ${sampleShape[0]}×${sampleShape[1]}. It is another file: get it again.`,
    );
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== nImages) {
    throw new DataError(
      `${labels.file} holds ${labels.shape.join('×')} labels for the ${nImages} pictures of ${images.file}. One of the two is another file: get them again.`,
    );
  }
  if (nSamples > nImages) {
    throw new DataError(
      `${images.file} has ${nImages} images, but ${nSamples} are asked for. Lower dataset.${part}Samples.`,
    );
  }
  const sampleSize = height * width;
  const values = sharedBytes(nSamples * sampleSize);
  values.set(images.data.subarray(0, values.length));
  const kept = sharedLabels(nSamples);
  kept.set(labels.data.subarray(0, nSamples));
  const wrong = kept.findIndex((label) => label >= nClasses);
  if (wrong >= 0) {
    throw new DataError(
      `Label ${wrong} of ${labels.file} is ${kept[wrong]}, but ${title}'s go from 0 to ${nClasses - 1}. The file is damaged: get it again.`,
    );
  }
  return memoryRows(values, kept, sampleSize);
}

interface IdxArray {
  readonly file: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Under its name, or packed under its name and `.gz`. */
async function readIdx(folder: string, name: string): Promise<IdxArray> {
  const plain = path.join(folder, name);
  const packed = `${plain}.gz`;
  const file = (await stat(plain).catch(() => null)) ? plain : packed;
  const read = await readFile(file).catch((cause: unknown) => {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DataError(
      isMissing
        ? `${folder} has neither ${name} nor ${name}.gz. Get the files again, or correct dataset.path.`
        : `${file} can't be read.`,
      { cause, kind: isMissing ? 'missing' : 'unusable' },
    );
  });
  const bytes =
    file === packed
      ? await promisify(gunzip)(read, { maxOutputLength: maxUnpackedBytes }).catch((cause: unknown) => {
          throw new DataError(`${file} can't be unpacked: it is damaged or no gzip file. Get it again.`, { cause });
        })
      : read;
  const nDimensions = bytes[3] ?? 0;
  const headerBytes = 4 + 4 * nDimensions;
  if (bytes.length < headerBytes || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || nDimensions === 0) {
    throw new DataError(`${file} is no IDX file of bytes. Get it again.`);
  }
  const shape = Array.from({ length: nDimensions }, (_, index) => bytes.readUInt32BE(4 + 4 * index));
  const expected = headerBytes + shape.reduce((product, length) => product * length, 1);
  if (bytes.length !== expected) {
    throw new DataError(
      `${file} should hold ${expected} bytes, but holds ${bytes.length}. It is truncated or something else: get it again.`,
    );
  }
  return { file, shape, data: bytes.subarray(headerBytes) };
}

/** Ten times the largest of them. */
const maxUnpackedBytes = 500_000_000;
