// Arrays as Python hands them over: samples and labels by name, in an .npz file or a folder of .npy files. They are read where
// they lie (an .npz once unpacked into the cache); every value is looked at before training begins.
import { stat } from 'node:fs/promises';
import fs from 'node:fs';
import path from 'node:path';
import type { ArraysPlan } from '../protocol/plan.ts';
import { consecutiveBatches } from './batches.ts';
import { DataError } from './dataError.ts';
import { openNpy, readIntegers, type NpyFile } from './npy.ts';
import { arrayNames, namesInNpz, unpackNpz } from './npz.ts';
import type { OpenedData, ReaderSurroundings } from './opened.ts';
import { RowReader, sharedLabels, type Rows, type ValueType } from './rows.ts';
import { shareOut, takeFirst } from './shareOut.ts';

const sampleTypes: Readonly<Record<string, ValueType>> = { '|u1': 'uint8', '<f4': 'float32', '<f8': 'float64' };
/** A label beyond is no label. */
const maxClasses = 10_000;

/** @throws DataError with the array's name, and the index of a value or label that is wrong */
export async function openArrays(plan: ArraysPlan, around: ReaderSurroundings): Promise<OpenedData> {
  const found = await stat(plan.path).catch((cause: unknown) => {
    throw new DataError(
      `There is no ${plan.path}. Set dataset.path to an .npz file (numpy.savez) or to a folder of .npy files (numpy.save).`,
      { cause, kind: 'missing' },
    );
  });
  const names = [plan.x, plan.y, plan.xTest, plan.yTest];
  const folder = found.isDirectory() ? plan.path : await unpackNpz(plan.path, names, around);
  const open = (name: string): NpyFile | null => {
    const file = path.join(folder, `${name}.npy`);
    const shown = `the array ${name} of ${plan.path}`;
    return fs.existsSync(file) ? openNpy(file, shown) : null;
  };
  const all = openPair(plan, plan.x, plan.y, open, null);
  if (!all) {
    const there = found.isDirectory() ? arrayNames(fs.readdirSync(plan.path)) : await namesInNpz(plan.path, around);
    throw new DataError(
      `${plan.path} has no arrays ${plan.x} and ${plan.y}, but ${there.slice(0, 20).join(', ') || 'none at all'}. Name those of samples and labels by dataset.x and dataset.y.`,
    );
  }
  const sampleShape = shapeOf(all.samples);
  const isTable = sampleShape.length === 1;
  checkValues(all, isTable, around);
  const classes = Array.from({ length: all.nClasses }, (_, label) => label.toString());
  const about = { classes, sampleShape, isTable };
  const test = openPair(plan, plan.xTest, plan.yTest, open, all);
  if (!test) return { ...about, ...shareOut(all.rows, plan) };
  checkValues(test, isTable, around);
  return { ...about, ...takeFirst(all.rows, test.rows, plan) };
}

interface Pair {
  readonly samples: NpyFile;
  readonly rows: Rows;
  readonly nClasses: number;
}

/** Null where neither is there. */
function openPair(
  plan: ArraysPlan,
  x: string,
  y: string,
  open: (name: string) => NpyFile | null,
  like: Pair | null,
): Pair | null {
  const [samples, labels] = [open(x), open(y)];
  if (!samples && !labels) return null;
  if (!samples || !labels) {
    throw new DataError(
      `${plan.path} has the array ${samples ? x : y}, but not ${samples ? y : x}: samples and labels belong together.`,
    );
  }
  const type = sampleTypes[samples.type];
  if (!type) {
    throw new DataError(
      `${samples.name} is of the type ${samples.type}, but samples are float32, float64 or uint8: write x.astype("float32").`,
    );
  }
  const shape = shapeOf(samples);
  const likeShape = like && shapeOf(like.samples);
  if (likeShape && shape.join() !== likeShape.join()) {
    throw new DataError(
      `${samples.name} has samples of ${shape.join('×')}, but ${like.samples.name} of ${likeShape.join('×')}.`,
    );
  }
  const nSamples = samples.shape[0]!;
  if (labels.shape.length !== 1 || labels.shape[0] !== nSamples) {
    const remedy =
      labels.shape[0] !== nSamples || labels.shape.length !== 2
        ? ''
        : labels.shape[1] === 1
          ? ' Write y.reshape(-1).'
          : ' Of a column for each class write y.argmax(axis=1).';
    throw new DataError(
      `${labels.name} has the shape (${labels.shape.join(', ')}), but ${samples.name} has ${nSamples} samples: labels are one whole number a sample, [${nSamples}].${remedy}`,
    );
  }
  const kept = sharedLabels(nSamples);
  let largest = 0;
  let smallest = Infinity;
  readIntegers(labels).forEach((label, index) => {
    const most = like ? like.nClasses : maxClasses;
    if (!(label >= 0 && label < most)) {
      throw new DataError(
        `${labels.name}: the label at index ${index} is ${label}, but labels go from 0 to ${most - 1}${like ? ', as those to train on do' : ''}.`,
      );
    }
    kept[index] = label;
    largest = Math.max(largest, label);
    smallest = Math.min(smallest, label);
  });
  if (!like && smallest > 0) {
    throw new DataError(
      `${labels.name} has labels from ${smallest} to ${largest}, but labels go from 0. Write y - ${smallest}.`,
    );
  }
  const sampleSize = shape.reduce((product, length) => product * length, 1);
  const { file, offsetBytes } = samples;
  const rows: Rows = {
    ...{ nSamples, sampleSize, labels: kept, order: null, first: 0 },
    values: { where: 'file', file, type, offsetBytes },
  };
  return { samples, rows, nClasses: like?.nClasses ?? Math.max(2, largest + 1) };
}

/** `[features]`, or `[height, width, channels]`: pictures without channels have one. */
function shapeOf({ name, shape }: NpyFile): readonly number[] {
  const [nSamples = 0, ...sample] = shape;
  if (nSamples === 0 || sample.length < 1 || sample.length > 3 || sample.includes(0)) {
    throw new DataError(
      `${name} has the shape (${shape.join(', ')}), but samples are [N, features] for a table, or [N, height, width] or [N, height, width, channels] for pictures.`,
    );
  }
  const [channels, , width] = sample;
  if (width !== undefined && width > 4 && [1, 3, 4].includes(channels!)) {
    throw new DataError(
      `${name} has the shape (${shape.join(', ')}), which looks like pictures with the channels first. Write x.transpose(0, 2, 3, 1): they come last, [N, height, width, channels].`,
    );
  }
  return sample.length === 2 ? [...sample, 1] : sample;
}

/** Numbers that are not finite would end training in its first step; pictures beyond [0, 1] make ε mean something else. */
function checkValues({ samples, rows }: Pair, isTable: boolean, { signal, onProgress }: ReaderSurroundings): void {
  if (samples.type === '|u1') return;
  const reader = new RowReader();
  try {
    let seen = 0;
    for (const indices of consecutiveBatches(rows.nSamples, 1024)) {
      signal.throwIfAborted();
      const { values } = reader.read(rows, indices);
      const wrong = values.findIndex((value) => !(isTable ? Number.isFinite(value) : value >= 0 && value <= 1));
      if (wrong >= 0) {
        const index = seen + Math.floor(wrong / rows.sampleSize);
        const expected = isTable ? 'a finite number' : 'a pixel value in [0, 1]: divide by 255, or write uint8';
        throw new DataError(
          `${samples.name}: the sample at index ${index} holds ${values[wrong]}; expected ${expected}.`,
        );
      }
      seen += indices.length;
      onProgress(`looking at ${samples.name}`, seen, rows.nSamples);
    }
  } finally {
    reader.close();
  }
}
