// Accuracy on the held-out images during training. Whole evaluations with their records are in evaluate.ts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { evaluateAttack } from '../attack/evaluation.ts';
import { countTrue, readCorrect } from '../attack/predictions.ts';
import { consecutiveBatches, makeBatch, readAhead } from '../data/batches.ts';
import type { Dataset, Samples, Split } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { testAttack } from '../protocol/attackFigures.ts';
import type { Plan } from '../protocol/plan.ts';
import type { TestRecord, ValidationFigures } from '../protocol/records.ts';
import { trainingLosses, type TrainingLoss } from '../tensor/ops/trainingLoss.ts';
import { readFloats, readIntegers } from '../tensor/read.ts';
import { areaUnderCurve } from './auc.ts';

/**
 * Loss and accuracy on all test samples and on those kept back, with the area under the curve of two classes; with `observe.robustSamples`, also under PGD of one restart and `observe.robustSteps`
 * steps of ε/4 (2/255 at 8/255) at the training threat's ε; so are those kept back where the plan chooses by it.
 * @returns null where the signal aborted on the way
 */
export async function testNetwork(
  network: Network,
  dataset: Dataset,
  plan: Plan,
  signal: AbortSignal,
): Promise<Omit<TestRecord, 'type' | 'step' | 'epoch'> | null> {
  const clean = await testSplit(network, dataset, dataset.test, plan, signal);
  if (!clean) return null;
  const validation = dataset.validation && (await testSplit(network, dataset, dataset.validation, plan, signal));
  if (dataset.validation && !validation) return null;
  const robust = await testRobustness(network, dataset, plan, signal);
  if (!robust) return null;
  const tested = { ...clean, ...robust };
  if (!dataset.validation || !validation) return tested;
  if (plan.training.chooseBy !== 'robustAccuracy') return { ...tested, validation };
  const held = await testRobustness(network, { ...dataset, test: dataset.validation }, plan, signal);
  if (!held) return null;
  const { robustAccuracy, robustSamples } = held;
  return { ...tested, validation: { ...validation, robustAccuracy: robustAccuracy ?? Number.NaN, robustSamples } };
}

/** All samples of a split, as they are. */
async function testSplit(
  network: Network,
  { classes, sampleShape }: Dataset,
  split: Split,
  { training: { batchSize, loss = 'cross-entropy' } }: Plan,
  signal: AbortSignal,
): Promise<ValidationFigures | null> {
  const { nSamples } = split;
  const scores = classes.length === 2 ? new Float64Array(nSamples) : null;
  const seen = new Int32Array(nSamples);
  let nSeen = 0;
  let lossSum = 0;
  let nCorrect = 0;
  for await (const samples of readAhead(split, consecutiveBatches(nSamples, batchSize))) {
    await nextTurn();
    if (signal.aborted) return null;
    const tested = testBatch(network, samples, sampleShape, trainingLosses[loss]);
    lossSum += tested.lossSum;
    nCorrect += tested.nCorrect;
    seen.set(samples.labels, nSeen);
    for (let row = 0; scores && row < samples.labels.length; row++) {
      scores[nSeen + row] = tested.logits[2 * row + 1]! - tested.logits[2 * row]!;
    }
    nSeen += samples.labels.length;
  }
  const figures = { loss: lossSum / nSamples, accuracy: nCorrect / nSamples, samples: nSamples };
  return scores ? { ...figures, auc: areaUnderCurve(scores, seen) } : figures;
}

function testBatch(
  network: Network,
  samples: Samples,
  sampleShape: Dataset['sampleShape'],
  lossOf: TrainingLoss,
): { lossSum: number; nCorrect: number; logits: Float32Array } {
  return tf.tidy(() => {
    const { images, labels } = makeBatch(samples, sampleShape);
    const logits = network.forward(images, { mode: 'inference', key: null, gradients: 'input', batchStatistics: null });
    const losses = readFloats(lossOf(logits, labels));
    return {
      lossSum: losses.reduce((sum, loss) => sum + loss, 0),
      nCorrect: countTrue(readCorrect(logits, readIntegers(labels))),
      logits: readFloats(logits),
    };
  });
}

async function testRobustness(
  network: Network,
  dataset: Dataset,
  plan: Plan,
  signal: AbortSignal,
): Promise<Pick<TestRecord, 'robustAccuracy' | 'robustSamples'> | null> {
  const samples = Math.min(plan.observe.robustSamples, dataset.test.nSamples);
  if (samples === 0) return { robustAccuracy: null, robustSamples: 0 };
  const attack = evaluateAttack(network, dataset, testAttack(plan, { samples }), { seed: plan.seed, signal });
  for (;;) {
    const { value, done } = await attack.next();
    if (!done) continue;
    return value.isPartial ? null : { robustAccuracy: value.robust / value.samples, robustSamples: value.samples };
  }
}
