// The network of a plan, with its activation functions.
import { gaussianAlone, type KafKernelName } from '../formula/kafKernels.ts';
import type { StartTarget } from '../formula/startTargets.ts';
import { activationFunction, isFormulaActivation, type FormulaActivation } from '../formula/activationFunction.ts';
import type { KernelInitializer } from './initializers.ts';

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
