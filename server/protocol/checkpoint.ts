// What the checkpoint inspector shows of a `.safetensors` file.
import type { Plan } from './plan.ts';
import type { FormulaInfo, KafInfo, KafKernels, OfWeights, SplineInfo, SurfaceInfo } from './records.ts';

export interface CheckpointContents {
  readonly file: string;
  readonly sizeBytes: number;
  /** Null for a file that Kafscope did not write. */
  readonly origin: CheckpointOrigin | null;
  /** The plan that it was trained by, as an experiment that compiles to it; null as `origin`. */
  readonly experiment: string | null;
  readonly tensors: readonly TensorContents[];
  /** How many more the file has, which were not read; absent where all are here. */
  readonly omittedTensors?: number;
  readonly activations: readonly ShapeContents[];
  /** Of how many tensors the curves are not here, as they would be too many; absent where all are here. */
  readonly omittedActivations?: number;
  /** The file's own metadata, as text by key. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How many more entries the metadata has; absent where all are here. */
  readonly omittedMetadata?: number;
}

export interface CheckpointOrigin {
  readonly runId: string;
  readonly step: number;
  readonly epoch: number;
  readonly plan: Plan;
  /** Versions of Kafscope, of the runtime and of Node that wrote it. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface TensorContents {
  readonly name: string;
  readonly group: 'model' | 'average' | 'optimizer' | 'other';
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: number;
  readonly l2: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly nonFinite: number;
  /** Counts of the finite values in equal bins from min to max. */
  readonly histogram: readonly number[];
  /** Its bytes are not those that were written. */
  readonly isDamaged?: true;
  /** Of a type whose values are not read: it has no figures. */
  readonly isUnread?: true;
}

/** Those of averaged weights stand beside those of the weights as they were trained. */
export type ShapeContents = (KafContents | SplineContents | FormulaContents | SurfaceContents) & OfWeights;

export interface KafContents extends KafInfo {
  /** `[channels, count]`, row by row. */
  readonly alpha: Float32Array;
  /** Absent where dictionary and bandwidth are fixed; else those above are where training starts. */
  readonly kernels?: KafKernels;
}

export interface SplineContents extends SplineInfo {
  /** The control points, `[channels, knots]`, row by row. */
  readonly alpha: Float32Array;
}

export interface FormulaContents extends FormulaInfo {
  /** The parameters, `[channels, count]`, row by row. */
  readonly alpha: Float32Array;
}

export interface SurfaceContents extends SurfaceInfo {
  /** `[channels, D, D]`, row by row. */
  readonly alpha: Float32Array;
}

/** What has become of the weights between two files: of each tensor that both have with one shape, in the order of the first. */
export interface CheckpointDifference {
  readonly file: string;
  /** That it is compared with. */
  readonly other: string;
  /** Of the other; null for a file that Kafscope did not write. */
  readonly otherOrigin: Pick<CheckpointOrigin, 'runId' | 'step' | 'epoch'> | null;
  readonly tensors: readonly TensorDifference[];
  /** How many of the first file's tensors the other lacks, or has with another shape. */
  readonly unmatched: number;
  /** The curves of the other. */
  readonly activations: readonly ShapeContents[];
}

/** Of w in the first file and w′ in the other, over the places where both are finite. */
export interface TensorDifference {
  readonly name: string;
  /** ‖w − w′‖₂ */
  readonly l2: number;
  /** ‖w − w′‖₂ / ‖w‖₂; NaN where neither has anything but zeros. */
  readonly relative: number;
  /** max |w − w′| */
  readonly largest: number;
  /** Places where one of the two is not finite. */
  readonly nonFinite: number;
  /** Counts of both in the same bins, evenly from `min` to `max`. */
  readonly min: number;
  readonly max: number;
  readonly histogram: readonly number[];
  readonly otherHistogram: readonly number[];
  /** The bytes of the other are not those that were written. */
  readonly isOtherDamaged?: true;
}

/** A part of a tensor's values, as pictures. */
export interface KernelPictures {
  readonly file: string;
  readonly tensor: string;
  /** As asked for. */
  readonly input: number;
  readonly page: number;
  /** `[count, height, width]`, row by row. */
  readonly values: Float32Array;
}
