// Images of four values before a linear network of three classes: what an attack does to them can be computed beside it, in float64.
import * as tf from '@tensorflow/tfjs-core';
import { Target } from '../../server/attack/target.ts';
import { Trial, type Fooled } from '../../server/attack/trial.ts';
import { multiply } from '../../server/model/linear.ts';
import type { Network } from '../../server/model/network.ts';
import { flatten } from '../../server/model/pooling.ts';

/** By class; the third one's are near the first one's. */
export const weights = [
  [1.5, -0.5, 0.25, 1],
  [-1, 0.75, 0.5, -0.25],
  [1.2, -0.3, 0, 1.1],
] as const;
const biases = [0.2, -0.1, 0.1];

/** Both are of class 0 with class 2 next to it; the boundary to class 1 is the nearer one of the first. */
export const samples = [
  [0.5, 0.25, 0.5, 0.4],
  [0.9, 0.1, 0.6, 0.8],
] as const;

export interface LinearTrial {
  readonly trial: Trial;
  /** What the network has looked at since the trial began, `[n · values]` each. */
  readonly looks: number[][];
  readonly fooled: Fooled[];
}

export interface LinearTrialOptions {
  readonly bounds?: Trial['bounds'];
  readonly images?: readonly (readonly number[])[];
  readonly isFlat?: boolean;
  /** Of a sample, and the weights of its classes. */
  readonly shape?: readonly [number, number, number];
  readonly rows?: readonly (readonly number[])[];
}

export function logitsOf(x: readonly number[], rows: readonly (readonly number[])[] = weights): number[] {
  return rows.map((row, k) => biases[k]! + dot(row, x));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** The weights of z_k − z_y. */
export function slopeTo(k: number, y: number): number[] {
  return weights[k]!.map((value, i) => value - weights[y]![i]!);
}

export function classOf(x: readonly number[], rows?: readonly (readonly number[])[]): number {
  const z = logitsOf(x, rows);
  return z.indexOf(Math.max(...z));
}

/** Runs `use` with a trial, and checks that it leaves nothing behind; `isFlat` makes all gradients 0. */
export function withLinearTrial<T>(
  use: (linear: LinearTrial) => T,
  { bounds = [0, 1], images = samples, isFlat = false, shape = [2, 2, 1], rows = weights }: LinearTrialOptions = {},
): T {
  const before = tf.memory().numTensors;
  const kernel = tf.tidy(() => tf.transpose(tf.tensor2d(rows.map((row) => row.map((value) => (isFlat ? 0 : value))))));
  const bias = tf.tensor1d(biases);
  const [looks, fooled]: [number[][], Fooled[]] = [[], []];
  const forward: Network['forward'] = (x, pass) => {
    looks.push([...x.dataSync()]);
    return multiply(flatten(x, pass) as tf.Tensor2D, kernel, bias, 'input');
  };
  const target = new Target({ forward }, { nClasses: 3, shape, passes: { forward: 0, backward: 0 } });
  const x = tf.tensor(images.flat(), [images.length, ...shape]);
  const labels = Int32Array.from(images, (image) => (isFlat ? 0 : classOf(image, rows)));
  const trial = new Trial({
    target,
    images: x,
    labels,
    seed: 5,
    first: 0,
    bounds,
    onFooled: (one) => fooled.push(one),
  });
  looks.length = 0;
  let result: T;
  try {
    result = use({ trial, looks, fooled });
  } finally {
    trial.dispose();
    tf.dispose([kernel, bias, x]);
  }
  if (tf.memory().numTensors !== before) throw new Error('the attack left tensors behind');
  return result;
}

/** What `trial` draws for its images, `[n · 4]`. */
export function drawnBy(trial: Trial, draw: (trial: Trial) => tf.Tensor): number[] {
  const drawn = draw(trial);
  const values = [...drawn.dataSync()];
  drawn.dispose();
  return values;
}
