// Activations as rows: what a detector looks at.
import * as tf from '@tensorflow/tfjs-core';
import type { AttackSpace } from '../attack/space.ts';
import type { Network } from '../model/network.ts';
import { readFloats } from '../tensor/read.ts';
import type { Features } from './detector.ts';

/** What the `depth`-th layer from the end takes of images `[n, …]` in the space of attacks; maps averaged over their pixels. */
export function featuresOf(network: Network, space: AttackSpace, images: tf.Tensor, depth: number): Features {
  return tf.tidy(() => {
    const pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null } as const;
    const taken = network.before(depth, space.leave(images), pass);
    const rows =
      taken.rank > 2
        ? tf.mean(
            taken,
            taken.shape.slice(1, -1).map((_, axis) => axis + 1),
          )
        : taken;
    return { values: readFloats(rows), width: rows.shape[1]! };
  });
}

export function joined(parts: readonly Features[]): Features {
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { values, width: parts[0]?.width ?? 1 };
}

export function rowsWhere({ values, width }: Features, flags: readonly boolean[]): Features {
  return { values: values.filter((_, at) => flags[Math.floor(at / width)]), width };
}
