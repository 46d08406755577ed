import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { consecutive, epochOrder, makeBatch } from '../../server/data/batches.ts';
import { memoryRows, splitOf } from '../../server/data/rows.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

describe('makeBatch', () => {
  it('gathers the chosen images, scaled to [0, 1], and their labels', async () => {
    const split = splitOf(memoryRows(Uint8Array.of(0, 51, 102, 153, 204, 255), Uint16Array.of(4, 5, 6), 2));
    const { images, labels } = makeBatch(await split.read(Uint32Array.of(2, 0)), [1, 1, 2]);
    expect(images.shape).toEqual([2, 1, 1, 2]);
    expect([...images.dataSync()]).toEqual([0.8, 1, 0, 0.2].map(Math.fround));
    expect([...labels.dataSync()]).toEqual([6, 4]);
    expect(labels.dtype).toBe('int32');
    tf.dispose([images, labels]);
  });
});

describe('epochOrder', () => {
  it('visits every sample once, in another order each epoch', () => {
    const key = (counter: number) => ({ seed: 1, stream: 2, counter });
    const first = epochOrder(100, key(0));
    expect([...first].sort((a, b) => a - b)).toEqual([...consecutive(0, 100)]);
    expect(epochOrder(100, key(0))).toEqual(first);
    expect(epochOrder(100, key(1))).not.toEqual(first);
  });
});
