// Entry of `dist/tensorflowProbe.cjs`, forked by probeTensorflow.ts: opens the runtime `tensorflow`, computes a product, and sends
// what it computed on.
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from './tensor/runtime.ts';
import type { ProbeResult } from './tensor/tensorflow/probeTensorflow.ts';

void main();

async function main(): Promise<void> {
  const result = await probe();
  process.send?.(result, undefined, undefined, () => {
    process.disconnect();
  });
}

async function probe(): Promise<ProbeResult> {
  try {
    const { device } = await openRuntime('tensorflow', { assetsFolder: __dirname });
    const product = tf.tidy(() => tf.matMul(tf.tensor2d([1, 4], [1, 2]), tf.tensor2d([1, 4], [2, 1])).dataSync()[0]);
    if (product !== 17) return { device: null, reason: `TensorFlow computes 1·1 + 4·4 = ${String(product)}.` };
    return { device, reason: '' };
  } catch (error) {
    return { device: null, reason: error instanceof Error ? error.message : String(error) };
  }
}
