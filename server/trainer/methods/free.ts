// Free adversarial training: one pass moves the weights and the perturbation.
import * as tf from '@tensorflow/tfjs-core';
import { stepLinf } from '../../attack/ball.ts';
import type { BatchStatistics } from '../../model/layer.ts';
import { randomStreams } from '../../model/randomStreams.ts';
import { differentiate, disposeAnswers, withPenalties } from '../gradients.ts';
import { disposeStatistics, keyOf, type MakeMethod } from './method.ts';

/**
 * Shafahi et al. (2019), algorithm 1, one of the m updates on a batch: g_θ = ∇_θ ℓ(f(x + δ), y) and g = ∇ₓ ℓ(f(x + δ), y) of one pass;
 * δ ← clip(δ + α·sign g, −ε, ε), which the next batch begins with. x + δ is brought back into [0, 1] after each step, as in the code
 * of Wong et al. (2020); a smaller last batch takes and moves the first of δ. That a batch comes m times is the loop's business.
 */
export const free: MakeMethod<'free'> = (around) => {
  const { network, space, threat, batchSize, sampleShape, lossOf, penalties, attackGradients } = around;
  const delta = tf.tidy(() => tf.variable(tf.zeros([batchSize, ...sampleShape]), false));
  return {
    kept: new Map([['delta', delta]]),
    update: ({ images, labels }, at) => {
      const nRows = labels.size;
      const batchStatistics: BatchStatistics[] = [];
      const [clean, x] = tf.tidy(() => {
        const entered = space.enter<tf.Tensor>(images);
        return [entered, tf.add(entered, tf.slice(delta, 0, nRows))];
      }) as [tf.Tensor, tf.Tensor];
      const key = keyOf(around, randomStreams.dropout, at);
      const pass = { mode: 'training', key, gradients: 'all', differentiatesInput: true, batchStatistics } as const;
      const { losses, answers, ofParameters, ofInput } = differentiate(
        network,
        labels,
        (keep) => lossOf(keep(space.network.forward(x, pass)), labels),
        { input: x },
      );
      // Of the mean of the images' losses, where other attacks take that of their sum.
      if (attackGradients?.isWanted) {
        const ofSum = tf.mul(ofInput!, nRows);
        attackGradients.see(ofSum);
        ofSum.dispose();
      }
      const next = tf.tidy(() => {
        const moved = stepLinf(x, clean, ofInput!, { ...threat!, bounds: space.bounds });
        const own = tf.sub(moved, clean);
        return nRows === batchSize ? own : tf.concat([own, tf.slice(delta, nRows)], 0);
      });
      tf.dispose([images, clean, x, ofInput!]);
      const said = { losses, answers: answers!, labels };
      const gradients = withPenalties(network, ofParameters, penalties);
      return {
        ...{ said, gradients, batchStatistics: [batchStatistics], kept: [[delta, next]] },
        dispose: () => {
          disposeAnswers(said);
          disposeStatistics([batchStatistics]);
          tf.dispose([...gradients, next]);
        },
      };
    },
  };
};
