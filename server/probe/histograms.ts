// Histograms of weights and gradients, tensor by tensor. When to look is the trainer's choice.
import type * as tf from '@tensorflow/tfjs-core';
import { histogramBins, type TensorHistograms } from '../protocol/records.ts';
import type { Reading } from '../tensor/read.ts';
import { beginSpread, inBytes } from './spread.ts';

export function beginHistograms(tensors: readonly tf.Tensor[]): Reading<TensorHistograms> {
  const spreads = tensors.map((tensor) => beginSpread([tensor], histogramBins));
  return () => {
    const ranges = new Float32Array(2 * spreads.length);
    const bins = new Uint8Array(histogramBins * spreads.length);
    spreads.forEach((read, index) => {
      const { low, high, counts } = read();
      ranges.set([low, high], 2 * index);
      bins.set(inBytes(counts[0]!, Math.max(...counts[0]!)), histogramBins * index);
    });
    return { ranges, bins };
  };
}
