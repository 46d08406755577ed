// What there is to see of an open data set, in one pass over some of each split: counts by class, pictures, the columns' figures.
import type { ClassLook, DatasetFigures, SplitLook } from '../protocol/datasetLook.ts';
import { ColumnsOfClasses } from './columnLook.ts';
import { PicturesOfClasses } from './pictureLook.ts';
import type { Dataset, Samples, Split } from './split.ts';

export interface LookOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** Of a split no more samples are looked at. */
export const maxLooked = 20_000;
/** Of more classes the first are shown. */
export const maxClasses = { pictures: 100, table: 8 } as const;
const longestName = 100;
const blockValues = 1 << 20;

/** What takes the training samples as they come. */
interface TrainingLook {
  add(samples: Samples): void;
}

/** @throws DataError where a file can no longer be read; the signal's reason on abort */
export async function lookAtDataset(dataset: Dataset, options: LookOptions): Promise<DatasetFigures> {
  const { sampleShape, classes } = dataset;
  const isTable = sampleShape.length === 1;
  const shown = classes.slice(0, isTable ? maxClasses.table : maxClasses.pictures);
  const splits = splitsOf(dataset);
  const pictures = isTable ? null : new PicturesOfClasses(sampleShape, shown.length);
  const names = (dataset.columnNames ?? []).map(shortened);
  const columns = isTable ? new ColumnsOfClasses(sampleShape[0]!, shown.length, names) : null;
  const counts = shown.map(() => splits.map(() => 0));
  const looked: SplitLook[] = [];
  for (const [at, { name, split }] of splits.entries()) {
    const nLooked = Math.min(split.nSamples, maxLooked);
    const training: TrainingLook | null = name === 'train' ? (pictures ?? columns) : null;
    for await (const samples of read(dataset, { name, split, nLooked }, options)) {
      for (const label of samples.labels) if (label < shown.length) counts[label]![at]!++;
      training?.add(samples);
    }
    looked.push({ name, nSamples: split.nSamples, nLooked });
  }
  return {
    ...{ sampleShape, splits: looked, nClasses: classes.length },
    classes: shown.map((name, index): ClassLook => ({ name: shortened(name), counts: counts[index]! })),
    pictures: pictures?.finish() ?? null,
    table: columns?.finish() ?? null,
  };
}

interface NamedSplit {
  readonly name: SplitLook['name'];
  readonly split: Split;
}

function splitsOf({ train, validation, test }: Dataset): NamedSplit[] {
  const kept: NamedSplit[] = validation ? [{ name: 'validation', split: validation }] : [];
  return [{ name: 'train', split: train }, ...kept, { name: 'test', split: test }];
}

/** Evenly spread, so that a file sorted by class shows all of them. */
async function* read(
  { sampleShape }: Dataset,
  { name, split, nLooked }: NamedSplit & { readonly nLooked: number },
  { signal, onProgress }: LookOptions,
): AsyncGenerator<Samples> {
  const sampleSize = sampleShape.reduce((product, length) => product * length, 1);
  const nBlock = Math.min(1024, Math.max(1, Math.floor(blockValues / sampleSize)));
  const what = `looking at the ${name === 'train' ? 'training' : name} samples`;
  for (let first = 0; first < nLooked; first += nBlock) {
    signal.throwIfAborted();
    onProgress(what, first, nLooked);
    const count = Math.min(nBlock, nLooked - first);
    yield await split.read(
      Uint32Array.from({ length: count }, (_, at) => Math.floor(((first + at) * split.nSamples) / nLooked)),
    );
  }
}

function shortened(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
}
