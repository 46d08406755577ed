// Buckets with the steps and times that they reach over, and several made one.
import { Bucket, type BucketParts } from './buckets.ts';

export interface PlacedBucket extends BucketParts {
  readonly firstStep: number;
  readonly lastStep: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Buckets that are made one. */
export class Joined {
  readonly #nSeries: number;
  #bucket: Bucket;
  #places: Pick<PlacedBucket, 'firstStep' | 'lastStep' | 'firstMs' | 'lastMs'> | null = null;

  constructor(nSeries: number) {
    this.#nSeries = nSeries;
    this.#bucket = new Bucket(nSeries);
  }

  join(part: PlacedBucket): void {
    this.#places = this.#places
      ? { ...this.#places, lastStep: part.lastStep, lastMs: part.lastMs }
      : { firstStep: part.firstStep, lastStep: part.lastStep, firstMs: part.firstMs, lastMs: part.lastMs };
    this.#bucket.join(part);
  }

  close(): PlacedBucket | null {
    if (!this.#places) return null;
    const closed = placed(this.#bucket, this.#places);
    this.#bucket = new Bucket(this.#nSeries);
    this.#places = null;
    return closed;
  }
}

export function placed(
  { first, low, high, last, marks, mean, nRows }: Bucket,
  places: Pick<PlacedBucket, 'firstStep' | 'lastStep' | 'firstMs' | 'lastMs'>,
): PlacedBucket {
  return { first, low, high, last, marks, mean, nRows, ...places };
}
