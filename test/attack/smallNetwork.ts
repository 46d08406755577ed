// A network with a hidden layer and random weights on pictures of 6×6×3, so small that every attack can be run in a test, and
// pictures that it is right about, all but two.
import * as tf from '@tensorflow/tfjs-core';
import { memoryRows, splitOf } from '../../server/data/rows.ts';
import type { Dataset } from '../../server/data/split.ts';
import { multiply } from '../../server/model/linear.ts';
import type { Network } from '../../server/model/network.ts';
import { flatten } from '../../server/model/pooling.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';
import { kaf } from '../../server/tensor/ops/kaf.ts';

export const smallShape = [6, 6, 3] as const;
export const nClasses = 5;
const [nValues, nHidden] = [108, 12];

export interface SmallNetworkOptions {
  /** What the logits are multiplied by. */
  readonly scale?: number;
  /** How far the weights of its first layer are from those of others: another network of the same kind. */
  readonly offset?: number;
  readonly onLook?: (nImages: number) => void;
}

export function smallNetwork({ scale = 1, offset = 0, onLook = () => undefined }: SmallNetworkOptions = {}): Network {
  const draw = (stream: number, n: number, width: number) =>
    uniformValues(n, -width, width, { seed: 3, stream, counter: 0 });
  const further = draw(6, nValues * nHidden, 1);
  const drawn = draw(1, nValues * nHidden, 0.6).map((value, index) => value + offset * further[index]!);
  const kernel = tf.tensor2d(drawn, [nValues, nHidden]);
  const bias = tf.tensor1d(draw(2, nHidden, 0.5));
  const alpha = tf.tensor2d(draw(5, nHidden * 5, 0.4), [nHidden, 5]);
  const last = tf.tensor2d(
    draw(3, nHidden * nClasses, 0.8).map((value) => value * scale),
    [nHidden, nClasses],
  );
  const lastBias = tf.tensor1d(draw(4, nClasses, 0.2).map((value) => value * scale));
  return {
    ...{
      parameters: [],
      statistics: [],
      activations: [],
      parts: new Map(),
      before: (_, samples) => samples,
      updateStatistics: () => undefined,
      followWeights: () => undefined,
      setEpoch: () => undefined,
    },
    forward: (images, pass) => {
      onLook(images.shape[0]);
      const sums = multiply(flatten(images, pass) as tf.Tensor2D, kernel, bias, 'input');
      const hidden = kaf(sums, alpha, { boundary: 3, gamma: 1, base: 'swish', gradients: 'input' });
      return multiply(hidden, last, lastBias, 'input');
    },
    dispose: () => tf.dispose([kernel, bias, alpha, last, lastBias]),
  };
}

/** Random pictures labelled as the network takes them, all but the last two. */
export function smallDataset(nSamples: number): Dataset {
  const values = uniformValues(nSamples * nValues, 0, 255.99, { seed: 4, stream: 1, counter: 0 });
  const images = Uint8Array.from(values);
  const network = smallNetwork();
  const labels = tf.tidy(() => {
    const x = tf.tensor4d(
      Float32Array.from(images, (value) => value / 255),
      [nSamples, ...smallShape],
    );
    const pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null } as const;
    return Uint8Array.from(tf.argMax(network.forward(x, pass), 1).dataSync());
  });
  network.dispose();
  for (let row = nSamples - 2; row < nSamples; row++) labels[row] = (labels[row]! + 1) % nClasses;
  return {
    ...{ name: 'small', classes: ['a', 'b', 'c', 'd', 'e'], sampleShape: smallShape },
    ...{ columns: null, validation: null, close: () => Promise.resolve() },
    train: splitOf(memoryRows(new Uint8Array(), new Uint16Array(), nValues)),
    test: splitOf(memoryRows(images, Uint16Array.from(labels), nValues)),
  };
}
