// What every data set is made of, once it is open. Where its samples come from (memory, a cache on the disk, another thread) is
// the split's business: see rows.ts and batchThread.ts.
export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  /** Height, width, channels; or one number, the columns of a table. */
  readonly sampleShape: readonly number[];
  /** Of a table's columns over its training split, for the layer that standardises them; null for pictures. */
  readonly columns: ColumnFigures | null;
  /** Of a table, where they have names. */
  readonly columnNames?: readonly string[];
  readonly train: Split;
  /** Null where the plan keeps no samples back. */
  readonly validation: Split | null;
  readonly test: Split;
  /** Ends the thread that reads. Nothing may be read afterwards. */
  close(): Promise<void>;
}

/** A value a column. */
export interface ColumnFigures {
  readonly mean: readonly number[];
  /** Population standard deviation; 1 for a column that never changes. */
  readonly std: readonly number[];
}

export interface Split {
  readonly nSamples: number;
  /**
   * The chosen samples, in this order. Several may be asked for at once; they are made in the order asked.
   * @throws DataError where a file can no longer be read
   */
  read(indices: Uint32Array): Promise<Samples>;
}

export interface Samples {
  /** `[n, …sampleShape]`: pictures in [0, 1], columns of a table as they are. */
  readonly values: Float32Array<ArrayBuffer>;
  /** `[n]`, each below the number of classes. */
  readonly labels: Int32Array<ArrayBuffer>;
}
