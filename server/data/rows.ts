// Samples as rows of one length, in memory or in a file, and the reading of some of them. Plain data, so that it can be handed to
// a thread (batchThread.ts); memory is shared, not copied.
import fs from 'node:fs';
import { DataError } from './dataError.ts';
import type { Samples, Split } from './split.ts';

export type ValueType = 'uint8' | 'float32' | 'float64';
export type ValueArray = Uint8Array | Float32Array | Float64Array;

/** Row after row. Bytes are pictures: 0…255 stands for [0, 1]; floating point numbers are taken as they are. */
export type RowValues =
  | { readonly where: 'memory'; readonly values: ValueArray }
  | { readonly where: 'file'; readonly file: string; readonly type: ValueType; readonly offsetBytes: number };

export interface Rows {
  readonly nSamples: number;
  /** Values a row. */
  readonly sampleSize: number;
  readonly values: RowValues;
  /** Of all rows that `values` holds. */
  readonly labels: Uint16Array;
  /** Which rows of `values` are this split's, in its order; null for the first `nSamples` from row `first` on. */
  readonly order: Uint32Array | null;
  readonly first: number;
}

export const arrayTypes = { uint8: Uint8Array, float32: Float32Array, float64: Float64Array } as const;

/** All rows of some values in memory. */
export function memoryRows(values: ValueArray, labels: Uint16Array, sampleSize: number): Rows {
  return { nSamples: labels.length, sampleSize, values: { where: 'memory', values }, labels, order: null, first: 0 };
}

/** Bytes that threads share. */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

export function sharedLabels(length: number): Uint16Array {
  return new Uint16Array(new SharedArrayBuffer(2 * length));
}

/** The rows `from` … `from` + `count` − 1 of these. */
export function someRows(rows: Rows, from: number, count: number): Rows {
  return rows.order === null
    ? { ...rows, first: rows.first + from, nSamples: count }
    : { ...rows, order: rows.order.subarray(from, from + count), nSamples: count };
}

/** The row of `values` and `labels` that is a split's sample. */
export function rowOf({ order, first }: Rows, index: number): number {
  return order === null ? first + index : order[index]!;
}

/** Reads rows; keeps the files open that it has read from. */
export class RowReader {
  readonly #descriptors = new Map<string, number>();

  /** @throws DataError where a file is gone or has become shorter */
  read(rows: Rows, indices: Uint32Array): Samples {
    const { sampleSize } = rows;
    const values = new Float32Array(indices.length * sampleSize);
    const labels = new Int32Array(indices.length);
    indices.forEach((index, at) => {
      labels[at] = rows.labels[rowOf(rows, index)]!;
    });
    const source = rows.values;
    if (source.where === 'memory') {
      indices.forEach((index, at) => {
        const from = rowOf(rows, index) * sampleSize;
        convert(source.values.subarray(from, from + sampleSize), values, at * sampleSize);
      });
      return { values, labels };
    }
    const { BYTES_PER_ELEMENT } = arrayTypes[source.type];
    const rowBytes = sampleSize * BYTES_PER_ELEMENT;
    const descriptor = this.#open(source.file);
    for (let at = 0; at < indices.length;) {
      // Rows that lie beside each other are read at once.
      const row = rowOf(rows, indices[at]!);
      let count = 1;
      while (at + count < indices.length && rowOf(rows, indices[at + count]!) === row + count) count++;
      const read = new arrayTypes[source.type](sampleSize * count);
      readAll(descriptor, new Uint8Array(read.buffer), source.offsetBytes + row * rowBytes, source.file);
      convert(read, values, at * sampleSize);
      at += count;
    }
    return { values, labels };
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) fs.closeSync(descriptor);
    this.#descriptors.clear();
  }

  #open(file: string): number {
    const open = this.#descriptors.get(file);
    if (open !== undefined) return open;
    try {
      const descriptor = fs.openSync(file, 'r');
      this.#descriptors.set(file, descriptor);
      return descriptor;
    } catch (cause) {
      throw new DataError(`${file} can't be opened any more. Start again: it is read anew.`, { cause });
    }
  }
}

/** Read on this thread, when asked. */
export function splitOf(rows: Rows, reader = new RowReader()): Split {
  return {
    nSamples: rows.nSamples,
    read: (indices) =>
      new Promise((resolve) => {
        resolve(reader.read(rows, indices));
      }),
  };
}

function convert(from: ValueArray, to: Float32Array, offset: number): void {
  if (from instanceof Uint8Array) for (let i = 0; i < from.length; i++) to[offset + i] = from[i]! / 255;
  else to.set(from, offset);
}

function readAll(descriptor: number, into: Uint8Array, position: number, file: string): void {
  for (let filled = 0; filled < into.length;) {
    const nRead = fs.readSync(descriptor, into, filled, into.length - filled, position + filled);
    if (nRead === 0) throw new DataError(`${file} has become shorter. Start again: it is read anew.`);
    filled += nRead;
  }
}
