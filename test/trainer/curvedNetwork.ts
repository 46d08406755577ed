// A network of three classes on samples of two values, so small that what it answers and its gradients can be computed beside it.
import * as tf from '@tensorflow/tfjs-core';
import type { ColumnFigures, Dataset, Split } from '../../server/data/split.ts';
import type { Pass } from '../../server/model/layer.ts';
import type { Network } from '../../server/model/network.ts';

/** Of each class: the logit is a·(x₀ − 1/2)² + b·x₁ + c. */
const classes = [
  [4, 0.3, 0],
  [0, 0.1, 0.004],
  [-1, 0.2, -1],
] as const;

export interface CurvedNetworkOptions {
  /** 0 makes all gradients 0. */
  readonly scale?: number;
  /** What it is asked. */
  readonly onLook?: (samples: tf.Tensor, pass: Pass) => void;
}

export function curvedNetwork({ scale = 1, onLook = () => undefined }: CurvedNetworkOptions = {}): Network {
  return {
    ...{ parameters: [], statistics: [], activations: [], parts: new Map() },
    ...{ before: (_, samples) => samples, updateStatistics: () => undefined },
    ...{ followWeights: () => undefined, setEpoch: () => undefined, dispose: () => undefined },
    forward: (samples, pass) => {
      onLook(samples, pass);
      return logitsOf(samples);
    },
  };

  function logitsOf(samples: tf.Tensor): tf.Tensor2D {
    const x = samples.dataSync();
    const rows = Array.from({ length: x.length / 2 }, (_, row) => [x[2 * row]! - 0.5, x[2 * row + 1]!] as const);
    const op = tf.customGrad(() => ({
      value: tf.tensor2d(rows.map(([u, v]) => classes.map(([a, b, c]) => scale * (a * u * u + b * v + c)))),
      gradFunc: (dy: tf.Tensor) => {
        const weights = dy.dataSync();
        const slopes = rows.flatMap(([u], row) => {
          const of = (slope: (k: number) => number) =>
            classes.reduce((sum, _, k) => sum + scale * weights[3 * row + k]! * slope(k), 0);
          return [of((k) => 2 * classes[k]![0] * u), of((k) => classes[k]![1])];
        });
        return tf.tensor(slopes, samples.shape);
      },
    }));
    return op(samples) as tf.Tensor2D;
  }
}

/** ∇ₓ of the cross-entropy at a sample, in float64. */
export function gradientAt([first, second]: readonly number[], label: number): [number, number] {
  const u = first! - 0.5;
  const powers = classes.map(([a, b, c]) => Math.exp(a * u * u + b * second! + c));
  const total = powers.reduce((sum, power) => sum + power);
  const weights = powers.map((power, k) => power / total - Number(k === label));
  return [
    weights.reduce((sum, weight, k) => sum + weight * classes[k]![0] * 2 * u, 0),
    weights.reduce((sum, weight, k) => sum + weight * classes[k]![1], 0),
  ];
}

export interface LabelledSample {
  readonly x: readonly [number, number];
  readonly label: number;
}

/** Pictures of 1×2 pixels, or rows of a table where there are `columns`; the same samples in every split. */
export function curvedDataset(samples: readonly LabelledSample[], columns: ColumnFigures | null = null): Dataset {
  const split: Split = {
    nSamples: samples.length,
    read: (indices) => {
      const chosen = Array.from(indices, (index) => samples[index]!);
      const values = Float32Array.from(chosen.flatMap(({ x }) => x));
      return Promise.resolve({ values, labels: Int32Array.from(chosen, ({ label }) => label) });
    },
  };
  return {
    ...{ name: 'curved', classes: ['a', 'b', 'c'], sampleShape: columns ? [2] : [1, 2, 1], columns },
    ...{ train: split, validation: null, test: split, close: () => Promise.resolve() },
  };
}
