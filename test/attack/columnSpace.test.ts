// A table's attack moves in standard deviations of each column: z = (x − mean)/std, and back.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { attackSpace } from '../../server/attack/space.ts';
import type { Network } from '../../server/model/network.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

it("standardises a table's columns, and gives the network what the table holds", () => {
  const seen: number[] = [];
  const network = {
    forward: (samples: tf.Tensor) => {
      seen.push(...samples.dataSync());
      return samples.clone() as tf.Tensor2D;
    },
  } as unknown as Network;
  const columns = { mean: [3, -1], std: [2, 0.5] };
  const space = attackSpace(network, { columns });
  const samples = tf.tensor2d([5, -1, 1, 0], [2, 2]);
  const standardised = space.enter(samples);
  const values = [...standardised.dataSync()];
  [1, 0, -1, 2].forEach((expected, index) => expect(values[index]).toBeCloseTo(expected, 6));
  const back = [...space.leave(standardised).dataSync()];
  [5, -1, 1, 0].forEach((expected, index) => expect(back[index]).toBeCloseTo(expected, 6));
  space.network.forward(standardised, {} as Parameters<Network['forward']>[1]);
  [5, -1, 1, 0].forEach((expected, index) => expect(seen[index]).toBeCloseTo(expected, 6));
  expect(space.bounds).toBeNull();
});
