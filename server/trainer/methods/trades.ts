// TRADES: the loss on clean images, and how far answers move under attack.
import * as tf from '@tensorflow/tfjs-core';
import type { BatchStatistics } from '../../model/layer.ts';
import { randomStreams } from '../../model/randomStreams.ts';
import { normal } from '../../tensor/ops/random.ts';
import { divergence, weightedSum } from '../../tensor/ops/divergence.ts';
import { differentiate, disposeAnswers, withPenalties } from '../gradients.ts';
import { AttackStep } from './attackStep.ts';
import { disposeStatistics, keyOf, type MakeMethod } from './method.ts';

/**
 * Zhang et al. (2019), as in their code: x′ ← x + 0.001·N(0, I); so many times x′ ← Π(x′ + α·sign ∇ KL(f(x) ‖ f(x′))); then the weights'
 * step on ℓ(f(x), y) + β·KL(f(x) ‖ f(x′)), whose gradient goes through both answers. Accuracy is that on the clean images.
 */
export const trades: MakeMethod<'trades'> = (around, { beta, steps, noise, statistics }) => ({
  kept: new Map(),
  update: ({ images, labels }, at) => {
    const { network, space, lossOf, penalties } = around;
    let moving: BatchStatistics[][] = [];
    const [clean, attacked] = tf.tidy(() => {
      const step = new AttackStep(around, { images, labels }, at, statistics);
      moving = step.moving;
      const target = step.logits(step.clean);
      const drawn = normal(step.clean.shape, 0, noise, step.key(randomStreams.trainingAttack));
      let x: tf.Tensor = tf.add(step.clean, drawn);
      for (let t = 0; t < steps; t++) x = step.ascend(x, step.threat, (logits) => divergence(target, logits));
      return [step.clean, x];
    }) as [tf.Tensor, tf.Tensor];
    images.dispose();
    const passes: BatchStatistics[][] = [[], []];
    // Of both passes the same units are dropped, so that answers differ by the attack alone.
    const key = keyOf(around, randomStreams.dropout, at);
    const forward = (x: tf.Tensor, batchStatistics: BatchStatistics[]) =>
      space.network.forward(x, { mode: 'training', key, gradients: 'all', batchStatistics });
    const { losses, answers, ofParameters } = differentiate(network, labels, (keep) => {
      const logits = keep(forward(clean, passes[0]!));
      const underAttack = forward(attacked, passes[1]!);
      return weightedSum(lossOf(logits, labels), divergence(logits, underAttack), beta);
    });
    tf.dispose([clean, attacked]);
    const said = { losses, answers: answers!, labels };
    const gradients = withPenalties(network, ofParameters, penalties);
    const batchStatistics = [...moving, ...passes];
    return {
      ...{ said, gradients, batchStatistics },
      dispose: () => {
        disposeAnswers(said);
        disposeStatistics(batchStatistics);
        tf.dispose([...gradients]);
      },
    };
  },
});
