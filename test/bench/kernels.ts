// The hot kernels alone, at the sizes of the VGG network with batches of 128.
import * as tf from '@tensorflow/tfjs-core';
import { activationFunction } from '../../server/formula/activationFunction.ts';
import { summarize, type Summary } from './statistics.ts';

export interface KernelTime extends Summary {
  readonly kernel: string;
  /** 10⁹ floating-point operations a second; null where the kernel is not a matrix product. */
  readonly gflops: number | null;
}

const batch = 128;

export function timeKernels(rounds: number): KernelTime[] {
  const times: KernelTime[] = [];
  const time = (kernel: string, operations: number | null, run: () => tf.Tensor | tf.Tensor[]) => {
    for (let i = 0; i < 2; i++) tf.dispose(run());
    const samples: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const startMs = performance.now();
      tf.dispose(run());
      samples.push(performance.now() - startMs);
    }
    const summary = summarize(samples);
    times.push({ kernel, ...summary, gflops: operations ? Math.round(operations / summary.median / 1e5) / 10 : null });
  };
  for (const [side, inChannels, outChannels] of [
    [32, 3, 32],
    [32, 32, 32],
    [16, 32, 64],
    [16, 64, 64],
    [8, 64, 128],
    [8, 128, 128],
  ] as const) {
    timeConvolution(time, side, inChannels, outChannels);
  }
  timeActivations(time);
  return times;
}

type Time = (kernel: string, operations: number | null, run: () => tf.Tensor | tf.Tensor[]) => void;

function timeConvolution(time: Time, side: number, inChannels: number, outChannels: number): void {
  const inputShape = [batch, side, side, inChannels] as const;
  const filterShape = [3, 3, inChannels, outChannels] as const;
  const x = tf.randomNormal([...inputShape]);
  const filter = tf.randomNormal([...filterShape]);
  const dy = tf.randomNormal([batch, side, side, outChannels]);
  const name = `conv ${side}² ${inChannels}→${outChannels}`;
  const operations = 2 * batch * side * side * 9 * inChannels * outChannels;
  const options = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
  time(name, operations, () => runKernel(tf.Conv2D, { x, filter }, options));
  time(`${name}, input gradient`, operations, () =>
    runKernel(tf.Conv2DBackpropInput, { dy, filter }, { ...options, inputShape }),
  );
  time(`${name}, filter gradient`, operations, () =>
    runKernel(tf.Conv2DBackpropFilter, { x, dy }, { ...options, filterShape }),
  );
  tf.dispose([x, filter, dy]);
}

function timeActivations(time: Time): void {
  const channels = 32;
  const x = tf.randomNormal([batch * 1024, channels]);
  const dy = tf.randomNormal([batch * 1024, channels]);
  const alpha = tf.randomNormal([channels, 20]);
  const ones = tf.ones([channels]);
  const kaf = { boundary: 3, gamma: 19 ** 2 / 216, base: 'none' };
  time('KAF', null, () => runKernel('KafscopeKaf', { x, alpha }, { ...kaf, gradients: 'all' }));
  for (const gradients of ['input', 'all']) {
    time(`KAF gradient, ${gradients}`, null, () =>
      runKernel('KafscopeKafGrad', { dy, x, alpha }, { ...kaf, gradients }),
    );
  }
  const swish = { formula: activationFunction({ type: 'swish' }).formula, gradients: 'all' };
  time('Swish', null, () => runKernel('KafscopeFormula', { x }, swish));
  time('Swish gradient', null, () => runKernel('KafscopeFormulaGrad', { dy, x }, swish));
  const norm = { x, gamma: ones, beta: ones };
  time('batch norm', null, () => runKernel('KafscopeBatchNorm', norm, { epsilon: 1e-3 }));
  time('batch norm gradient', null, () =>
    runKernel('KafscopeBatchNormGrad', { dy, x, gamma: ones, mean: ones, variance: ones }, { epsilon: 1e-3 }),
  );
  const key = { seed: 1, stream: 2, counter: 3 };
  time('dropout', null, () => runKernel('KafscopeDropout', { x }, { rate: 0.2, key }));
  time('sum over rows', null, () => tf.sum(x, 0));
  const images = tf.reshape(x, [batch, 32, 32, channels]) as tf.Tensor4D;
  const pooled = tf.maxPool(images, 2, 2, 'valid');
  time('max pool', null, () => tf.maxPool(images, 2, 2, 'valid'));
  time('max pool gradient', null, () =>
    runKernel(
      tf.MaxPoolGrad,
      { dy: pooled, input: images, output: pooled },
      { filterSize: 2, strides: 2, pad: 'valid' },
    ),
  );
  tf.dispose([x, dy, alpha, ones, images, pooled]);
}

function runKernel(name: string, inputs: object, attributes: object): tf.Tensor | tf.Tensor[] {
  return tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
}
