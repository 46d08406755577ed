// A batch under attack: who still stands, what is held for each of them, and what felled the others. Tensors held by a trial are
// thinned when images fall and disposed when a stage ends, so that an attack's file has only the algorithm.
import * as tf from '@tensorflow/tfjs-core';
import { randomStreams } from '../model/randomStreams.ts';
import { normal, uniform, type RandomKey } from '../tensor/ops/random.ts';
import { areCorrect, countTrue } from './predictions.ts';
import type { Target } from './target.ts';

/** A column: `[n, …]` as a tensor, or n equal parts of an array. */
export type Column = tf.Tensor | Float32Array | Float64Array | Int32Array;

/** Told of each image that is fooled: its row in the batch, the image `[…]` that fooled, its distance where that is measured. */
export type OnFooled = (row: number, image: Float32Array, distance: number | null) => void;

export interface TrialOptions {
  readonly target: Target;
  /** `[nRows, …]`; stays the caller's. */
  readonly images: tf.Tensor;
  readonly labels: Int32Array;
  readonly seed: number;
  /** Position of the batch's first image in the data set: draws depend on it, not on what was attacked before. */
  readonly first: number;
  /** What values a sample may have: [0, 1] for pictures, null where any will do. */
  readonly bounds: readonly [low: number, high: number] | null;
  readonly onFooled?: OnFooled | undefined;
}

export class Trial {
  readonly target: Target;
  readonly bounds: TrialOptions['bounds'];
  /** Of the batch, those that fell among them. */
  readonly nRows: number;
  /** By row of the batch: the smallest distance at which an image was fooled, where distances are measured. */
  readonly distances: Float32Array;
  /** Distance of an image within which its attack need not go on; 0 to look for the nearest. */
  goal = 0;
  /** Where each of those that stand is in the batch. */
  rows: Int32Array;
  labels: Int32Array;
  /** Those that stand, as they were. */
  clean: tf.Tensor;
  readonly #options: TrialOptions;
  readonly #held = new Set<Holding<Record<string, Column>>>();
  #stage = 0;

  /** Begins with the images that the network gets right as they are. */
  constructor(options: TrialOptions) {
    const { target, images, labels, bounds } = options;
    this.#options = options;
    this.target = target;
    this.bounds = bounds;
    this.nRows = labels.length;
    this.distances = new Float32Array(labels.length).fill(Infinity);
    this.rows = Int32Array.from(labels.keys());
    this.labels = labels;
    this.clean = images.clone();
    const correct = areCorrect(target.logits(images), labels);
    correct.forEach((isCorrect, row) => {
      if (!isCorrect) this.distances[row] = 0;
    });
    this.#keep(correct);
  }

  /** Images that stand. */
  get size(): number {
    return this.rows.length;
  }

  /** Images that stand or were fooled only farther off than `epsilon`. */
  countBeyond(epsilon: number): number {
    return this.rows.reduce((count, row) => count + (this.distances[row]! > epsilon ? 1 : 0), 0);
  }

  /** Starts the random numbers of another stage, and lets go of what the last one held. */
  begin(stage: number): void {
    this.#stage = stage;
    for (const held of this.#held) held.dispose();
    this.#held.clear();
  }

  /** Keeps columns, a value or an image for each that stands, until the stage ends. */
  hold<T extends Record<string, Column>>(columns: T): Holding<T> {
    const holding = new Holding(columns);
    this.#held.add(holding as unknown as Holding<Record<string, Column>>);
    return holding;
  }

  /** Takes out those that the logits, which the network gave to `images`, are wrong about. @returns whether any fell */
  drop(images: tf.Tensor | Float32Array, logits: Float32Array): boolean {
    const correct = areCorrect(logits, this.labels);
    if (countTrue(correct) === this.size) return false;
    this.#tell(images, correct);
    this.#keep(correct);
    return true;
  }

  /**
   * For attacks that look for the nearest: notes at which distance the wrong ones were fooled, if nearer than before.
   * @param distances `[n]`; Infinity for those that were not
   * @returns whether any came within the goal, and was taken out
   */
  note(images: Float32Array, distances: Float32Array): boolean {
    const size = images.length / Math.max(1, this.size);
    distances.forEach((distance, index) => {
      const row = this.rows[index]!;
      if (!(distance < this.distances[row]!)) return;
      this.distances[row] = distance;
      this.#options.onFooled?.(row, images.slice(index * size, (index + 1) * size), distance);
    });
    return this.leave();
  }

  /** Takes out those that were fooled within the goal. @returns whether there were any */
  leave(): boolean {
    const stay = Array.from(this.rows, (row) => this.distances[row]! > this.goal);
    if (countTrue(stay) === this.size) return false;
    this.#keep(stay);
    return true;
  }

  /** The key of the stage's `draw`-th draw. */
  key(draw: number): RandomKey {
    const { seed, first } = this.#options;
    const stream =
      draw === 0 ? randomStreams.evaluationAttack + this.#stage : randomStreams.evaluationDraws + 65_536 * this.#stage + draw; // prettier-ignore
    return { seed, stream, counter: first };
  }

  /** Drawn for all rows of the batch, so that an image's numbers do not depend on who fell; for those that stand. */
  uniform(draw: number, low: number, high: number): tf.Tensor {
    return this.#ownOf(uniform([this.nRows, ...this.target.shape], low, high, this.key(draw)));
  }

  normal(draw: number): tf.Tensor {
    return this.#ownOf(normal([this.nRows, ...this.target.shape], 0, 1, this.key(draw)));
  }

  dispose(): void {
    this.begin(0);
    this.clean.dispose();
  }

  #ownOf(drawn: tf.Tensor): tf.Tensor {
    if (this.size === this.nRows) return drawn;
    const own = tf.tidy(() => tf.gather(drawn, tf.tensor1d(this.rows, 'int32')));
    drawn.dispose();
    return own;
  }

  #tell(images: tf.Tensor | Float32Array, correct: readonly boolean[]): void {
    const { onFooled } = this.#options;
    if (!onFooled) return;
    const values = images instanceof tf.Tensor ? images.dataSync<'float32'>() : images;
    const size = values.length / this.size;
    correct.forEach((isCorrect, index) => {
      if (!isCorrect) onFooled(this.rows[index]!, values.slice(index * size, (index + 1) * size), null);
    });
  }

  #keep(flags: readonly boolean[]): void {
    if (countTrue(flags) === flags.length) return;
    this.clean = thin(this.clean, flags);
    this.labels = thin(this.labels, flags);
    this.rows = thin(this.rows, flags);
    for (const held of this.#held) held.keep(flags);
  }
}

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
      if (this.#columns[name] !== columns[name]) tf.dispose(this.#columns[name] as tf.Tensor);
    }
    this.#columns = { ...this.#columns, ...columns };
  }

  keep(flags: readonly boolean[]): void {
    const kept = Object.entries(this.#columns).map(([name, column]) => [name, thin(column, flags)] as const);
    this.#columns = Object.fromEntries(kept) as T;
  }

  dispose(): void {
    tf.dispose(Object.values(this.#columns) as tf.Tensor[]);
  }
}

function thin<C extends Column>(column: C, flags: readonly boolean[]): C {
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
