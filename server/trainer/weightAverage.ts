// The exponential moving average of a training's weights: a network of its own beside the one that is trained. What is tested on it
// is the loop's business.
import type * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import type { WeightAveragePlan } from '../protocol/plan.ts';
import { sgdUpdate } from '../tensor/ops/optimizer.ts';
import { overwrite, type Halted } from '../tensor/ops/step.ts';

type Tensors = Pick<Network, 'parameters' | 'statistics' | 'followWeights'>;

export class WeightAverage<T extends Tensors = Network> {
  /** Holds the average. Owned by whoever made it. */
  readonly network: T;
  readonly #trained: Tensors;
  readonly #plan: WeightAveragePlan;
  /** The same record in every step, as kernels want it. */
  readonly #at = { learningRate: 0 };

  /** @param network of the same plan as the one that is trained; its weights are not looked at before they are replaced */
  constructor(plan: WeightAveragePlan, trained: Tensors, network: T) {
    this.#plan = plan;
    this.#trained = trained;
    this.network = network;
  }

  /**
   * After the update `step` (1, 2, …) of the weights w: w̄ ← d·w̄ + (1 − d)·w; the first takes w as it is. Running statistics of batch
   * normalisation are averaged as well, or taken as they are. Unless the flag is set.
   */
  update(step: number, halted: Halted | null = null): void {
    const decay = decayAt(this.#plan, step);
    // w̄ − (d − 1)·(w − w̄), by the kernel of gradient descent.
    this.#at.learningRate = decay - 1;
    this.network.parameters.forEach(({ variable }, index) => {
      this.#follow(variable, this.#trained.parameters[index]!.variable, { isTaken: decay === 0, halted });
    });
    const isTaken = decay === 0 || this.#plan.statistics !== 'average';
    this.network.statistics.forEach(({ variable }, index) => {
      this.#follow(variable, this.#trained.statistics[index]!.variable, { isTaken, halted });
    });
    this.network.followWeights(halted);
  }

  #follow(
    average: tf.Variable,
    parameter: tf.Variable,
    { isTaken, halted }: { readonly isTaken: boolean; readonly halted: Halted | null },
  ): void {
    if (isTaken) {
      overwrite(average, parameter, halted);
      return;
    }
    sgdUpdate({
      ...{ parameter: average, gradient: parameter, velocity: null },
      ...{ at: this.#at, momentum: 0, weightDecay: -1, halted },
    });
  }
}

/** With a warm-up min(decay, (1 + n)/(10 + n)) after n other updates (Gowal et al., 2020). It goes by the step, so that nothing is remembered. */
function decayAt({ decay, warmUp }: WeightAveragePlan, step: number): number {
  if (step === 1) return 0;
  return warmUp ? Math.min(decay, step / (9 + step)) : decay;
}
