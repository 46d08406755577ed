// What a reader of server/data gives: a data set as rows, before dataset.ts cuts its splits.
import type { Rows } from './rows.ts';

export interface OpenedData {
  readonly classes: readonly string[];
  readonly sampleShape: readonly number[];
  /** At most as many as the plan asks for; all where it asks for all. */
  readonly train: Rows;
  readonly test: Rows;
  /** Whether the values are columns, each in a unit of its own, and not pictures. */
  readonly isTable: boolean;
  readonly columnNames?: readonly string[];
}

/** Where a reader may keep things, and who wants to hear how far it is. */
export interface ReaderSurroundings {
  /** Holds what decodes pictures. */
  readonly assetsFolder: string;
  /** Of the user; made where it is missing. */
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
  /** `total` is null where it is not known. */
  readonly onProgress: (what: string, done: number, total: number | null) => void;
}
