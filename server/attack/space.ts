// The space in which attacks move: pictures as they are, in pixel units of [0, 1]; tables in standard deviations of each column, without a
// box. So an attack knows of neither.
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { scaleShift } from '../tensor/ops/batchNorm.ts';

export interface AttackSpace {
  /** The network, of samples in this space. */
  readonly network: Pick<Network, 'forward'>;
  /** What values a sample may have; null where any will do. */
  readonly bounds: readonly [low: number, high: number] | null;
  /** Samples as the data set has them, in this space, and back. Both give tensors of their own. */
  enter<T extends tf.Tensor>(samples: T): T;
  leave<T extends tf.Tensor>(samples: T): T;
  dispose(): void;
}

/** Of a table, z = (x − mean)/std by the columns' figures over the training samples. */
export function attackSpace(network: Network, { columns }: Pick<Dataset, 'columns'>): AttackSpace {
  if (!columns) {
    const same = <T extends tf.Tensor>(samples: T) => samples.clone();
    return { network, bounds: [0, 1], enter: same, leave: same, dispose: () => undefined };
  }
  const { mean, std } = columns;
  const [scale, shift] = [tf.tensor1d([...std]), tf.tensor1d([...mean])];
  const inverse = tf.tensor1d(std.map((value) => 1 / value));
  const back = tf.tensor1d(mean.map((value, column) => -value / std[column]!));
  return {
    network: { forward: (z, pass) => network.forward(scaleShift(z, scale, shift), pass) },
    bounds: null,
    enter: (samples) => scaleShift(samples, inverse, back),
    leave: (samples) => scaleShift(samples, scale, shift),
    dispose: () => tf.dispose([scale, shift, inverse, back]),
  };
}
