// Randomised smoothing (Cohen, Rosenfeld & Kolter, 2019): the vote of the network over copies of an image with normal noise stands
// every perturbation below a radius that follows from how clear the vote is.
import { predictionsOf } from '../attack/predictions.ts';
import { randomStreams } from '../model/randomStreams.ts';
import { normalValues } from '../tensor/ops/random.ts';
import { readFloats } from '../tensor/read.ts';
import { lowerBound } from './betaQuantile.ts';
import { outcomeOf, type Certificate, type Subject } from './certificate.ts';
import { normalQuantile } from './normalQuantile.ts';

/** Images behind which an interrupted evaluation goes on. */
const imagesOfBatch = 4;

/**
 * CERTIFY of the paper's §3.2.2, image by image: ĉ_A is the class that wins n₀ draws, n further ones count it, p_A is the lower
 * bound of its share at confidence 1 − α; R = σ·Φ⁻¹(p_A) (the paper's Theorem 1 with p_B = 1 − p_A), and where p_A ≤ ½ it abstains.
 * Noise depends on the seed, the image's position and the copy's number alone.
 */
export const smoothing: Certificate<'smoothing'> = function* (subject, plan) {
  yield [];
  const { sigma, selection, draws, failure, epsilon } = plan;
  return {
    batchSize: imagesOfBatch,
    layers: [],
    *certify({ images, labels, first }, verdicts) {
      const values = readFloats(images);
      const size = values.length / labels.length;
      for (const [row, label] of labels.entries()) {
        const image = values.subarray(row * size, (row + 1) * size);
        const vote = (from: number, count: number) =>
          countClasses(subject, image, { ...{ sigma, from, count, batchSize: plan.batchSize }, position: first + row });
        const guessed = largest(yield* vote(0, selection));
        const counts = yield* vote(selection, draws);
        const share = lowerBound(counts[guessed]!, draws, failure);
        if (share <= 0.5) verdicts.outcomes[row] = 3;
        else if (guessed === label) {
          verdicts.radii[row] = sigma * normalQuantile(share);
          verdicts.outcomes[row] = outcomeOf(verdicts.radii[row]!, epsilon);
        }
        verdicts.nDone = row + 1;
        yield;
      }
    },
    dispose: () => undefined,
  };
};

interface Draws {
  readonly sigma: number;
  /** Numbers of the first copy and of the image. */
  readonly from: number;
  readonly position: number;
  readonly count: number;
  readonly batchSize: number;
}

/** By class, of how many noisy copies the network says it. What it gives no number for counts for none. */
function* countClasses(
  { target, seed }: Subject,
  image: Float32Array,
  { sigma, from, position, count, batchSize }: Draws,
): Generator<void, Int32Array, void> {
  const counts = new Int32Array(target.nClasses);
  for (let done = 0; done < count; done += batchSize) {
    const n = Math.min(batchSize, count - done);
    const copies = new Float32Array(n * image.length);
    for (let copy = 0; copy < n; copy++) {
      const key = { seed, stream: randomStreams.smoothing + from + done + copy, counter: position };
      const noise = normalValues(image.length, 0, sigma, key);
      for (let i = 0; i < image.length; i++) copies[copy * image.length + i] = image[i]! + noise[i]!;
    }
    const logits = target.logits(copies);
    predictionsOf(logits, n).forEach((prediction, copy) => {
      if (!Number.isNaN(logits[copy * target.nClasses + prediction]!)) counts[prediction]!++;
    });
    yield;
  }
  return counts;
}

function largest(counts: Int32Array): number {
  return counts.reduce((best, count, k) => (count > counts[best]! ? k : best), 0);
}
