// Counter-based random numbers: Philox 4×32-10 and what is drawn from it. A number depends on its key and its index
// alone, never on what was drawn before, so every runtime and every resumed run draws the same ones.
import * as tf from '@tensorflow/tfjs-core';

import { makeFloats, sizeOf, type OpDefinition } from './cpuKernel.ts';
import type { AtStep } from './step.ts';

/**
 * Which sequence to draw from; three unsigned 32-bit integers. Philox's key is (seed, 0) and its counter
 * (block, counter, stream, 0): element i of a draw is word i mod 4 of block ⌊i/4⌋.
 */
export interface RandomKey {
  readonly seed: number;
  readonly stream: number;
  readonly counter: number | StepCounter;
}

/** The updates before the one at hand, or of several that share a draw, those before the first: ⌊(step − 1)/every⌋. */
export interface StepCounter {
  readonly at: AtStep;
  readonly every: number;
}

/** The counter's number now. */
export function counterOf({ counter }: Pick<RandomKey, 'counter'>): number {
  return typeof counter === 'number' ? counter : Math.floor((counter.at.step - 1) / counter.every);
}

/**
 * Uniform numbers, low + (high − low)·u with u = ⌊word/2⁸⌋·2⁻²⁴ in [0, 1).
 * @returns float32 `shape` in [low, high]; difference, product and sum are each rounded to float32, so that every
 * runtime gives the same bits.
 */
export function uniform<R extends tf.Rank = tf.Rank>(
  shape: tf.ShapeMap[R],
  low: number,
  high: number,
  key: RandomKey,
): tf.Tensor<R> {
  return tf.engine().runKernel('KafscopeUniform', {}, { shape, low, high, key } as unknown as tf.NamedAttrMap);
}

/**
 * Normal numbers by Box and Muller (1958): elements 2i and 2i + 1 are √(−2 ln u)·cos 2πv and √(−2 ln u)·sin 2πv with
 * u = (w₂ᵢ + 1)·2⁻³² and v = w₂ᵢ₊₁·2⁻³².
 * @returns float32 `shape`.
 */
export function normal<R extends tf.Rank = tf.Rank>(
  shape: tf.ShapeMap[R],
  mean: number,
  std: number,
  key: RandomKey,
): tf.Tensor<R> {
  return tf.engine().runKernel('KafscopeNormal', {}, { shape, mean, std, key } as unknown as tf.NamedAttrMap);
}

/** The numbers of `normal`. */
export function normalValues(nElements: number, mean: number, std: number, key: RandomKey): Float32Array {
  const values = new Float32Array(nElements);
  forEachBlock(nElements, key, (words, start) => {
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = std * Math.sqrt(-2 * Math.log((words[pair]! + 1) / 0x1_0000_0000));
      const angle = (2 * Math.PI * words[pair + 1]!) / 0x1_0000_0000;
      if (start + pair < values.length) values[start + pair] = mean + radius * Math.cos(angle);
      if (start + pair + 1 < values.length) values[start + pair + 1] = mean + radius * Math.sin(angle);
    }
  });
  return values;
}

/** A random order of 0 … n − 1 (Fisher and Yates, from the end; element i of the draw decides the i-th exchange). */
export function permutation(n: number, key: RandomKey): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, index) => index);
  forEachBlock(Math.max(n - 1, 0), key, (words, start) => {
    for (let k = 0; k < 4 && start + k < n - 1; k++) {
      const last = n - 1 - start - k;
      const chosen = scaleWord(words[k]!, last + 1);
      const value = order[last]!;
      order[last] = order[chosen]!;
      order[chosen] = value;
    }
  });
  return order;
}

/** ⌊word·count/2³²⌋: an integer in [0, count), exact for count ≤ 2²¹; its bias is below count/2³². */
export function scaleWord(word: number, count: number): number {
  return Math.floor((word * count) / 0x1_0000_0000);
}

/** Calls back with the four words of each block that covers elements 0 … nElements − 1, and the block's first index. */
export function forEachBlock(
  nElements: number,
  key: RandomKey,
  callback: (words: Uint32Array, start: number) => void,
): void {
  const words = new Uint32Array(4);
  const counter = counterOf(key);
  for (let start = 0; start < nElements; start += 4) {
    philox(words, start / 4, counter, key.stream, 0, key.seed, 0);
    callback(words, start);
  }
}

/** Philox 4×32-10 (Salmon et al., 2011, §3.3): four words from a counter of four words and a key of two. */
export function philox(
  words: Uint32Array,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
): void {
  let a = counter0;
  let b = counter1;
  let c = counter2;
  let d = counter3;
  let left = key0;
  let right = key1;
  for (let round = 0; round < 10; round++) {
    const highA = multiplyHigh(0xd2511f53, a);
    const lowA = Math.imul(0xd2511f53, a);
    const highC = multiplyHigh(0xcd9e8d57, c);
    const lowC = Math.imul(0xcd9e8d57, c);
    a = highC ^ b ^ left;
    b = lowC;
    c = highA ^ d ^ right;
    d = lowA;
    left = (left + 0x9e3779b9) | 0;
    right = (right + 0xbb67ae85) | 0;
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}

export const randomOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeUniform',
      kernelFunc: ({ attrs, backend }) => {
        const { shape, low, high, key } = attrs as unknown as {
          shape: number[];
          low: number;
          high: number;
          key: RandomKey;
        };
        return makeFloats(backend, shape, uniformValues(sizeOf(shape), low, high, key));
      },
    },
    {
      kernelName: 'KafscopeNormal',
      kernelFunc: ({ attrs, backend }) => {
        const { shape, mean, std, key } = attrs as unknown as {
          shape: number[];
          mean: number;
          std: number;
          key: RandomKey;
        };
        return makeFloats(backend, shape, normalValues(sizeOf(shape), mean, std, key));
      },
    },
  ],
  gradients: [],
};

/** The numbers of `uniform`. */
export function uniformValues(nElements: number, low: number, high: number, key: RandomKey): Float32Array {
  const values = new Float32Array(nElements);
  const from = Math.fround(low);
  const width = Math.fround(high - low);
  forEachBlock(nElements, key, (words, start) => {
    const end = Math.min(4, nElements - start);
    for (let k = 0; k < end; k++) values[start + k] = from + Math.fround(width * ((words[k]! >>> 8) / 0x100_0000));
  });
  return values;
}

/** The upper 32 bits of an unsigned 32×32 product, by halves: a double holds no more than 53 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 0x1_0000);
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + Math.floor(other / 0x1_0000)) | 0;
}
