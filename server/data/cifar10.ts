// CIFAR-10 (Krizhevsky 2009) from a folder with its binary batches: 10,000 records a file, each a label byte, then 1,024 red,
// 1,024 green and 1,024 blue bytes. Only as many files are read as the samples asked for need. Downloading is elsewhere.
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from './dataError.ts';
import type { Dataset, Split } from './split.ts';

export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const trainFiles = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);
const testFiles = ['test_batch.bin'];
const recordsPerFile = 10_000;
const pixels = 32 * 32;
const imageBytes = 3 * pixels;
const recordBytes = 1 + imageBytes;
const fileBytes = recordsPerFile * recordBytes;

/**
 * The first `trainSamples` of the five training batches and the first `testSamples` of the test batch.
 * @throws DataError for a missing folder or file, a file of another size, or a label above 9.
 */
export async function openCifar10(
  folder: string,
  { trainSamples, testSamples }: { readonly trainSamples: number; readonly testSamples: number },
): Promise<Dataset> {
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) {
    throw new DataError(
      `There is no folder ${folder} with CIFAR-10. Set dataset.path to the folder that holds data_batch_1.bin … data_batch_5.bin and test_batch.bin (the binary version of CIFAR-10), fetch it (in VS Code: “Kafscope: Download CIFAR-10…”; else: kafscope download cifar10 FOLDER), or use the built-in data set shapes.`,
      { kind: 'missing' },
    );
  }
  return {
    name: 'cifar10',
    classes: cifar10Classes,
    sampleShape: [32, 32, 3],
    train: await readSplit(folder, trainFiles, { nSamples: trainSamples, option: 'trainSamples' }),
    test: await readSplit(folder, testFiles, { nSamples: testSamples, option: 'testSamples' }),
  };
}

async function readSplit(
  folder: string,
  files: readonly string[],
  { nSamples, option }: { nSamples: number; option: string },
): Promise<Split> {
  const nAvailable = files.length * recordsPerFile;
  if (nSamples > nAvailable) {
    throw new DataError(
      `CIFAR-10 has ${nAvailable} images for ${option}, but ${nSamples} are asked for. Lower dataset.${option}.`,
    );
  }
  const images = new Uint8Array(nSamples * imageBytes);
  const labels = new Uint8Array(nSamples);
  for (let first = 0; first < nSamples; first += recordsPerFile) {
    const nRecords = Math.min(recordsPerFile, nSamples - first);
    const file = path.join(folder, files[first / recordsPerFile]!);
    const records = await readRecords(file, nRecords);
    for (let record = 0; record < nRecords; record++) {
      const label = records[record * recordBytes]!;
      if (label > 9) {
        throw new DataError(
          `Record ${record} of ${file} has the label ${label}, but CIFAR-10's go from 0 to 9. The file is damaged or is no CIFAR-10 batch: get it again.`,
        );
      }
      labels[first + record] = label;
      interleavePlanes(records, record * recordBytes + 1, images, (first + record) * imageBytes);
    }
  }
  return { nSamples, images, labels };
}

async function readRecords(file: string, nRecords: number): Promise<Uint8Array> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new DataError(
      `CIFAR-10's file ${file} can't be opened. The folder needs data_batch_1.bin … data_batch_5.bin and test_batch.bin: get the binary version of CIFAR-10 again, or correct dataset.path.`,
      { cause, kind: (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unusable' },
    );
  });
  try {
    const { size } = await handle.stat();
    if (size !== fileBytes) {
      throw new DataError(
        `CIFAR-10's file ${file} should have ${fileBytes} bytes, but has ${size}. It is truncated or something else: get it again.`,
      );
    }
    const records = new Uint8Array(nRecords * recordBytes);
    let filled = 0;
    while (filled < records.length) {
      const { bytesRead } = await handle.read(records, filled, records.length - filled, filled);
      if (bytesRead === 0) throw new DataError(`CIFAR-10's file ${file} became shorter while it was read: try again.`);
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
