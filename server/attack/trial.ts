// A batch under attack: who still stands, what is held for each of them, and what felled the others. Tensors held by a trial are
// thinned when images fall and disposed when a stage ends, so that an attack's file has only the algorithm.
import * as tf from '@tensorflow/tfjs-core';
import { randomStreams } from '../model/randomStreams.ts';
import { normal, uniform, uniformValues, type RandomKey } from '../tensor/ops/random.ts';
import { readFloats } from '../tensor/read.ts';
import { areCorrect, countTrue, predictionsOf } from './predictions.ts';
import { Holding, thin, type Column } from './holding.ts';
import type { Target } from './target.ts';

/** What is told of an image that is fooled. */
export interface Fooled {
  /** Its position. */
  readonly row: number;
  /** The image `[…]` that fooled, and what the network says of it. */
  readonly image: Float32Array;
  readonly prediction: number;
  /** Where it is measured. */
  readonly distance: number | null;
}

export type OnFooled = (fooled: Fooled) => void;

export interface TrialOptions {
  readonly target: Target;
  /** Of `transfer`. */
  readonly surrogate?: Target | null;
  /** `[nRows, …]`; stays the caller's. */
  readonly images: tf.Tensor;
  readonly labels: Int32Array;
  readonly seed: number;
  /** Position of the batch's first image in the data set: draws depend on it, not on what was attacked before. */
  readonly first: number;
  /** What values a sample may have: [0, 1] for pictures, null where any will do. */
  readonly bounds: readonly [low: number, high: number] | null;
  readonly onFooled?: OnFooled | undefined;
  /**
   * As the thesis's toolbox did: all images are attacked to the end, away from what the network says of them as they are. What an image
   * that is right as it is meets is what it meets in the worst case, so both are read off the same passes.
   */
  readonly isThesis?: boolean;
}

export class Trial {
  readonly target: Target;
  readonly bounds: TrialOptions['bounds'];
  /** Of the batch, those that fell among them. */
  readonly nRows: number;
  /**
   * By row of the batch: the smallest distance at which an image was fooled; 0 for those that are wrong as they are or fell within
   * the ball, Infinity for those that nothing fooled.
   */
  readonly distances: Float32Array;
  /** Distance of an image within which its attack need not go on; 0 to look for the nearest. */
  goal = 0;
  /** By row of the batch, what the network says of the image as it is. */
  readonly predictions: Int32Array;
  /** Of the last look at all images, in the way of the thesis; null in the worst case alone. */
  thesis: { right: number; fooled: number } | null = null;
  /** Where each of those that stand is in the batch. */
  rows: Int32Array;
  labels: Int32Array;
  /** Those that stand, as they were. */
  clean: tf.Tensor;
  readonly #options: TrialOptions;
  readonly #trueLabels: Int32Array;
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
    this.#trueLabels = labels;
    const logits = target.logits(images);
    const correct = areCorrect(logits, labels);
    this.predictions = predictionsOf(logits, labels.length);
    correct.forEach((isCorrect, row) => {
      if (!isCorrect) this.distances[row] = 0;
    });
    if (options.isThesis) {
      this.labels = this.predictions.slice();
      this.thesis = { right: countTrue(correct), fooled: 0 };
    } else this.#keep(correct);
  }

  /** The other network, which is not judged. */
  get surrogate(): Target {
    const { surrogate } = this.#options;
    if (!surrogate) throw new Error('an attack by transfer was begun without the network that its images are made on');
    return surrogate;
  }

  /** Images that stand. */
  get size(): number {
    return this.rows.length;
  }

  /** Images of the batch that nothing fooled within `epsilon`. */
  countBeyond(epsilon: number): number {
    return this.distances.reduce((count, distance) => count + (distance > epsilon ? 1 : 0), 0);
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

  /** Takes out those that the logits, which the network gave to `images`, are wrong about. */
  drop(images: tf.Tensor | Float32Array, logits: Float32Array): void {
    const correct = areCorrect(logits, this.labels);
    if (this.thesis) {
      const right = countTrue(areCorrect(logits, this.#trueLabels));
      this.thesis = { right, fooled: this.size - countTrue(correct) };
    }
    const fallen = correct.map((isCorrect, index) => !isCorrect && this.distances[this.rows[index]!]! > 0);
    if (!fallen.includes(true)) return;
    this.#tell(images, logits, fallen);
    fallen.forEach((hasFallen, index) => {
      if (hasFallen) this.distances[this.rows[index]!] = 0;
    });
    if (!this.thesis) this.#keep(correct);
  }

  /**
   * For attacks that look for the nearest: notes at which distance the wrong ones were fooled, if nearer than before, and takes out
   * those within the goal.
   * @param logits of the images; those that are right as yet are not noted
   * @param distances `[n]`
   */
  note(images: Float32Array, logits: Float32Array, distances: Float32Array): void {
    const size = images.length / Math.max(1, this.size);
    const correct = areCorrect(logits, this.labels);
    const predictions = predictionsOf(logits, this.size);
    distances.forEach((distance, index) => {
      const row = this.rows[index]!;
      if (correct[index] || !(distance < this.distances[row]!)) return;
      this.distances[row] = distance;
      const image = images.slice(index * size, (index + 1) * size);
      this.#options.onFooled?.({ row, image, prediction: predictions[index]!, distance });
    });
    this.leave();
  }

  /** Takes out those that were fooled within the goal. */
  leave(): void {
    this.#keep(Array.from(this.rows, (row) => this.distances[row]! > this.goal));
  }

  /** Takes out those with which an attack is done. @param stay `[n]` */
  finish(stay: readonly boolean[]): void {
    this.#keep(stay);
  }

  /** The key of the stage's `draw`-th draw, of 65,536; each series has draws of its own. */
  key(draw: number, series = 0): RandomKey {
    const { seed: first, first: counter } = this.#options;
    const isFirst = draw === 0 && series === 0;
    const { evaluationAttack, evaluationDraws } = randomStreams;
    const stream = isFirst ? evaluationAttack + this.#stage : evaluationDraws + 65_536 * this.#stage + draw;
    return { seed: (first + series * 0x9e37_79b9) >>> 0, stream, counter };
  }

  /** `count` numbers of [0, 1) for each that stands, drawn as `uniform` draws. */
  numbers(count: number, draw: number): Float32Array {
    const all = uniformValues(this.nRows * count, 0, 1, this.key(draw));
    const own = new Float32Array(this.size * count);
    this.rows.forEach((row, index) => {
      own.set(all.subarray(row * count, (row + 1) * count), index * count);
    });
    return own;
  }

  /** Drawn for all rows of the batch, so that an image's numbers do not depend on who fell; for those that stand. */
  uniform(draw: number, low: number, high: number): tf.Tensor {
    return this.#ownOf(uniform([this.nRows, ...this.target.shape], low, high, this.key(draw)));
  }

  normal(draw: number, series = 0): tf.Tensor {
    return this.#ownOf(normal([this.nRows, ...this.target.shape], 0, 1, this.key(draw, series)));
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

  #tell(images: tf.Tensor | Float32Array, logits: Float32Array, fallen: readonly boolean[]): void {
    const { onFooled } = this.#options;
    if (!onFooled) return;
    const values = images instanceof tf.Tensor ? readFloats(images) : images;
    const size = values.length / this.size;
    const predictions = predictionsOf(logits, this.size);
    fallen.forEach((hasFallen, index) => {
      if (!hasFallen) return;
      const image = values.slice(index * size, (index + 1) * size);
      onFooled({ row: this.rows[index]!, image, prediction: predictions[index]!, distance: null });
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
