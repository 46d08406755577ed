// The data of a plan: which there is, where it lies, and how much of it is trained and tested on.
import type { PublishedName, PublishedTableName } from './datasets.ts';

export type DatasetPlan =
  ShapesPlan | PublishedPlan | PublishedTablePlan | Cifar100Plan | FolderPlan | TablePlan | ArraysPlan;

interface SplitSizes {
  /** The first so many, of which the last `validationSamples` are kept back; null for all that there are. */
  readonly trainSamples: number | null;
  readonly testSamples: number | null;
  /** Tested beside the test samples, never trained on; absent for none. */
  readonly validationSamples?: number;
}

export interface ShapesPlan extends SplitSizes {
  readonly name: 'shapes';
  readonly trainSamples: number;
  readonly testSamples: number;
  /** Seed of the generator; independent of the run's seed, so that runs share their data. */
  readonly seed: number;
}

interface FilesPlan extends SplitSizes {
  /** Absolute. */
  readonly path: string;
}

export interface PublishedPlan extends FilesPlan {
  readonly name: Exclude<PublishedName, 'cifar100' | PublishedTableName>;
  readonly trainSamples: number;
  readonly testSamples: number;
}

export interface PublishedTablePlan extends FilesPlan {
  readonly name: PublishedTableName;
}

export interface Cifar100Plan extends FilesPlan {
  readonly name: 'cifar100';
  readonly trainSamples: number;
  readonly testSamples: number;
  readonly labels: 'fine' | 'coarse';
}

/** Where no test samples lie apart: the share of all, at least one, that is drawn by the seed and taken out to test on. */
interface SharedTest {
  readonly testShare: number;
  readonly seed: number;
}

/** Pictures, one folder a class. */
export interface FolderPlan extends FilesPlan, SharedTest {
  readonly name: 'folder';
  /** Absolute; of one form with `path`. Null: a share of the pictures is taken. */
  readonly testPath: string | null;
  /** Height and width that every picture is brought to. */
  readonly size: number;
  readonly colors: 'rgb' | 'grey';
}

/** A text file of rows with a header. */
export interface TablePlan extends FilesPlan, SharedTest {
  readonly name: 'table';
  /** Absolute; of one form with `path`. Null: a share of the rows is taken. */
  readonly testPath: string | null;
  /** The column that holds the class. */
  readonly label: string;
  readonly separator: ',' | ';' | '\t' | ' ';
}

/** NumPy's arrays by name, in one .npz file or a folder of .npy files. */
export interface ArraysPlan extends FilesPlan, SharedTest {
  readonly name: 'arrays';
  readonly x: string;
  readonly y: string;
  /** Where one of these is not there, a share of `x` and `y` is taken. */
  readonly xTest: string;
  readonly yTest: string;
}

/** Samples that are trained on; null where only the disk tells. */
export function trainingSamples({ trainSamples, validationSamples = 0 }: DatasetPlan): number | null {
  return trainSamples === null ? null : trainSamples - validationSamples;
}
