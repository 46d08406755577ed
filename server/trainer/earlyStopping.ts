// Whether training has stopped getting better, by the samples that are kept back. What is done about it is the loop's business.
import { scoreOf, type Criterion } from '../protocol/choice.ts';
import type { EarlyStoppingPlan } from '../protocol/plan.ts';
import type { EndedEarlyRecord, ValidationFigures } from '../protocol/records.ts';
import type { SavedTensor, Saving } from './trainingState.ts';

const asked: Readonly<Record<Criterion, string>> = {
  accuracy: 'accuracy on the samples kept back did not rise above the',
  loss: 'the loss on the samples kept back did not fall below the',
  robustAccuracy: 'accuracy under attack on the samples kept back did not rise above the',
};

/** Prechelt (1998), in its plainest form: no better by at least so much than at best, in so many tests one after the other. */
export class EarlyStopping implements Saving {
  readonly #plan: EarlyStoppingPlan;
  readonly #by: Criterion;
  #best = -Infinity;
  #bestStep = 0;
  #testsSince = 0;

  constructor(plan: EarlyStoppingPlan, by: Criterion = 'accuracy') {
    this.#plan = plan;
    this.#by = by;
  }

  /** Tells of a test with the weights after `step`. @returns the end, where its patience is at one */
  see(
    figures: ValidationFigures,
    { step, epoch }: { readonly step: number; readonly epoch: number },
  ): EndedEarlyRecord | null {
    const score = scoreOf(figures, this.#by);
    if (score > this.#best + this.#plan.minDelta || this.#best === -Infinity) {
      [this.#best, this.#bestStep, this.#testsSince] = [score, step, 0];
      return null;
    }
    this.#testsSince++;
    if (this.#testsSince < this.#plan.patience) return null;
    const bestStep = this.#bestStep;
    const isLoss = this.#by === 'loss';
    const best = isLoss ? -this.#best : this.#best;
    const figure = isLoss ? best.toFixed(4) : `${(100 * best).toFixed(1)} %`;
    const message = `Training ended early: in ${this.#plan.patience} tests ${asked[this.#by]} ${figure} of step ${bestStep}.`;
    return { type: 'endedEarly', step, epoch, best, bestStep, message };
  }

  /** Whether its patience is at an end: a run that goes on from here has nothing left to train. */
  get isSpent(): boolean {
    return this.#testsSince >= this.#plan.patience;
  }

  saved(): ReadonlyMap<string, SavedTensor> {
    // A float64 in three float32 parts comes back bit by bit.
    const first = Math.fround(this.#best);
    const second = Math.fround(Number.isFinite(first) ? this.#best - first : 0);
    const third = Number.isFinite(first) ? this.#best - first - second : 0;
    const values = Float32Array.of(first, second, third, this.#bestStep, this.#testsSince);
    return new Map([['earlyStopping/memory', { shape: [values.length], values }]]);
  }

  restore(tensors: ReadonlyMap<string, SavedTensor>): void {
    const [first = -Infinity, second = 0, third = 0, bestStep = 0, since = 0] =
      tensors.get('earlyStopping/memory')?.values ?? [];
    [this.#best, this.#bestStep, this.#testsSince] = [first + second + third, bestStep, since];
  }
}
