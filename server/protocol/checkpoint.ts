// What the checkpoint inspector shows of a `.safetensors` file.
import type { Plan } from './plan.ts';
import type { FormulaInfo, KafInfo, KafKernels, SplineInfo, SurfaceInfo } from './records.ts';

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
}

export type ShapeContents = KafContents | SplineContents | FormulaContents | SurfaceContents;

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
