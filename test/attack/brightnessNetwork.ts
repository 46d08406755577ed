// A network whose every answer can be had by hand: two classes, told apart by mean brightness alone.
import * as tf from '@tensorflow/tfjs-core';
import { memoryRows, splitOf } from '../../server/data/rows.ts';
import type { Dataset } from '../../server/data/split.ts';
import { multiply } from '../../server/model/linear.ts';
import type { Pass } from '../../server/model/layer.ts';
import type { Network } from '../../server/model/network.ts';
import { flatten } from '../../server/model/pooling.ts';

const nValues = 48;

/** Logits −20·(mean − 0.5) and 20·(mean − 0.5) of 4×4×3 images: class 1 is bright. Every forward pass is shown to `onLook`. */
export function brightnessNetwork(onLook: (images: Float32Array, pass: Pass) => void = () => undefined): Network {
  const slopes = Array.from({ length: 2 * nValues }, (_, index) => (index % 2 === 0 ? -20 : 20) / nValues);
  const kernel = tf.tensor2d(slopes, [nValues, 2]);
  const bias = tf.tensor1d([10, -10]);
  return {
    parameters: [],
    statistics: [],
    activations: [],
    parts: new Map(),
    before: (_, samples) => samples,
    forward: (images, pass) => {
      onLook(images.dataSync<'float32'>().slice(), pass);
      return multiply(flatten(images, pass) as tf.Tensor2D, kernel, bias, 'input');
    },
    updateStatistics: () => undefined,
    followWeights: () => undefined,
    setEpoch: () => undefined,
    dispose: () => tf.dispose([kernel, bias]),
  };
}

/** Even images of the given brightness 0…1 as a test set; labels by brightness unless given. */
export function evenImages(means: readonly number[], labels = means.map((mean) => (mean > 0.5 ? 1 : 0))): Dataset {
  const images = Uint8Array.from({ length: means.length * nValues }, (_, index) =>
    Math.round(255 * means[Math.floor(index / nValues)]!),
  );
  return {
    name: 'brightness',
    classes: ['dark', 'bright'],
    sampleShape: [4, 4, 3],
    columns: null,
    train: splitOf(memoryRows(new Uint8Array(), new Uint16Array(), nValues)),
    validation: null,
    test: splitOf(memoryRows(images, Uint16Array.from(labels), nValues)),
    close: () => Promise.resolve(),
  };
}
