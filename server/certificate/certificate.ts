// What a certificate is: for each image of a batch a radius up to which no perturbation fools the network.
import type * as tf from '@tensorflow/tfjs-core';
import type { Target } from '../attack/target.ts';
import type { CertificateName, PlanOfCertificate } from '../protocol/certificateTable.ts';
import type { LayerBound } from '../protocol/records.ts';
import type { Network } from '../model/network.ts';
import type { LayerLayout } from '../network/layout.ts';

/** The network to be certified. */
export interface Subject {
  /** In the space that perturbations are measured in. */
  readonly target: Target;
  readonly network: Network;
  readonly layouts: readonly LayerLayout[];
  /** Of the network's first layer, (x − mean)/std by channel, and of the space, x·scale + shift; null for none. */
  readonly normalization: Affine | null;
  /** What values a sample may have; null where any will do. */
  readonly bounds: readonly [low: number, high: number] | null;
  /** Done before the weights were as they are, for layers that change in training. */
  readonly epoch: number;
  /** The run's and the plan's. */
  readonly seed: number;
}

/** x ↦ scale·x + shift, by channel or column. */
export interface Affine {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

export interface CertifiedBatch {
  /** `[n, …]`; stays the caller's. */
  readonly images: tf.Tensor;
  readonly labels: Int32Array;
  /** Logits `[n · classes]` of the images as they are. */
  readonly logits: Float32Array;
  /** Position of the first in the test set. */
  readonly first: number;
}

/** What is known of a batch; filled in from its first image on. */
export interface Verdicts {
  /** Images that are done. */
  nDone: number;
  /** ‖δ‖ up to which nothing fools; 0 for what is wrong or abstained from. */
  readonly radii: Float64Array;
  /** By image, as the records have them: 0 wrong, 1 not certified at ε, 2 certified, 3 abstained from. */
  readonly outcomes: Uint8Array;
}

export interface Certifier {
  /** Images of a batch, behind which an evaluation that is interrupted goes on. */
  readonly batchSize: number;
  /** What is known of the network's layers, whatever the image; empty where nothing is. */
  readonly layers: readonly LayerBound[];
  /** Yields often, so that whoever pulls can stop and tell how far it is. */
  certify(batch: CertifiedBatch, verdicts: Verdicts): Generator<void, void, void>;
  dispose(): void;
}

/** Yields while it looks at the network, which may take a while: what it knows of its layers so far. */
export type Certificate<C extends CertificateName> = (
  subject: Subject,
  plan: PlanOfCertificate<C>,
) => Generator<readonly LayerBound[], Certifier, void>;

/** The outcome of an image that the network is right about. */
export function outcomeOf(radius: number, epsilon: number): 1 | 2 {
  // As whoever reads the records will see it, which have float32.
  return Math.fround(radius) > epsilon ? 2 : 1;
}
