// The plan: an experiment with every default spelled out, as it is frozen in a run and travels on the wire.
// How an experiment file becomes a plan is the business of server/experiment.
import { activationFunction, isFormulaActivation, type FormulaActivation } from '../formula/activations.ts';
import type { EvaluationPlan } from './evaluationPlan.ts';

export type { EvaluationPlan };

export interface Plan {
  readonly version: 1;
  readonly name: string;
  readonly seed: number;
  readonly runtime: RuntimeChoice;
  /** Threads of the runtime `wasm`; null for as many as the machine has cores. Results do not depend on it. */
  readonly threads: number | null;
  readonly dataset: DatasetPlan;
  readonly model: ModelPlan;
  readonly training: TrainingPlan;
  readonly observe: ObservationPlan;
  readonly checkpoints: CheckpointsPlan;
  /** Attacks to run on the final weights, in order. */
  readonly evaluation: readonly EvaluationPlan[];
}

export type RuntimeName = 'wasm' | 'tensorflow' | 'cpu';

/** `auto` is the fastest that passes its self-test. */
export type RuntimeChoice = 'auto' | RuntimeName;

export type DatasetPlan =
  | {
      readonly name: 'cifar10';
      /** Absolute path of the folder with the six `.bin` batches. */
      readonly path: string;
      readonly trainSamples: number;
      readonly testSamples: number;
    }
  | {
      readonly name: 'shapes';
      readonly trainSamples: number;
      readonly testSamples: number;
      /** Seed of the generator; independent of the run's seed, so that runs share their data. */
      readonly seed: number;
    };

export interface ModelPlan {
  readonly network: NetworkPlan;
  readonly activation: ActivationPlan;
  /** Drop rates in order of the network's dropout layers: light has 3, vgg 4, a residual network none. */
  readonly dropout: readonly number[];
  /** λ of the penalty λ·Σw² on the kernels of the dense layers. */
  readonly denseL2: number;
  /** λ of the penalty λ·Σw² on the kernels of the convolutions. */
  readonly convolutionL2: number;
  /** Per-channel normalisation as the network's first layer; null for none (the thesis has none). */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

/** `depth` counts convolutions (without those on skips) and the dense layer: 6n + 2, n blocks in each of the three stages. */
export type NetworkPlan = 'light' | 'vgg' | { readonly type: 'resnet'; readonly depth: number };

/** Where coefficients are trained, these are the values that every channel starts from. */
export type ActivationPlan =
  | FormulaActivation
  /** The share of winners among all values of a sample, at the start where it is lowered in training. */
  | { readonly type: 'k-wta'; readonly ratio: number; readonly lowering?: WinnersLowering }
  | SplinePlan
  /** The largest of K linear maps: the layer before has K times as many outputs. Never in a residual network. */
  | { readonly type: 'maxout'; readonly maps: number }
  | KafPlan;

/** A cubic spline for each channel through, or near, control points at knots spread evenly over [−boundary, boundary]. */
export interface SplinePlan {
  readonly type: 'spline';
  /** Number Q of control points. */
  readonly points: number;
  readonly boundary: number;
  readonly basis: 'catmull-rom' | 'b-spline';
  /** The function whose values at the knots the points start from, with noise of this standard deviation. */
  readonly start: 'tanh' | 'relu' | 'elu' | 'swish' | 'identity';
  readonly noise: number;
}

/** The share of winners stays for `afterEpochs`, then falls by `by`, and again after every `everyEpochs`, until it is `to`. */
export interface WinnersLowering {
  readonly to: number;
  readonly by: number;
  readonly everyEpochs: number;
  readonly afterEpochs: number;
}

/**
 * f(x) = base(x) + Σᵢ αᵢ exp(−γ(x−dᵢ)²), dᵢ uniform on [−boundary, boundary]; one α per channel. In `kaf-free` every channel
 * trains its dᵢ and its γ as well, from there.
 */
export interface KafPlan {
  readonly type: 'kaf' | 'residual-kaf' | 'kaf-free';
  /** Number D of dictionary elements. */
  readonly dictionary: number;
  readonly boundary: number;
  readonly gamma: number;
  readonly init: KafInit;
}

export function isKaf(activation: ActivationPlan): activation is KafPlan {
  return activation.type === 'kaf' || activation.type === 'residual-kaf' || activation.type === 'kaf-free';
}

/** Whether the curves of its channels are observed. */
export function hasShapes(activation: ActivationPlan): boolean {
  if (isFormulaActivation(activation)) return activationFunction(activation).parameters.length > 0;
  return isKaf(activation) || activation.type === 'spline';
}

export type KafInit =
  | { readonly type: 'normal'; readonly std: number }
  | { readonly type: 'ridge'; readonly target: 'relu' | 'elu' | 'swish'; readonly epsilon: number };

export interface TrainingPlan {
  readonly method: 'standard' | 'fgsm-rs';
  /** Null exactly when the method is `standard`. */
  readonly threat: ThreatPlan | null;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerPlan;
  readonly schedule: SchedulePlan;
  /** Zero padding in pixels before a random crop to the original size (0: none), and a random horizontal flip. */
  readonly augmentation: { readonly crop: number; readonly flip: boolean };
  readonly checkpointEveryEpochs: number;
}

/** Perturbations δ with ‖δ‖∞ ≤ epsilon, in pixel units of [0, 1]; stepSize is the single step's length. */
export interface ThreatPlan {
  readonly norm: 'linf';
  readonly epsilon: number;
  readonly stepSize: number;
}

/** Weight decay acts on convolution and dense kernels only, never on biases, batch normalisation or KAF coefficients. */
export type OptimizerPlan =
  | { readonly type: 'sgd'; readonly momentum: number; readonly weightDecay: number }
  | {
      readonly type: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

export type SchedulePlan =
  | { readonly type: 'constant'; readonly learningRate: number }
  /** Linear from min to max at half of the steps and back; then cooldownEpochs (of the epochs) at min. */
  | { readonly type: 'triangular'; readonly min: number; readonly max: number; readonly cooldownEpochs: number };

export interface ObservationPlan {
  /** Norms of all weights and gradients every so many steps; 0 for never. */
  readonly normsEverySteps: number;
  /** Coefficients of KAFs and splines every so many steps; 0 for never. */
  readonly shapesEverySteps: number;
  /** Test accuracy (and, with robustSamples > 0, accuracy under PGD) every so many epochs; 0 for never. */
  readonly testEveryEpochs: number;
  /** Test images attacked at each test, with PGD of `robustSteps` steps and one restart at the plan's threat (8/255 if none). */
  readonly robustSamples: number;
  readonly robustSteps: number;
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
