// One pass forward and back: what a batch says of the weights. Applying it is the training loop's.
import * as tf from '@tensorflow/tfjs-core';
import { areCorrect, countTrue } from '../attack/predictions.ts';
import type { Batch } from '../data/batches.ts';
import type { BatchStatistics } from '../model/layer.ts';
import type { ModelPlan } from '../protocol/plan.ts';
import type { Network } from '../model/network.ts';
import type { Parameter } from '../model/parameters.ts';
import { trainingLosses, type TrainingLoss } from '../tensor/ops/trainingLoss.ts';
import { releaseTape } from '../tensor/releaseTape.ts';
import type { RandomKey } from '../tensor/ops/random.ts';
import { beginFloats, beginIntegers, type Reading } from '../tensor/read.ts';

/** What a batch says of the network, on the device. Owned. */
export interface BatchAnswers {
  /** `[batch]`, of cross-entropy in nats, without the penalty. */
  readonly losses: tf.Tensor1D;
  /** Logits of which the accuracy is taken, and the labels of their rows. */
  readonly answers: tf.Tensor2D;
  readonly labels: tf.Tensor1D;
}

export interface BatchFigures {
  /** Mean loss. */
  readonly loss: number;
  /** The share of rows whose largest logit is the label's. */
  readonly accuracy: number;
}

/** Gradients in the order of the network's parameters, and the batch's statistics. Owned: dispose after the update. */
export interface BatchGradients {
  readonly said: BatchAnswers;
  readonly gradients: readonly tf.Tensor[];
  readonly batchStatistics: readonly BatchStatistics[];
  dispose(): void;
}

/** λ of the penalty λ·Σw² on the kernels, by the layers that they belong to, and those of the coefficients of KAFs. */
export type Penalties = Readonly<Record<NonNullable<Parameter['kernelOf']>, number>> &
  Pick<ModelPlan, 'alphaL1' | 'alphaL2'> & {
    /** λ of λ/2·Σσ², σ the largest singular value of each kernel. */
    readonly spectral?: number;
  };

export function penaltiesOf(model: ModelPlan): Penalties {
  const { denseL2, convolutionL2, alphaL1 = 0, alphaL2 = 0, spectralNorm } = model;
  const spectral = spectralNorm?.type === 'penalty' ? spectralNorm.lambda : 0;
  return { dense: denseL2, convolution: convolutionL2, alphaL1, alphaL2, spectral };
}

/** Gradients of the mean loss (cross-entropy where none is named) plus the penalties. */
export function computeGradients(
  network: Network,
  { images, labels }: Batch,
  {
    key,
    penalties,
    lossOf = trainingLosses['cross-entropy'],
  }: { readonly key: RandomKey; readonly penalties: Penalties; readonly lossOf?: TrainingLoss },
): BatchGradients {
  const batchStatistics: BatchStatistics[] = [];
  const pass = { mode: 'training', key, gradients: 'all', batchStatistics } as const;
  const { losses, answers, ofParameters } = differentiate(network, labels, (keep) => {
    const logits = keep(network.forward(images, pass));
    return lossOf(logits, labels);
  });
  const gradients = withPenalties(network, ofParameters, penalties);
  const said = { losses, answers: answers!, labels: labels.clone() };
  return {
    ...{ said, gradients, batchStatistics },
    dispose: () => {
      disposeAnswers(said);
      tf.dispose([...gradients, ...batchStatistics.flatMap(({ mean, variance }) => [mean, variance])]);
    },
  };
}

export interface Differentiation {
  /** `[batch]`. The caller disposes. */
  readonly losses: tf.Tensor1D;
  /** The last logits that were kept; none where none were. The caller disposes. */
  readonly answers: tf.Tensor2D | null;
  /** In the order of the network's parameters, without penalties. The caller disposes. */
  readonly ofParameters: readonly tf.Tensor[];
  /** With respect to `input`, where there is one. The caller disposes. */
  readonly ofInput: tf.Tensor | null;
}

interface DifferentiateOptions {
  /** Of each sample's loss; 1/batch where none is given. */
  readonly weights?: tf.Tensor1D;
  /** Differentiated beside the parameters; the passes must say so (`differentiatesInput`). */
  readonly input?: tf.Tensor;
}

/**
 * ∇ Σ weight·loss with respect to every parameter of the network, of losses `[batch]` that any number of passes make.
 * @param lossesOf is given what keeps the logits that the accuracy is taken of
 */
export function differentiate(
  { parameters }: Pick<Network, 'parameters'>,
  labels: tf.Tensor1D,
  lossesOf: (keep: (logits: tf.Tensor2D) => tf.Tensor2D) => tf.Tensor1D,
  { weights, input }: DifferentiateOptions = {},
): Differentiation {
  // Of kernels that are divided by σ the layers see the quotients.
  const variables: tf.Tensor[] = parameters.map(({ variable, spectrum }) => spectrum?.divided ?? variable);
  let answers: tf.Tensor2D | null = null;
  const keep = (logits: tf.Tensor2D): tf.Tensor2D => (answers = tf.keep(logits));
  const { value, grads } = tf.tidy(() =>
    tf.valueAndGrads(() => {
      const losses = lossesOf(keep);
      releaseTape();
      return losses;
    })([...variables, ...(input ? [input] : [])], weights ?? tf.fill(labels.shape, 1 / labels.size)),
  );
  const ofInput = input ? grads.at(-1)! : null;
  const ofParameters = parameters.map(({ spectrum }, index) => spectrum?.throughSigma(grads[index]!) ?? grads[index]!);
  return { losses: value as tf.Tensor1D, answers, ofParameters, ofInput };
}

/** Asks for the figures as they are now. */
export function beginFigures({ losses, answers, labels }: BatchAnswers): Reading<BatchFigures> {
  const [readLosses, readLogits, readLabels] = [beginFloats(losses), beginFloats(answers), beginIntegers(labels)];
  return () => {
    const of = readLabels();
    return { loss: average(readLosses()), accuracy: countTrue(areCorrect(readLogits(), of)) / of.length };
  };
}

export function disposeAnswers({ losses, answers, labels }: BatchAnswers): void {
  tf.dispose([losses, answers, labels]);
}

/** The gradients with those of the penalties, in their place. */
export function withPenalties(
  { parameters }: Pick<Network, 'parameters'>,
  gradients: readonly tf.Tensor[],
  penalties: Penalties,
): tf.Tensor[] {
  return parameters.map((parameter, index) => penalized(gradients[index]!, parameter, penalties));
}

/** The gradient with those of the penalties, in its place; λ·Σ|α| has the slope 0 at 0. */
function penalized(
  gradient: tf.Tensor,
  { variable, kernelOf, quantity, spectrum }: Parameter,
  penalties: Penalties,
): tf.Tensor {
  const isAlpha = quantity === 'alpha';
  const l2 = isAlpha ? (penalties.alphaL2 ?? 0) : kernelOf ? penalties[kernelOf] : 0;
  const l1 = isAlpha ? (penalties.alphaL1 ?? 0) : 0;
  const { spectral = 0 } = penalties;
  if (l1 === 0 && l2 === 0 && !(spectrum && spectral > 0)) return gradient;
  const sum = tf.tidy(() => {
    const withSigma = spectrum && spectral > 0 ? tf.add(gradient, spectrum.penaltyGradient(spectral)) : gradient;
    const withSquares = l2 === 0 ? withSigma : tf.add(withSigma, tf.mul(variable, 2 * l2));
    return l1 === 0 ? withSquares : tf.add(withSquares, tf.mul(tf.sign(variable), l1));
  });
  gradient.dispose();
  return sum;
}

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum / values.length;
}
