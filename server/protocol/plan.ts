// The plan: an experiment with every default spelled out, as it is frozen in a run and travels on the wire.
// How an experiment file becomes a plan is the business of server/experiment.
import type { Criterion } from './choice.ts';
import type { DatasetPlan } from './datasetPlan.ts';
import type { EvaluationPlan } from './evaluationPlan.ts';
import type { MethodPlan } from './methodTable.ts';
import type { ModelPlan } from './modelPlan.ts';

export type { EvaluationPlan, MethodPlan };
export * from './datasetPlan.ts';
export * from './modelPlan.ts';

export interface Plan {
  readonly version: 1;
  readonly name: string;
  readonly seed: number;
  readonly runtime: RuntimeChoice;
  /** Of the runtime `torch`, like `cuda:1`; absent for the first of cuda, mps, xpu and cpu that there is. */
  readonly device?: TorchDeviceName;
  /** Of the runtime `torch` on cuda: products and convolutions may round their factors to TF32. Absent where they may not. */
  readonly tf32?: true;
  /** Threads of the runtimes `wasm` and `torch`; null for as many as the machine has cores. Results on `wasm` do not depend on it. */
  readonly threads: number | null;
  readonly dataset: DatasetPlan;
  readonly model: ModelPlan;
  readonly training: TrainingPlan;
  readonly observe: ObservationPlan;
  readonly checkpoints: CheckpointsPlan;
  /** Attacks to run on the final weights, in order. */
  readonly evaluation: readonly EvaluationPlan[];
  /** A sweep cuts the attacks of `evaluation` by test images into so many cells of their own; absent for one. Changes no figure. */
  readonly parts?: number;
  /** Of such a cell: which of the parts it attacks. It has no other evaluations. */
  readonly part?: PartPlan;
}

/** One of `of` stretches of test images. */
export interface PartPlan {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

/** In order of preference where two are as fast. */
export const runtimeNames = ['wasm', 'torch', 'tensorflow', 'cpu'] as const;

export type RuntimeName = (typeof runtimeNames)[number];

/** `cuda` is `cuda:0`. */
export const torchDeviceNames = [
  ...(['cuda', 'cuda:0', 'cuda:1', 'cuda:2', 'cuda:3', 'cuda:4', 'cuda:5', 'cuda:6', 'cuda:7'] as const),
  ...(['mps', 'xpu', 'xpu:0', 'xpu:1', 'xpu:2', 'xpu:3', 'cpu'] as const),
] as const;

export type TorchDeviceName = (typeof torchDeviceNames)[number];

/** `auto` is the fastest that passes its self-test. */
export type RuntimeChoice = 'auto' | RuntimeName;

/** `binary-cross-entropy` is of one output, for two classes. */
export type LossName = 'cross-entropy' | 'least-squares' | 'binary-cross-entropy';

export interface TrainingPlan {
  /** Absent for cross-entropy. */
  readonly loss?: LossName;
  readonly method: MethodPlan;
  /** Null exactly when the method is `standard`. */
  readonly threat: ThreatPlan | null;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerPlan;
  readonly schedule: SchedulePlan;
  /** Zero padding in pixels before a random crop to the original size (0: none), and a random horizontal flip. */
  readonly augmentation: { readonly crop: number; readonly flip: boolean };
  readonly checkpointEveryEpochs: number;
  /** Absent for none. */
  readonly clipping?: ClippingPlan;
  /** s: targets of 1 − s + s/K and s/K in place of 1 and 0; absent for 0. Attacks raise the loss without it. */
  readonly labelSmoothing?: number;
  /** Absent for none. */
  readonly earlyStopping?: EarlyStoppingPlan;
  /** By what early stopping and the best checkpoint are chosen; absent for accuracy. */
  readonly chooseBy?: Exclude<Criterion, 'accuracy'>;
  /** Absent for none. */
  readonly watch?: WatchPlan;
  /** Absent for none. */
  readonly weightAverage?: WeightAveragePlan;
}

/**
 * What gradients are held to: `global`, the norm of all together; `layer`, that of each tensor; `adaptive`, that of each unit by a
 * share of its weights' (Brock et al., 2021).
 */
export interface ClippingPlan {
  readonly type: 'global' | 'layer' | 'adaptive';
  readonly limit: number;
}

/** Training ends where so many tests one after the other are no better than the best by more than minDelta. */
export interface EarlyStoppingPlan {
  readonly patience: number;
  /** Of accuracy, or of loss in nats; in [0, 1). */
  readonly minDelta: number;
}

/** The watch over adversarial training for catastrophic overfitting. */
export interface WatchPlan {
  readonly everySteps: number;
  /** Images looked at: of those kept back, or else of those trained on. */
  readonly samples: number;
  /** Of its PGD, whose steps are of a quarter of ε. */
  readonly steps: number;
  /** By how much accuracy under FGSM must lie above that under PGD. */
  readonly gap: number;
  readonly onCollapse: 'tell' | 'stop' | 'roll-back';
  /** What the learning rate is multiplied by after going back. */
  readonly factor: number;
}

/** An exponential moving average of the weights, by which tests and evaluations go. */
export interface WeightAveragePlan {
  readonly decay: number;
  /** Whether it begins with a smaller one. */
  readonly warmUp: boolean;
  /** Of batch normalisation: averaged by the same decay, or as the network that is trained has them. */
  readonly statistics: 'average' | 'trained';
}

/** Perturbations δ with ‖δ‖ ≤ epsilon in the norm, in pixel units of [0, 1]; stepSize is the length of each step. */
export interface ThreatPlan {
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  readonly stepSize: number;
}

/** ε under L∞ of what was trained against; null for none. */
export function trainedEpsilon({ threat }: Pick<TrainingPlan, 'threat'>): number | null {
  return threat?.norm === 'linf' ? threat.epsilon : null;
}

/** Weight decay acts on convolution and dense kernels only, never on biases, batch normalisation or KAF coefficients. */
export type OptimizerPlan =
  | {
      readonly type: 'sgd';
      readonly momentum: number;
      readonly weightDecay: number;
      /** Nesterov's; absent for no. */
      readonly nesterov?: true;
    }
  | {
      /** `adamw`: the decay is taken of the weights themselves (Loshchilov & Hutter, 2019). */
      readonly type: 'adam' | 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

export type SchedulePlan =
  | { readonly type: 'constant'; readonly learningRate: number }
  /** Linear from min to max at half of the steps and back; then cooldownEpochs (of the epochs) at min. */
  | {
      readonly type: 'triangular';
      readonly min: number;
      readonly max: number;
      readonly cooldownEpochs: number;
      /** The share of the steps before the cooldown after which max is reached; absent for half. */
      readonly peak?: number;
    }
  /** learningRate · factorⁿ, n the epochs done over everyEpochs. */
  | {
      readonly type: 'step';
      readonly learningRate: number;
      readonly factor: number;
      readonly everyEpochs: number;
    }
  /** Half a cosine from max to min over all steps, behind a linear rise from min over warmupEpochs. */
  | { readonly type: 'cosine'; readonly min: number; readonly max: number; readonly warmupEpochs: number }
  /** Half cosines from max/25 to max at the peak and down to min; then cooldownEpochs at min. */
  | {
      readonly type: 'one-cycle';
      readonly min: number;
      readonly max: number;
      readonly peak: number;
      readonly cooldownEpochs: number;
    };

export interface ObservationPlan {
  /** Norms of all weights and gradients every so many steps; 0 for never. */
  readonly normsEverySteps: number;
  /** Coefficients of KAFs and splines every so many steps; 0 for never. */
  readonly shapesEverySteps: number;
  /** Histograms of all weights and gradients every so many steps; 0 for never. */
  readonly histogramsEverySteps: number;
  /** Test accuracy (and, with robustSamples > 0, accuracy under PGD) every so many epochs; 0 for never. */
  readonly testEveryEpochs: number;
  /** Test images attacked at each test, with PGD of `robustSteps` steps and one restart at the plan's threat (8/255 if none). */
  readonly robustSamples: number;
  readonly robustSteps: number;
  /** Test images at each test on which activations are compared with those on the same images attacked; 0 for none. */
  readonly shiftSamples: number;
  /** Whether the run's folder gets TensorBoard's event file, which takes about twice the log's size. */
  readonly tensorboard: boolean;
}

export interface CheckpointsPlan {
  readonly keep: 'all' | KeepRule;
}

/** A checkpoint stays if one of these keeps it. */
export interface KeepRule {
  /** The newest so many; at least 1. */
  readonly last: number;
  /** Those at the end of every so many epochs; 0 for none. */
  readonly everyEpochs: number;
  /** The one whose weights did best in a test: under attack where tests attack, on clean images otherwise. */
  readonly best: boolean;
}
