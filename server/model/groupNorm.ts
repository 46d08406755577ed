// The layers that normalise each sample by itself. The op itself is in server/tensor/ops.
import type * as tf from '@tensorflow/tfjs-core';
import { groupNorm } from '../tensor/ops/groupNorm.ts';
import type { Layer } from './layer.ts';
import type { ParameterMaker } from './parameters.ts';

/** Wu & He's, and PyTorch's. */
const epsilon = 1e-5;

/** With one group it is layer normalisation. */
export function makeGroupNorm(layer: string, channels: number, groups: number, maker: ParameterMaker): Layer {
  const gamma = maker.make<tf.Rank.R1>(layer, 'gamma', [channels], { type: 'constant', value: 1 });
  const beta = maker.make<tf.Rank.R1>(layer, 'beta', [channels], { type: 'constant', value: 0 });
  return (x) => groupNorm(x, gamma, beta, { groups, epsilon });
}
