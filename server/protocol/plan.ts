// The plan: an experiment with every default spelled out, as it is frozen in a run and travels on the wire.
// How an experiment file becomes a plan is the business of server/experiment.
import { gaussianAlone, type KafKernelName } from '../formula/kafKernels.ts';
import type { StartTarget } from '../formula/startTargets.ts';
import { activationFunction, isFormulaActivation, type FormulaActivation } from '../formula/activationFunction.ts';
import type { Criterion } from './choice.ts';
import type { PublishedName, PublishedTableName } from './datasets.ts';
import type { EvaluationPlan } from './evaluationPlan.ts';
import type { KernelInitializer } from './initializers.ts';
import type { MethodPlan } from './methodTable.ts';

export type { EvaluationPlan, MethodPlan };

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

export type DatasetPlan =
  ShapesPlan | PublishedPlan | PublishedTablePlan | Cifar100Plan | FolderPlan | TablePlan | ArraysPlan;

interface SplitSizes {
  /** The first so many, of which the last `validationSamples` are kept back; null for all that there are. */
  readonly trainSamples: number | null;
  readonly testSamples: number | null;
  /** Tested beside the test samples, never trained on; absent for none. */
  readonly validationSamples?: number;
}

export interface ShapesPlan extends SplitSizes {
  readonly name: 'shapes';
  readonly trainSamples: number;
  readonly testSamples: number;
  /** Seed of the generator; independent of the run's seed, so that runs share their data. */
  readonly seed: number;
}

interface FilesPlan extends SplitSizes {
  /** Absolute. */
  readonly path: string;
}

export interface PublishedPlan extends FilesPlan {
  readonly name: Exclude<PublishedName, 'cifar100' | PublishedTableName>;
  readonly trainSamples: number;
  readonly testSamples: number;
}

export interface PublishedTablePlan extends FilesPlan {
  readonly name: PublishedTableName;
}

export interface Cifar100Plan extends FilesPlan {
  readonly name: 'cifar100';
  readonly trainSamples: number;
  readonly testSamples: number;
  readonly labels: 'fine' | 'coarse';
}

/** Where no test samples lie apart: the share of all, at least one, that is drawn by the seed and taken out to test on. */
interface SharedTest {
  readonly testShare: number;
  readonly seed: number;
}

/** Pictures, one folder a class. */
export interface FolderPlan extends FilesPlan, SharedTest {
  readonly name: 'folder';
  /** Absolute; of one form with `path`. Null: a share of the pictures is taken. */
  readonly testPath: string | null;
  /** Height and width that every picture is brought to. */
  readonly size: number;
  readonly colors: 'rgb' | 'grey';
}

/** A text file of rows with a header. */
export interface TablePlan extends FilesPlan, SharedTest {
  readonly name: 'table';
  /** Absolute; of one form with `path`. Null: a share of the rows is taken. */
  readonly testPath: string | null;
  /** The column that holds the class. */
  readonly label: string;
  readonly separator: ',' | ';' | '\t' | ' ';
}

/** NumPy's arrays by name, in one .npz file or a folder of .npy files. */
export interface ArraysPlan extends FilesPlan, SharedTest {
  readonly name: 'arrays';
  readonly x: string;
  readonly y: string;
  /** Where one of these is not there, a share of `x` and `y` is taken. */
  readonly xTest: string;
  readonly yTest: string;
}

/** Samples that are trained on; null where only the disk tells. */
export function trainingSamples({ trainSamples, validationSamples = 0 }: DatasetPlan): number | null {
  return trainSamples === null ? null : trainSamples - validationSamples;
}

export interface ModelPlan {
  readonly network: NetworkPlan;
  readonly activation: ActivationPlan;
  /** Drop rates in order of the dropout layers of a network with a name; declared layers have theirs themselves. */
  readonly dropout: readonly number[];
  /** λ of the penalty λ·Σw² on the kernels of the dense layers. */
  readonly denseL2: number;
  /** λ of the penalty λ·Σw² on the kernels of the convolutions. */
  readonly convolutionL2: number;
  /** λ of the penalties λ·Σ|α| and λ·Σα² on the coefficients of KAFs; absent for 0. */
  readonly alphaL1?: number;
  readonly alphaL2?: number;
  /** Absent for none. */
  readonly spectralNorm?: SpectralNormPlan;
  /** Absent where each layer's own is drawn from. */
  readonly initializer?: InitializerPlan;
  /**
   * (x − mean)/std of each channel or column as the network's first layer; null for none (the thesis has none). `dataset`: by a
   * table's own columns over its training samples; pictures stay as they are.
   */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | 'dataset' | null;
}

/**
 * A network with a name (server/network/named), with its numbers where it has any; or one of layers that its plan declares.
 * `depth` counts convolutions (without those on skips) and the dense layer: 6n + 2, n blocks in each of the three stages.
 */
export type NetworkPlan =
  | 'light'
  | 'vgg'
  | 'preact-resnet18'
  | { readonly type: 'resnet'; readonly depth: number }
  | { readonly type: 'cnn5'; readonly blocks: number }
  | { readonly type: 'mlp'; readonly hiddenLayers: number; readonly units: number }
  | { readonly type: 'layers'; readonly layers: readonly LayerPlan[] };

/** Of TensorFlow: `same` pads to ⌈length/stride⌉, an odd pixel last; `valid` not at all. */
export type Padding = 'same' | 'valid';

/** How the kernels of every layer are drawn, times the gain. */
export interface InitializerPlan {
  readonly type: KernelInitializer;
  readonly gain: number;
}

/**
 * The largest singular value σ of each kernel, by so many power iterations an update: kernels are divided by it (Miyato et al., 2018), or
 * lambda/2·Σσ² is added to the loss (Yoshida & Miyato, 2017).
 */
export type SpectralNormPlan =
  | { readonly type: 'normalization'; readonly iterations: number }
  | { readonly type: 'penalty'; readonly iterations: number; readonly lambda: number };

/** What a layer is called in the names of its tensors; absent for its kind and number. */
interface Named {
  readonly name?: string;
}

export type LayerPlan =
  | ({
      readonly type: 'conv';
      readonly channels: number;
      readonly size: number;
      readonly stride: number;
      readonly padding: Padding;
      readonly bias: boolean;
      readonly initializer: KernelInitializer;
    } & Named)
  | ({
      readonly type: 'dense';
      /** `classes`: as many as the data set has. */
      readonly units: number | 'classes';
      readonly bias: boolean;
      readonly initializer: KernelInitializer;
    } & Named)
  | ({ readonly type: 'batch-norm' | 'layer-norm' } & Named)
  | ({ readonly type: 'group-norm'; readonly groups: number } & Named)
  /** Null for the model's own. */
  | ({ readonly type: 'activation'; readonly activation: ActivationPlan | null } & Named)
  | { readonly type: 'dropout'; readonly rate: number }
  | {
      readonly type: 'max-pool' | 'average-pool';
      readonly size: number;
      readonly stride: number;
      readonly padding: Padding;
    }
  | { readonly type: 'global-average-pool' | 'flatten' }
  /** The same layers several times, each time with weights of its own. */
  | { readonly type: 'repeat'; readonly times: number; readonly layers: readonly LayerPlan[] }
  /** Layers whose names begin with `block1.`, and so on, and are counted anew. */
  | { readonly type: 'block'; readonly layers: readonly LayerPlan[] }
  /** skip(x) + branch(x), the branch times a trained factor that starts at 0 where it is scaled (De & Smith, 2020). */
  | {
      readonly type: 'residual';
      readonly branch: readonly LayerPlan[];
      readonly skip: readonly LayerPlan[];
      readonly scale: 'none' | 'trained';
    }
  /** The channels of each way, one after another (Szegedy et al., 2015). */
  | { readonly type: 'concat'; readonly ways: readonly (readonly LayerPlan[])[] };

/** Where coefficients are trained, these are the values that every channel starts from. */
export type ActivationPlan =
  | FormulaActivation
  | WinnersPlan
  | SplinePlan
  /** The largest of K linear maps: the layer before has K times as many outputs. */
  | { readonly type: 'maxout'; readonly maps: number }
  | Kaf2dPlan
  | KafPlan;

/** A cubic spline for each channel through, or near, control points at knots spread evenly over [−boundary, boundary]. */
export interface SplinePlan {
  readonly type: 'spline';
  /** Number Q of control points. */
  readonly points: number;
  readonly boundary: number;
  readonly basis: 'catmull-rom' | 'b-spline';
  /** The function whose values at the knots the points start from, with noise of this standard deviation. */
  readonly start: StartTarget;
  readonly noise: number;
}

export interface WinnersPlan {
  readonly type: 'k-wta';
  /** The share of winners, at the start where it is lowered in training. */
  readonly ratio: number;
  /** Of ratio times the number of values; at least one wins. */
  readonly rounding: 'floor' | 'ceiling';
  /** Among all values of a sample, or among those of each of its channels; where these have one each, among all. */
  readonly over: 'layer' | 'channel';
  /** Of values equal to the k-th largest, the first until there are k, or all. */
  readonly ties: 'index' | 'all';
  readonly lowering?: WinnersLowering;
}

/** The share of winners stays for `afterEpochs`, then falls by `by`, and again after every `everyEpochs`, until it is `to`. */
export interface WinnersLowering {
  readonly to: number;
  readonly by: number;
  readonly everyEpochs: number;
  readonly afterEpochs: number;
}

/**
 * f(x) = base(x) + Σᵢ αᵢ κ(x, dᵢ), dᵢ uniform on [−boundary, boundary]; one α per channel. In `kaf-free` every channel
 * trains its dᵢ and its γ as well, from there; in `multi-kaf` κ is Σₘ μₘ κₘ, and every channel trains its μ, from 1/M each.
 */
export interface KafPlan {
  readonly type: 'kaf' | 'residual-kaf' | 'kaf-free' | 'multi-kaf';
  /** M of them for `multi-kaf`, else one; absent for the Gaussian alone. */
  readonly kernels?: readonly KafKernelName[];
  /** Number D of dictionary elements. */
  readonly dictionary: number;
  readonly boundary: number;
  readonly gamma: number;
  readonly init: KafInit;
}

/**
 * f(u, v) = Σᵢ Σⱼ αᵢⱼ exp(−γ((u − dᵢ)² + (v − dⱼ)²)) of pairs of channels, which the layer before has twice as many of.
 */
export interface Kaf2dPlan {
  readonly type: 'kaf-2d';
  /** Number D of elements of each axis, uniform on [−boundary, boundary]. */
  readonly dictionary: number;
  readonly boundary: number;
  readonly gamma: number;
  /** `ridge` starts as its target at (u + v)/√2. */
  readonly init: KafInit;
}

/** How many times as many channels an activation takes as it makes. */
export function mapsOf(activation: ActivationPlan): number {
  if (activation.type === 'maxout') return activation.maps;
  return activation.type === 'kaf-2d' ? 2 : 1;
}

export function isKaf(activation: ActivationPlan): activation is KafPlan {
  return ['kaf', 'residual-kaf', 'kaf-free', 'multi-kaf'].includes(activation.type);
}

export function kernelsOf({ kernels }: Pick<KafPlan, 'kernels'>): readonly KafKernelName[] {
  return kernels ?? gaussianAlone;
}

/** Whether the curves, or surfaces, of its channels are observed. */
export function hasShapes(activation: ActivationPlan): boolean {
  if (isFormulaActivation(activation)) return activationFunction(activation).parameters.length > 0;
  return isKaf(activation) || activation.type === 'spline' || activation.type === 'kaf-2d';
}

export type KafInit =
  | { readonly type: 'normal'; readonly std: number }
  | { readonly type: 'ridge'; readonly target: StartTarget; readonly epsilon: number };

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
