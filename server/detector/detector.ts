// What a detector is: it learns from activations, and gives each a score.
import type { DetectorName, PlanOfDetector } from '../protocol/detectorTable.ts';

/** Rows of `width` activations, one after another. */
export interface Features {
  readonly values: Float32Array;
  readonly width: number;
}

export interface Lessons {
  /** Of clean training images, with their labels. */
  readonly clean: Features;
  readonly labels: Int32Array;
  readonly nClasses: number;
  /** Of training images that PGD at the plan's threat has fooled the network with. */
  readonly attacked: Features;
  readonly seed: number;
}

/** Scores `[n]`, higher the more a row looks attacked. */
export type Scorer = (features: Features) => Float32Array;

/** There is nothing to learn from; the message says why and what to do. */
export class DetectorError extends Error {
  override readonly name = 'DetectorError';
}

/** Yields while it learns. @throws DetectorError */
export type Detector<D extends DetectorName> = (
  lessons: Lessons,
  plan: PlanOfDetector<D>,
) => Generator<void, Scorer, void>;
