// The activation layers of a plan.
import type * as tf from '@tensorflow/tfjs-core';
import type { ActivationPlan, KafPlan } from '../protocol/plan.ts';
import type { KafInfo } from '../protocol/records.ts';
import { elu, relu, swish } from '../tensor/ops/activation.ts';
import { kaf } from '../tensor/ops/kaf.ts';
import type { Layer } from './layer.ts';
import type { Initializer, ParameterMaker } from './parameters.ts';
import { dictionaryElements, fitRidge, ridgeTargets } from './ridge.ts';

export interface ActivationLayer {
  readonly apply: Layer;
  /** Null for an activation without coefficients. */
  readonly info: KafInfo | null;
}

/** The `number`-th activation layer (1, 2, …) of a network, over the last axis of `channels`. */
export function makeActivation(
  plan: ActivationPlan,
  { number, channels, maker }: { number: number; channels: number; maker: ParameterMaker },
): ActivationLayer {
  switch (plan.type) {
    case 'relu':
      return { apply: (x) => relu(x), info: null };
    case 'elu':
      return { apply: (x) => elu(x, plan.alpha), info: null };
    case 'swish':
      return { apply: (x) => swish(x), info: null };
    case 'kaf':
    case 'residual-kaf':
      return makeKaf(plan, { layer: `kaf${number}`, channels, maker });
    default:
      return plan satisfies never;
  }
}

function makeKaf(
  plan: KafPlan,
  { layer, channels, maker }: { layer: string; channels: number; maker: ParameterMaker },
): ActivationLayer {
  const { dictionary, boundary, gamma } = plan;
  const base = plan.type === 'residual-kaf' ? 'swish' : 'none';
  const alpha: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'alpha', [channels, dictionary], kafInitializer(plan));
  return {
    apply: (x, { gradients }) => kaf(x, alpha, { boundary, gamma, base, gradients }),
    info: {
      layer,
      channels,
      dictionary: [...dictionaryElements({ size: dictionary, boundary, gamma })],
      gamma,
      base,
    },
  };
}

/** A ridge fit aims at what the whole function should be: with a base, at the target minus the base. */
export function kafInitializer({ type, dictionary, boundary, gamma, init }: KafPlan): Initializer {
  if (init.type === 'normal') return { type: 'normal', std: init.std };
  const target = ridgeTargets[init.target];
  const base = type === 'residual-kaf' ? ridgeTargets.swish : () => 0;
  return {
    type: 'rows',
    row: fitRidge({ size: dictionary, boundary, gamma }, (x) => target(x) - base(x), init.epsilon),
  };
}
