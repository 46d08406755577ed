// What an attack holds for each image that stands: columns that are thinned together when images fall.
import * as tf from '@tensorflow/tfjs-core';

/** A column: `[n, …]` as a tensor, or n equal parts of an array. */
export type Column = tf.Tensor | Float32Array | Float64Array | Int32Array;

/** Columns that change together; tensors are disposed as they are replaced. */
export class Holding<T extends Record<string, Column>> {
  #columns: T;

  constructor(columns: T) {
    this.#columns = columns;
  }

  get now(): Readonly<T> {
    return this.#columns;
  }

  replace(columns: Partial<T>): void {
    for (const name of Object.keys(columns)) {
      if (this.#columns[name] !== columns[name]) disposeOf(this.#columns[name]);
    }
    this.#columns = { ...this.#columns, ...columns };
  }

  keep(flags: readonly boolean[]): void {
    const kept = Object.entries(this.#columns).map(([name, column]) => [name, thin(column, flags)] as const);
    this.#columns = Object.fromEntries(kept) as T;
  }

  dispose(): void {
    for (const column of Object.values(this.#columns)) disposeOf(column);
  }
}

/** tf.dispose itself looks for tensors in every element of an array. */
function disposeOf(column: Column | undefined): void {
  if (column instanceof tf.Tensor) column.dispose();
}

/** Those that have a flag; a tensor is disposed. */
export function thin<C extends Column>(column: C, flags: readonly boolean[]): C {
  const indices = Int32Array.from(flags.keys()).filter((index) => flags[index]);
  if (column instanceof tf.Tensor) {
    const kept = tf.tidy(() => tf.gather(column, tf.tensor1d(indices, 'int32')));
    column.dispose();
    return kept as C;
  }
  const size = column.length / flags.length;
  const kept = column.slice(0, indices.length * size);
  indices.forEach((index, at) => {
    kept.set(column.subarray(index * size, (index + 1) * size), at * size);
  });
  return kept as C;
}
