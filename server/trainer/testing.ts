// Accuracy on the held-out images during training. Whole evaluations with their records are in evaluate.ts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { evaluateAttack } from '../attack/evaluation.ts';
import { countTrue, readCorrect } from '../attack/predictions.ts';
import { consecutive, makeBatch } from '../data/batches.ts';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { completeEvaluation } from '../protocol/evaluationPlan.ts';
import type { Plan } from '../protocol/plan.ts';
import type { TestRecord } from '../protocol/records.ts';
import { softmaxCrossEntropy } from '../tensor/ops/crossEntropy.ts';

/**
 * Loss and accuracy on all test images; with `observe.robustSamples`, also under PGD of one restart and `observe.robustSteps`
 * steps of ε/4 (2/255 at 8/255) at the training threat's ε.
 * @returns null where the signal aborted on the way
 */
export async function testNetwork(
  network: Network,
  dataset: Dataset,
  plan: Plan,
  signal: AbortSignal,
): Promise<Omit<TestRecord, 'type' | 'step' | 'epoch'> | null> {
  const { nSamples } = dataset.test;
  const { batchSize } = plan.training;
  let lossSum = 0;
  let nCorrect = 0;
  for (let first = 0; first < nSamples; first += batchSize) {
    await nextTurn();
    if (signal.aborted) return null;
    const tested = testBatch(network, dataset, first, Math.min(batchSize, nSamples - first));
    lossSum += tested.lossSum;
    nCorrect += tested.nCorrect;
  }
  const robust = await testRobustness(network, dataset, plan, signal);
  if (!robust) return null;
  return { loss: lossSum / nSamples, accuracy: nCorrect / nSamples, samples: nSamples, ...robust };
}

function testBatch(
  network: Network,
  dataset: Dataset,
  first: number,
  count: number,
): { lossSum: number; nCorrect: number } {
  return tf.tidy(() => {
    const { images, labels } = makeBatch(dataset.test, consecutive(first, count), dataset.imageShape);
    const logits = network.forward(images, { mode: 'inference', key: null, gradients: 'input', batchStatistics: null });
    const losses = softmaxCrossEntropy(logits, labels).dataSync<'float32'>();
    return {
      lossSum: losses.reduce((sum, loss) => sum + loss, 0),
      nCorrect: countTrue(readCorrect(logits, labels.dataSync<'int32'>())),
    };
  });
}

async function testRobustness(
  network: Network,
  dataset: Dataset,
  { seed, training, observe }: Plan,
  signal: AbortSignal,
): Promise<Pick<TestRecord, 'robustAccuracy' | 'robustSamples'> | null> {
  if (observe.robustSamples === 0) return { robustAccuracy: null, robustSamples: 0 };
  const context = { trainedEpsilon: training.threat?.epsilon ?? null, testSamples: dataset.test.nSamples };
  const given = { steps: observe.robustSteps, restarts: 1, loss: 'cross-entropy' };
  const size = { samples: observe.robustSamples, batchSize: training.batchSize };
  const evaluation = completeEvaluation('pgd', { ...given, ...size }, context);
  const attack = evaluateAttack(network, dataset, evaluation, { seed, signal });
  for (;;) {
    const { value, done } = await attack.next();
    if (!done) continue;
    return value.isPartial ? null : { robustAccuracy: value.robust / value.samples, robustSamples: value.samples };
  }
}
