// Parameters of a network: their names, initial values and the variables that hold them.
import * as tf from '@tensorflow/tfjs-core';
import { initializerEntry } from '../protocol/initializers.ts';
import type { InitializerPlan, SpectralNormPlan } from '../protocol/plan.ts';
import { normal, uniform } from '../tensor/ops/random.ts';
import { randomStreams } from './randomStreams.ts';
import { Spectrum } from './spectrum.ts';

/** Where a drawn value comes from; the same draws on every runtime. */
export type Initializer =
  | { readonly type: 'constant'; readonly value: number }
  /** A kernel's, by its layer's sizes (protocol/initializers.ts); normal ones are not cut off (Keras cuts at two deviations). */
  | ({ readonly type: 'kernel'; readonly fanIn: number; readonly fanOut: number } & {
      readonly plan: InitializerPlan;
    })
  /** Uniform on ±limit. */
  | { readonly type: 'uniform'; readonly limit: number }
  | { readonly type: 'normal'; readonly std: number }
  /** The same row for every channel; with noise, each value plus one drawn from N(0, noise²). */
  | { readonly type: 'rows'; readonly row: Float64Array; readonly noise?: number };

type Quantity =
  | ('kernel' | 'bias' | 'gamma' | 'beta' | 'scale')
  | ('alpha' | 'mixture' | 'dictionary' | 'logGamma' | 'coefficients' | 'points');

export interface Parameter {
  /** For example `conv1.kernel`. */
  readonly name: string;
  readonly layer: string;
  readonly quantity: Quantity;
  readonly shape: readonly number[];
  readonly variable: tf.Variable;
  /** Whether weight decay acts on it: kernels only. */
  readonly isDecayed: boolean;
  /** Of which layers it is a kernel, each with an L2 penalty of its own; null for what is no kernel. */
  readonly kernelOf: 'convolution' | 'dense' | null;
  /** What training keeps each column within; null where nothing bounds it. */
  readonly bounds: Bounds | null;
  /** Of a kernel whose largest singular value is followed. */
  readonly spectrum?: Spectrum;
}

export interface Bounds {
  readonly min: readonly number[];
  readonly max: readonly number[];
}

/** Iterations before the first update; PyTorch's. */
const firstIterations = 15;

/** A running mean or variance of a batch normalisation; no gradient moves it. */
export interface Statistic {
  /** For example `bn1.mean`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly variable: tf.Variable;
}

/** Makes parameters in the network's order, each from a stream of its own. */
export class ParameterMaker {
  readonly parameters: Parameter[] = [];
  readonly statistics: Statistic[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  make<R extends tf.Rank>(
    layer: string,
    quantity: Quantity,
    shape: tf.ShapeMap[R],
    initializer: Initializer,
    bounds: Bounds | null = null,
  ): tf.Variable<R> {
    const key = { seed: this.#seed, stream: randomStreams.initialWeights + this.parameters.length, counter: 0 };
    const variable = tf.tidy(() => tf.variable(draw(shape, initializer, key)));
    const isKernel = quantity === 'kernel';
    this.parameters.push({
      name: `${layer}.${quantity}`,
      layer,
      quantity,
      shape,
      variable,
      isDecayed: isKernel,
      kernelOf: !isKernel ? null : shape.length === 2 ? 'dense' : 'convolution',
      bounds,
    });
    return variable as tf.Variable<R>;
  }

  /** Follows the largest singular value of the kernel that was made last. */
  followSpectrum({ type, iterations }: SpectralNormPlan): Spectrum {
    const kernel = this.parameters.at(-1)!;
    const inputs = kernel.variable.size / kernel.shape.at(-1)!;
    const key = { seed: this.#seed, stream: randomStreams.singularVectors + this.parameters.length, counter: 0 };
    const start = normal<tf.Rank.R1>([inputs], 0, 1, key);
    const spectrum = new Spectrum(kernel.variable, start, { iterations, isDivided: type === 'normalization' });
    spectrum.follow(null, firstIterations);
    this.parameters.splice(-1, 1, { ...kernel, spectrum });
    return spectrum;
  }

  makeStatistic(layer: string, quantity: 'mean' | 'variance', channels: number): tf.Variable<tf.Rank.R1> {
    const variable = tf.tidy(() => tf.variable(tf.fill([channels], quantity === 'mean' ? 0 : 1), false));
    this.statistics.push({ name: `${layer}.${quantity}`, shape: [channels], variable });
    return variable as tf.Variable<tf.Rank.R1>;
  }
}

function draw(shape: number[], initializer: Initializer, key: Parameters<typeof uniform>[3]): tf.Tensor {
  switch (initializer.type) {
    case 'constant':
      return tf.fill(shape, initializer.value);
    case 'kernel': {
      const { plan, fanIn, fanOut } = initializer;
      const entry = initializerEntry(plan.type);
      const fan = entry.over === 'sum' ? fanIn + fanOut : fanIn;
      if (entry.shape === 'normal') return normal(shape, 0, plan.gain * Math.sqrt(entry.of / fan), key);
      const limit = plan.gain * Math.sqrt((3 * entry.of) / fan);
      return uniform(shape, -limit, limit, key);
    }
    case 'uniform':
      return uniform(shape, -initializer.limit, initializer.limit, key);
    case 'normal':
      return normal(shape, 0, initializer.std, key);
    case 'rows': {
      const channels = shape[0]!;
      const values = new Float32Array(channels * initializer.row.length);
      for (let channel = 0; channel < channels; channel++)
        values.set(initializer.row, channel * initializer.row.length);
      const rows = tf.tensor(values, shape, 'float32');
      return initializer.noise ? tf.add(rows, normal(shape, 0, initializer.noise, key)) : rows;
    }
    default:
      return initializer satisfies never;
  }
}
