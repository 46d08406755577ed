// The protocol of the thesis (Peconi, 2020; ART 1.3.3 without labels): what its toolbox counted of the same passes. It flatters: wrong
// images that are pushed onto their true class count as robust, and the restarts are not the worst of each image but the single best of
// the whole set.
import type { ThesisCounts } from '../protocol/records.ts';
import type { Trial } from './trial.ts';

/** Of one restart, by step, over the batches so far. */
export class ThesisCount {
  readonly #right: Int32Array;
  readonly #fooled: Int32Array;

  constructor(nPoints: number, from?: ThesisCounts) {
    this.#right = from?.right.slice() ?? new Int32Array(nPoints);
    this.#fooled = from?.fooled.slice() ?? new Int32Array(nPoints);
  }

  get now(): ThesisCounts {
    return { right: this.#right.slice(), fooled: this.#fooled.slice() };
  }

  /** What the last look of the batch at hand found, at a point; once for each batch. */
  add(point: number, { thesis }: Pick<Trial, 'thesis'>): void {
    this.#right[point]! += thesis!.right;
    this.#fooled[point]! += thesis!.fooled;
  }

  /** From a point on nothing changes any more. */
  fill(from: number, trial: Pick<Trial, 'thesis'>): void {
    for (let point = from; point < this.#right.length; point++) this.add(point, trial);
  }
}
