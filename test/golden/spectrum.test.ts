// Spectral normalisation and the penalty on the largest singular value against PyTorch's.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Spectrum } from '../../server/model/spectrum.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { openContractRuntime, runtimeNames } from '../tensor/ops/runtimes.ts';
import { hashed } from './hashed.ts';
import { readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

interface Golden {
  readonly steps: number;
  readonly rate: number;
  readonly lambda: number;
  readonly kernels: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly iterations: number;
    readonly normalized: readonly Readonly<Record<'divided' | 'gradient' | 'left', GoldenTensor>>[];
    readonly penalty: { readonly sigma: number; readonly gradient: GoldenTensor };
  }[];
}

const golden = readGolden<Golden>('spectrum');
const tolerance = { absolute: 3e-6, relative: 1e-5 };

function hashedTensor(stream: number, shape: readonly number[]): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(Float32Array.from(hashed(stream, size)), [...shape]);
}

function opened(shape: readonly number[], iterations: number, isDivided: boolean) {
  const kernel = tf.tidy(() => tf.variable(hashedTensor(1, shape)));
  const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  return {
    kernel,
    spectrum: new Spectrum(kernel, hashedTensor(3, [inputs]) as tf.Tensor1D, { iterations, isDivided }),
  };
}

describe.each(runtimeNames)('on %s, as PyTorch', (runtime) => {
  beforeAll(async () => {
    await openContractRuntime(runtime);
  });

  it.each(golden.kernels)('divides a $name kernel by σ, update by update', ({ shape, iterations, normalized }) => {
    const before = tf.memory().numTensors;
    const { kernel, spectrum } = opened(shape, iterations, true);
    normalized.forEach(({ divided, gradient, left }, step) => {
      spectrum.follow();
      expectClose(spectrum.divided!.dataSync<'float32'>(), toFloat32(divided), tolerance, `W/σ of ${step}`);
      expectClose(spectrum.left.dataSync<'float32'>(), toFloat32(left), tolerance, `u of ${step}`);
      const ofKernel = spectrum.throughSigma(hashedTensor(10 + step, shape));
      expectClose(ofKernel.dataSync<'float32'>(), toFloat32(gradient), tolerance, `gradient of ${step}`);
      tf.tidy(() => {
        kernel.assign(tf.sub(kernel, tf.mul(ofKernel, golden.rate)));
      });
      ofKernel.dispose();
    });
    spectrum.dispose();
    kernel.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(golden.kernels)(
    'finds the largest singular value of a $name kernel, and its penalty',
    ({ shape, penalty }) => {
      const { kernel, spectrum } = opened(shape, 1, false);
      spectrum.follow(null, 300);
      const sigma = spectrum.sigma();
      expect(sigma.dataSync()[0]).toBeCloseTo(penalty.sigma, 5);
      const gradient = spectrum.penaltyGradient(golden.lambda);
      expectClose(gradient.dataSync<'float32'>(), toFloat32(penalty.gradient), tolerance, 'gradient');
      expect(gradient.shape).toEqual([...shape]);
      tf.dispose([sigma, gradient, kernel]);
      spectrum.dispose();
    },
  );
});
