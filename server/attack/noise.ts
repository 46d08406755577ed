// Uniform noise: what falls without any thought. No attack to judge a network by, but a floor under all others.
import type * as tf from '@tensorflow/tfjs-core';
import type { Attack } from './attack.ts';
import { startInBall } from './ball.ts';

/** Draws points of the ball, one after the other; an image falls at the first that the network is wrong about. */
export const noise: Attack<'noise'> = function* (trial, plan) {
  const { norm, epsilon, draws } = plan;
  const state = trial.hold<Record<string, tf.Tensor>>({});
  yield;
  for (let draw = 0; draw < draws; draw++) {
    const x = startInBall(trial, { norm, epsilon }, draw);
    state.replace({ x });
    trial.drop(x, trial.target.logits(x));
    yield;
  }
};
