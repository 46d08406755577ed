// One pass forward and back: what a batch says of the weights. Applying it is the training loop's.
import * as tf from '@tensorflow/tfjs-core';
import { countTrue, readCorrect } from '../attack/predictions.ts';
import type { Batch } from '../data/batches.ts';
import type { BatchStatistics } from '../model/layer.ts';
import type { ModelPlan } from '../protocol/plan.ts';
import type { Network } from '../model/network.ts';
import type { Parameter } from '../model/parameters.ts';
import { trainingLosses, type TrainingLoss } from '../tensor/ops/trainingLoss.ts';
import { releaseTape } from '../tensor/releaseTape.ts';
import type { RandomKey } from '../tensor/ops/random.ts';

/** Gradients in the order of the network's parameters, and the batch's statistics. Owned: dispose after the update. */
export interface BatchGradients {
  /** Mean loss (of cross-entropy in nats), without the penalty. */
  readonly loss: number;
  readonly accuracy: number;
  readonly gradients: readonly tf.Tensor[];
  readonly batchStatistics: readonly BatchStatistics[];
  dispose(): void;
}

/** λ of the penalty λ·Σw² on the kernels, by the layers that they belong to, and those of the coefficients of KAFs. */
type Penalties = Readonly<Record<NonNullable<Parameter['kernelOf']>, number>> & Pick<ModelPlan, 'alphaL1' | 'alphaL2'>;

export function penaltiesOf({ denseL2, convolutionL2, alphaL1 = 0, alphaL2 = 0 }: ModelPlan): Penalties {
  return { dense: denseL2, convolution: convolutionL2, alphaL1, alphaL2 };
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
  const variables = network.parameters.map(({ variable }) => variable);
  let logits: tf.Tensor2D | null = null;
  const { value: losses, grads } = tf.tidy(() =>
    tf.valueAndGrads(() => {
      logits = tf.keep(network.forward(images, { mode: 'training', key, gradients: 'all', batchStatistics }));
      const losses = lossOf(logits, labels);
      releaseTape();
      return losses;
    })(variables, tf.fill(labels.shape, 1 / labels.size)),
  );
  const loss = average(losses.dataSync());
  const accuracy = countTrue(readCorrect(logits!, labels.dataSync<'int32'>())) / labels.size;
  tf.dispose([losses, logits!]);
  const gradients = network.parameters.map((parameter, index) => penalized(grads[index]!, parameter, penalties));
  return {
    loss,
    accuracy,
    gradients,
    batchStatistics,
    dispose: () => tf.dispose([...gradients, ...batchStatistics.flatMap(({ mean, variance }) => [mean, variance])]),
  };
}

/** The gradient with those of the penalties, in its place; λ·Σ|α| has the slope 0 at 0. */
function penalized(gradient: tf.Tensor, { variable, kernelOf, quantity }: Parameter, penalties: Penalties): tf.Tensor {
  const isAlpha = quantity === 'alpha';
  const l2 = isAlpha ? (penalties.alphaL2 ?? 0) : kernelOf ? penalties[kernelOf] : 0;
  const l1 = isAlpha ? (penalties.alphaL1 ?? 0) : 0;
  if (l1 === 0 && l2 === 0) return gradient;
  const sum = tf.tidy(() => {
    const withSquares = l2 === 0 ? gradient : tf.add(gradient, tf.mul(variable, 2 * l2));
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
