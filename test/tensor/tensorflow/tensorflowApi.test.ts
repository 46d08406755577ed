// What server/tensor/tensorflow/binding/tensorflowApi.h declares and no suite of numbers touches: tensors of strings, whose elements
// lie in 24 bytes, short texts within them and longer ones elsewhere.
import * as tf from '@tensorflow/tfjs-core';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openContractRuntime } from '../ops/runtimes.ts';

const root = path.resolve(import.meta.dirname, '../../..');

describe('the binding to TensorFlow', () => {
  beforeAll(() => openContractRuntime('tensorflow'));

  it('takes texts of any length there and back, through an operation', () => {
    const texts = [0, 1, 21, 22, 23, 24, 100_000].map((length) => 'ä' + 'x'.repeat(length));
    const joined = tf.tidy(() => tf.concat([tf.tensor1d(['', ...texts]), tf.tensor1d(texts)]));
    expect(joined.dtype).toBe('string');
    expect(joined.dataSync()).toEqual(['', ...texts, ...texts]);
    joined.dispose();
    expect(tf.memory().numTensors).toBe(0);
  });

  it('keeps nothing of a text that it let go', () => {
    const text = 'x'.repeat(2 ** 20);
    const turn = () => {
      for (let i = 0; i < 64; i++) {
        const copy = tf.tidy(() => tf.concat([tf.tensor1d([text]), tf.tensor1d([''])]));
        copy.dataSync();
        copy.dispose();
      }
    };
    turn();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 4; i++) turn();
    // 256 texts of a mebibyte, of which each was held twice.
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 2 ** 20);
  });

  it('is compiled against no header of TensorFlow', () => {
    const files = fs.readdirSync(path.join(root, 'server/tensor/tensorflow/binding'));
    expect(files.toSorted()).toEqual(['openLibrary.c', 'tensorflowApi.h']);
  });
});
