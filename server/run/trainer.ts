// What a run needs of a trainer, so that tests can script one. The real one is in openTrainer.ts.
import type { SweepOptions, SweepPoint } from '../protocol/learningRates.ts';
import type { EvaluationPlan, Plan } from '../protocol/plan.ts';
import type { RunRecord } from '../protocol/records.ts';
import type { MemoryUse } from '../protocol/run.ts';
import type { EvaluateOptions } from '../trainer/evaluate.ts';
import type { SurrogatePlan } from '../trainer/surrogate.ts';
import type { TrainerEvent, TrainOptions } from '../trainer/train.ts';

export interface Trainer {
  /** For example `wasm · 1 thread · relaxed SIMD`. */
  readonly device: string;
  /** Of tensors, in this process. */
  memory(): MemoryUse;
  /** Ends after a last checkpoint, also soon after the signal aborts. */
  train(plan: Plan, options: RunTrainOptions): AsyncGenerator<TrainerEvent>;
  evaluate(plan: Plan, evaluation: EvaluationPlan, options: EvaluateOptions): AsyncGenerator<RunRecord>;
  /** A sweep of learning rates; writes nothing. */
  findLearningRate(plan: Plan, options: SweepOptions & { readonly signal: AbortSignal }): AsyncGenerator<SweepPoint>;
}

export interface RunTrainOptions extends TrainOptions {
  /** That the plan's evaluations will make images on, by their places: they must fit before anything is trained. */
  readonly surrogates?: ReadonlyMap<string, SurrogatePlan>;
}

/** Opens the runtime and the data set. @throws Error with a sentence for the user where either can't be had. */
export type OpenTrainer = (plan: Plan) => Promise<Trainer>;
