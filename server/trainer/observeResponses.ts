// How a network's activation functions answer to the first test images as they are, and to the same images attacked as tests attack them.
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { stepInBall } from '../attack/ball.ts';
import { inputGradient } from '../attack/inputGradient.ts';
import { attackSpace, type AttackSpace } from '../attack/space.ts';
import { consecutive, makeBatch } from '../data/batches.ts';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { beginResponses } from '../probe/responses.ts';
import { epsilonText, testAttack } from '../protocol/attackFigures.ts';
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import type { Plan } from '../protocol/plan.ts';
import type { ResponsesRecord } from '../protocol/records.ts';
import { trainingLosses } from '../tensor/ops/trainingLoss.ts';

/**
 * Short, so it is never broken off: PGD of `observe.robustSteps` steps from the image itself, at the training's threat, on
 * `observe.shiftSamples` images; then one pass over both. Every image is attacked to the end, whether it fools or not.
 */
export async function observeResponses(
  network: Network,
  dataset: Dataset,
  plan: Plan,
): Promise<Omit<ResponsesRecord, 'type' | 'step'>> {
  const samples = Math.min(plan.observe.shiftSamples, dataset.test.nSamples);
  const attack = testAttack(plan, { samples }) as PlanOfAttack<'pgd'>;
  const { images, labels } = makeBatch(await dataset.test.read(consecutive(0, samples)), dataset.sampleShape);
  const space = attackSpace(network, dataset);
  const attacked = await perturb(
    space,
    { images, labels },
    attack,
    trainingLosses[plan.training.loss ?? 'cross-entropy'],
  );
  const layers = beginResponses(network, [images, attacked])();
  space.dispose();
  tf.dispose([images, labels, attacked]);
  return { samples, attack: `PGD-${String(attack.steps)} ${epsilonText(attack)}`, layers };
}

async function perturb(
  space: AttackSpace,
  { images, labels }: { readonly images: tf.Tensor; readonly labels: tf.Tensor1D },
  attack: PlanOfAttack<'pgd'>,
  lossOf: (typeof trainingLosses)['cross-entropy'],
): Promise<tf.Tensor> {
  const clean = space.enter(images);
  let x = clean.clone();
  for (let step = 0; step < attack.steps; step++) {
    await nextTurn();
    const next = tf.tidy(() => {
      const inference = { mode: 'inference', key: null } as const;
      const { gradient } = inputGradient(space.network, x, (logits) => lossOf(logits, labels), inference);
      return stepInBall({ clean, bounds: space.bounds }, attack, { x, gradient, stepSize: attack.stepSize });
    });
    x.dispose();
    x = next;
  }
  const attacked = space.leave(x);
  tf.dispose([clean, x]);
  return attacked;
}
