// Standard training: on the images as they are.
import * as tf from '@tensorflow/tfjs-core';
import { gradientsOn, type MakeMethod } from './method.ts';

/** ∇_θ of the mean loss on the batch (Peconi, 2020, eq. 2.5). */
export const standard: MakeMethod<'standard'> = (around) => ({
  kept: new Map(),
  update: (batch, at) => {
    const computed = gradientsOn(around, batch, at);
    tf.dispose([batch.images, batch.labels]);
    return { ...computed, batchStatistics: [computed.batchStatistics] };
  },
});
