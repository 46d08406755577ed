// What a run says of itself, in order. Records hold no time and no path of a machine: the same plan and seed give the same
// records on the same runtime. A row is a record as it stands in the run's log, with its position and time.
import type { KafKernelName } from '../formula/kafKernels.ts';
import type { FormulaText } from '../formula/formula.ts';
import type {
  AttackProgressRecord,
  EvaluationFinishedRecord,
  EvaluationStartedRecord,
  OfWeights,
} from './evaluationRecords.ts';

export type * from './evaluationRecords.ts';

export interface Row {
  /** Position in the run's log, 1, 2, …; the cursor of replay. */
  readonly seq: number;
  /** Milliseconds since the epoch, when it was recorded. */
  readonly timeMs: number;
  readonly record: RunRecord;
}

export type RunRecord =
  | PreparedRecord
  | StepRecord
  | NormsRecord
  | UpdatesRecord
  | HistogramsRecord
  | ResponsesRecord
  | ShapesRecord
  | TestRecord
  | WatchRecord
  | CollapsedRecord
  | EndedEarlyRecord
  | CheckpointedRecord
  | DivergedRecord
  | EvaluationStartedRecord
  | AttackProgressRecord
  | EvaluationFinishedRecord;

/** The network and the length of the work, before the first step. */
export interface PreparedRecord {
  readonly type: 'prepared';
  readonly parameters: readonly ParameterInfo[];
  readonly activations: readonly ShapeInfo[];
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  /** What a sample is, where the plan alone does not tell. */
  readonly ends?: { readonly sampleShape: readonly number[]; readonly nClasses: number };
}

export interface ParameterInfo {
  /** For example `conv1.kernel`, `bn1.gamma`, `kaf1.alpha`, `dense2.bias`. */
  readonly name: string;
  readonly layer: string;
  readonly shape: readonly number[];
}

/** A layer of activation functions whose curves are trained, each channel its own. */
export type ShapeInfo = KafInfo | SplineInfo | FormulaInfo | SurfaceInfo;

/** What the tensor of the coefficients is called after its layer: `kaf1.alpha`. */
export function coefficientsOf(info: object): 'alpha' | 'points' | 'coefficients' {
  if ('formula' in info) return 'coefficients';
  return 'spline' in info ? 'points' : 'alpha';
}

/**
 * A layer of kernel activation functions; its coefficients come in `shapes` records. Where dictionary and bandwidth are
 * trained, these are the ones that every channel starts from.
 */
export interface KafInfo {
  readonly layer: string;
  readonly channels: number;
  readonly dictionary: readonly number[];
  readonly gamma: number;
  readonly base: 'none' | 'swish';
  /**
   * Absent for the Gaussian alone. Of several, a row of coefficients has those of all elements for the first, then for the second, …:
   * of a multi-KAF, μₘ·αᵢ.
   */
  readonly kernelNames?: readonly KafKernelName[];
}

/** A layer of splines; their control points come in `shapes` records, as α does. */
export interface SplineInfo {
  readonly layer: string;
  readonly channels: number;
  /** The knots, ascending and evenly spread. */
  readonly dictionary: readonly number[];
  readonly spline: 'catmull-rom' | 'b-spline';
}

/** A layer of functions that are a formula; its parameters come in `shapes` records, as α does. */
export interface FormulaInfo {
  readonly layer: string;
  readonly channels: number;
  readonly formula: FormulaText;
}

/** A layer of two-dimensional KAFs; a channel's α come in `shapes` records, as a KAF's do, [D, D] row by row of the first of its pair. */
export interface SurfaceInfo {
  readonly layer: string;
  /** Of its output: pairs. */
  readonly channels: number;
  /** The elements of each axis, ascending and evenly spread. */
  readonly axis: readonly number[];
  readonly gamma: number;
}

/** One optimisation step. Loss and accuracy are of the batch trained on (the attacked one in adversarial training). */
export interface StepRecord {
  readonly type: 'step';
  /** 1 after the first update. */
  readonly step: number;
  /** 1 during the first epoch. */
  readonly epoch: number;
  /** Mean cross-entropy in nats, without penalties. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
}

/** L2 norms in the order of `prepared.parameters`: weights after the update, gradients of the training loss that made it. */
export interface NormsRecord {
  readonly type: 'norms';
  readonly step: number;
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  /** Non-finite values among each weight and each gradient. */
  readonly nonFiniteWeights: Int32Array;
  readonly nonFiniteGradients: Int32Array;
}

/**
 * How far the update of a step moved each tensor, in the order of `prepared.parameters`, recorded with its norms: ‖w‖₂ before it and
 * ‖w′ − w‖₂, whose quotient is the update-to-weight ratio. Absent in records of version 0.1.
 */
export interface UpdatesRecord {
  readonly type: 'updates';
  readonly step: number;
  readonly before: Float32Array;
  readonly updates: Float32Array;
  /** Of the gradients with respect to the images that the attack of the step took, in order; absent without an attack. */
  readonly attack?: {
    /** ‖∇ₓ ℓ‖₂, the mean of the images of the batch. */
    readonly norms: Float32Array;
    /** Images whose gradient is exactly 0. */
    readonly zeros: Int32Array;
  };
}

/** Bins of a tensor's histogram. */
export const histogramBins = 32;

/** How the values of each tensor are spread, in the order of `prepared.parameters`: weights after the update, gradients of the loss that made it. */
export interface HistogramsRecord {
  readonly type: 'histograms';
  readonly step: number;
  readonly weights: TensorHistograms;
  readonly gradients: TensorHistograms;
}

export interface TensorHistograms {
  /** `[tensors, 2]`, row by row: the lowest and the highest value. */
  readonly ranges: Float32Array;
  /** `[tensors, histogramBins]`, of equal width over that range, in 255ths of the fullest; at least 1 where there is any value. */
  readonly bins: Uint8Array;
}

/** Bins of the densities of inputs, without what is below and above. */
export const densityBins = 24;

/** Bins of the histograms of outputs. */
export const shiftBins = 64;

/**
 * What activation layers are given and answer, on the first test images as they are and attacked, with the weights after `step`. The
 * layers come in the order of the forward pass, the logits last.
 */
export interface ResponsesRecord extends OfWeights {
  readonly type: 'responses';
  readonly step: number;
  readonly samples: number;
  /** For example `PGD-10 8/255`. */
  readonly attack: string;
  readonly layers: readonly LayerResponse[];
}

/** With h(x) a layer's output and h(x′) that of the attacked image, means over the images. */
export interface LayerResponse {
  readonly layer: string;
  /** ‖h(x′) − h(x)‖₂ */
  readonly l2: number;
  /** ‖h(x′) − h(x)‖₂/‖h(x)‖₂ */
  readonly relative: number;
  /** Σ (g(x′) − g(x))², g the mean of each channel over the image, of a dense layer h itself: what the thesis calls the L2 norm. */
  readonly thesis: number;
  /** Of Kolmogorov and Smirnov, of all values together, at the borders of 1024 bins. */
  readonly ks: number;
  /** Of all values; bins of equal width over their common range, both in 255ths of the fullest of both. */
  readonly outputs: {
    readonly low: number;
    readonly high: number;
    readonly clean: Uint8Array;
    readonly attacked: Uint8Array;
  };
  /** Of layers whose curves are observed. */
  readonly inputs?: InputDensities;
}

/** `[channels, densityBins + 2]`, row by row: below, bins of equal width, above; of a channel in 255ths of the fullest of both. */
export interface InputDensities {
  readonly low: number;
  readonly high: number;
  readonly clean: Uint8Array;
  readonly attacked: Uint8Array;
}

/**
 * KAF coefficients, control points or parameters of a formula, in the order of `prepared.activations`, each `[channels, count]` row by
 * row; step 0 is the start.
 */
export interface ShapesRecord {
  readonly type: 'shapes';
  readonly step: number;
  readonly alphas: readonly Float32Array[];
  /** In the same order; absent where dictionary and bandwidth are fixed. */
  readonly kernels?: readonly KafKernels[];
}

/** The dictionary and the bandwidth of each channel, where these are trained. */
export interface KafKernels {
  /** `[channels, dictionary]`, row by row. */
  readonly dictionaries: Float32Array;
  /** γ, `[channels]`. */
  readonly gammas: Float32Array;
}

/** Accuracy on held-out images with the weights after `step`. */
export interface TestRecord extends OfWeights {
  readonly type: 'test';
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
  /** Under PGD, worst-case protocol; null where the plan asks for none. */
  readonly robustAccuracy: number | null;
  readonly robustSamples: number;
  /** Area under the receiver operating characteristic of the second class; of data sets of two classes only. */
  readonly auc?: number;
  /** On the samples that the plan keeps back, where it does. */
  readonly validation?: ValidationFigures;
}

export interface ValidationFigures {
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
  readonly auc?: number;
  /** Under the tests' attack, of the first samples; where the plan chooses by it. */
  readonly robustAccuracy?: number;
  readonly robustSamples?: number;
}

/** A look at adversarial training, with the weights after `step`: accuracies under one step and under many. */
export interface WatchRecord {
  readonly type: 'watch';
  readonly step: number;
  readonly samples: number;
  /** What the samples are of. */
  readonly of: 'validation' | 'training';
  readonly fgsm: number;
  readonly pgd: number;
  /** Mean cosine of the input gradients at images and at random points of their balls. */
  readonly cosine: number;
}

/** The network came to withstand one step only. */
export interface CollapsedRecord {
  readonly type: 'collapsed';
  readonly step: number;
  readonly action: 'tell' | 'stop' | 'roll-back';
  /** Of the weights that training goes on from; null where it does not go back. */
  readonly to: number | null;
  /** The figures, and what was done. */
  readonly message: string;
}

/** Training ended before its last epoch: the samples kept back had no more to say for it. */
export interface EndedEarlyRecord {
  readonly type: 'endedEarly';
  readonly step: number;
  readonly epoch: number;
  /** The best on the samples kept back of what the plan chooses by, and the step whose weights had it. */
  readonly best: number;
  readonly bestStep: number;
  readonly message: string;
}

export interface CheckpointedRecord {
  readonly type: 'checkpointed';
  readonly step: number;
  readonly epoch: number;
  /** File name in the run's `checkpoints` folder. */
  readonly file: string;
}

/** Training ended because a loss or a gradient was not finite. */
export interface DivergedRecord {
  readonly type: 'diverged';
  readonly step: number;
  /** The first parameter with a non-finite gradient, as the backward pass comes to them; `loss` where that is not finite, and with it all. */
  readonly quantity: string;
  readonly message: string;
}
