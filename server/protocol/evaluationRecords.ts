// What an evaluation says of itself: its beginning, its counts as it goes on, and what it came to.
import type { EvaluationPlan } from './evaluationPlan.ts';

/** Which weights a figure is of where it is not of those that are trained: their moving average. */
export interface OfWeights {
  readonly weights?: 'average';
}

export interface EvaluationStartedRecord extends OfWeights {
  readonly type: 'evaluationStarted';
  /** 1, 2, … within the run. */
  readonly evaluation: number;
  readonly plan: EvaluationPlan;
  /** Step of the weights attacked. */
  readonly step: number;
  readonly samples: number;
  /** Images that were done before it was interrupted, where it goes on; the same number then comes again. */
  readonly from?: number;
  /** Which weights images are made on, where they are other networks'; in the order of `surrogatePlaces`. */
  readonly surrogates?: readonly SurrogateOrigin[];
}

/** Weights by their run and step, and by a digest of all of them. */
export interface SurrogateOrigin {
  readonly runId: string;
  readonly step: number;
  readonly digest: string;
}

/** Images that went through the network, forwards and backwards; the images as they are among them. */
export interface Passes {
  readonly forward: number;
  readonly backward: number;
}

/** Counts so far, over the batches attacked so far, after one stage of the attack on one more batch. */
export interface AttackProgressRecord {
  readonly type: 'attackProgress';
  readonly evaluation: number;
  /** 0-based position of the stage (`stagesOf` of evaluationPlan.ts): for PGD a restart. */
  readonly restart: number;
  /** Images seen by this stage so far. */
  readonly samples: number;
  /**
   * `robust[s]`: images among `samples` that are right clean and still stand after points 0…s of this stage and all of
   * the stages before; index 0 is the start, so its length is steps + 1. A long stage tells in its midst too: what it has
   * not come to is then what stands.
   */
  readonly robust: Int32Array;
  /** Of `samples`, right as they are. Absent in records of version 0.1, as are the others below. */
  readonly clean?: number;
  readonly passes?: Passes;
  /**
   * Of attacks that look for the nearest: by image, the smallest distance at which it was fooled so far; 0 for those that are
   * wrong as they are, Infinity for those that were not fooled. Of certificates: the distance up to which nothing fools it.
   */
  readonly distances?: Float32Array;
  /**
   * With the last stage of a batch, which is then done (an evaluation that is interrupted goes on behind it): by image of the batch 0
   * (wrong as it is), 1 (fooled within the plan's ε, or not certified up to it), 2 (stands) or 3 (a certificate abstains).
   */
  readonly outcomes?: Uint8Array;
  /** By the protocol of the thesis; where the plan asks for it. */
  readonly thesis?: ThesisCounts;
  /** What a certificate knows of the network's layers, in the order of the forward pass. */
  readonly layers?: readonly LayerBound[];
  /** Of a detector: with each batch, an entry for each attack. */
  readonly detections?: readonly Detection[];
}

/** What a detector says of the images so far that the network is right about, and of what fooled it in one attack. */
export interface Detection {
  /** For example `PGD-50-10 8/255`. */
  readonly against: string;
  /** Higher the more an image looks attacked. */
  readonly clean: Float32Array;
  readonly attacked: Float32Array;
}

/** By how much a layer can lengthen a difference between two inputs, at most. */
export interface LayerBound {
  readonly layer: string;
  /** For example `convolution`. */
  readonly kind: string;
  readonly bound: number;
  /** Of the network from its input to the layer's output, as far as it is one way; of ways side by side of each way alone. */
  readonly product: number;
}

/** Of `samples`, if the attack had ended after points 0…s of this stage: what the thesis's toolbox counted. */
export interface ThesisCounts {
  /** Images whose true class the network says, also of those that it was wrong about as they were. */
  readonly right: Int32Array;
  /** Images of which the network says another class than it said of the image as it was. */
  readonly fooled: Int32Array;
}

export interface EvaluationFinishedRecord {
  readonly type: 'evaluationFinished';
  readonly evaluation: number;
  readonly samples: number;
  readonly clean: Proportion;
  readonly robust: Proportion;
  /** By the protocol of the thesis; where the plan asks for it. */
  readonly thesis?: Proportion;
  /** Absent in records of version 0.1. */
  readonly passes?: Passes;
  /** Images that a certificate abstains from. */
  readonly abstained?: number;
  /** What makes the figures doubtful, none of it where this is empty; absent where nothing was audited. */
  readonly audit?: readonly AuditFlag[];
  /** True when it was stopped before all images were attacked; the figures hold for the `samples` done. */
  readonly isPartial: boolean;
}

/** A finding of the audit of an evaluation (server/attack/audit). */
export interface AuditFlag {
  /** For example `zero-gradients`. */
  readonly flag: string;
  /** What was measured, in figures: a sentence. */
  readonly measured: string;
  readonly means: string;
  /** What to run or change next. */
  readonly next: string;
}

/** A proportion with its Wilson 95 % interval (Wilson 1927). */
export interface Proportion {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}
