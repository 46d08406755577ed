// KafscopeUniform, KafscopeDropout and KafscopeCropAndFlip over assembly/random.ts.
import type * as tf from '@tensorflow/tfjs-core';
import { counterOf, type RandomKey } from '../../ops/random.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

const wordsBytes = 64;

/** Elements of one range, a multiple of the 16 that are drawn at a time. */
const grain = 8192;

export const randomKernels: readonly WasmKernel[] = [
  wasmKernel<unknown, { shape: number[]; low: number; high: number; key: RandomKey }>(
    'KafscopeUniform',
    ({ attrs, backend }) => {
      const { shape, low, high, key } = attrs;
      const y = backend.place(shape);
      const fixed = [y.address, low, high - low, key.seed, key.stream, counterOf(key)];
      const words = { argument: fixed.length, sizeBytes: wordsBytes };
      backend.runOver(sizeOf(y.info), grain, 'uniform', (...range) => [...fixed, 0, ...range], words);
      return y.info;
    },
  ),
  wasmKernel<{ x: tf.TensorInfo }, { rate: number; key: RandomKey }>(
    'KafscopeDropout',
    ({ inputs: { x }, attrs, backend }) => {
      const { rate, key } = attrs;
      const y = backend.place(x.shape);
      const fixed = [
        ...[backend.addressOf(x), y.address, Math.round(rate * 2 ** 24), 1 / (1 - rate)],
        ...[key.seed, key.stream, counterOf(key)],
      ];
      const words = { argument: fixed.length, sizeBytes: wordsBytes };
      backend.runOver(sizeOf(x), grain, 'dropout', (...range) => [...fixed, 0, ...range], words);
      return y.info;
    },
  ),
  wasmKernel<{ images: tf.TensorInfo }, { pad: number; flip: boolean; key: RandomKey }>(
    'KafscopeCropAndFlip',
    ({ inputs: { images }, attrs, backend }) => {
      const { pad, flip, key } = attrs;
      const y = backend.place(images.shape);
      const [nImages, height, width, nChannels] = images.shape as [number, number, number, number];
      const fixed = [
        ...[backend.addressOf(images), y.address, height, width, nChannels, pad, flip ? 1 : 0],
        ...[key.seed, key.stream, counterOf(key)],
      ];
      const words = { argument: fixed.length, sizeBytes: wordsBytes };
      // Four images' blocks are drawn at a time.
      backend.runOver(nImages, 4, 'cropAndFlip', (...range) => [...fixed, 0, ...range], words);
      return y.info;
    },
  ),
];
