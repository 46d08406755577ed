import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { wasmBackendName } from '../../../server/tensor/wasm/wasmBackend.ts';
import { describeOnEveryBuild, exactly, expectLikeCpu, noise, runKernel } from './builds.ts';

describeOnEveryBuild('backend', (backend) => {
  it('keeps floats, integers and truth values in the shared memory, and frees them with the tensor', () => {
    const { pool } = backend();
    const usedBytes = pool.usedBytes;
    const tensors = [tf.tensor1d([1.5, NaN]), tf.tensor1d([-7, 8], 'int32'), tf.tensor1d([true, false], 'bool')];
    expect(pool.usedBytes).toBe(usedBytes + 3 * 64);
    expect(tensors.map((tensor) => [...tensor.dataSync()])).toEqual([
      [1.5, NaN],
      [-7, 8],
      [1, 0],
    ]);
    tf.dispose(tensors);
    expect(pool.usedBytes).toBe(usedBytes);
  });

  it('keeps strings and complex numbers usable', () => {
    expect(tf.tidy(() => tf.tensor1d(['a', 'ß']).dataSync())).toEqual(['a', 'ß']);
    const { pool } = backend();
    const usedBytes = pool.usedBytes;
    const spectrum = tf.tidy(() => [...tf.fft(tf.complex([1, 2, 3, 4], [0, 0, 0, 0])).dataSync()]);
    expect(spectrum[0]).toBe(10);
    expect(pool.usedBytes).toBe(usedBytes);
  });

  it('reads back a copy that outlives the tensor', () => {
    const tensor = tf.tensor1d([1, 2, 3]);
    const values = tensor.dataSync();
    tensor.dispose();
    tf.tidy(() => tf.tensor1d([9, 9, 9]));
    expect([...values]).toEqual([1, 2, 3]);
  });

  it('shares values between reshaped tensors until the last is gone', () => {
    const { pool } = backend();
    const usedBytes = pool.usedBytes;
    const tensor = tf.tensor2d([[1, 2, 3, 4]]);
    const reshaped = tf.reshape(tensor, [2, 2]);
    expect(pool.usedBytes).toBe(usedBytes + 64);
    tensor.dispose();
    expect([...reshaped.dataSync()]).toEqual([1, 2, 3, 4]);
    reshaped.dispose();
    expect(pool.usedBytes).toBe(usedBytes);
  });

  it('takes over tensors from another backend', async () => {
    await tf.setBackend('cpu');
    const tensor = tf.tensor1d([1, 2, 3]);
    await tf.setBackend(wasmBackendName);
    const { pool } = backend();
    const usedBytes = pool.usedBytes;
    expect(tf.tidy(() => [...tf.add(tensor, 1).dataSync()])).toEqual([2, 3, 4]);
    expect(pool.usedBytes).toBe(usedBytes + 64);
    tensor.dispose();
    expect(pool.usedBytes).toBe(usedBytes);
  });

  it('changes a variable in place and leaves its value where it was', () => {
    const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
    const address = backend().addressOf(variable);
    const gradient = tf.tensor1d([10, 20]);
    runKernel(
      'KafscopeSgdUpdate',
      { parameter: variable, gradient },
      { at: { learningRate: 0.1 }, momentum: 0, weightDecay: 0 },
    );
    expect([...variable.dataSync()]).toEqual([0, 0]);
    expect(backend().addressOf(variable)).toBe(address);
    tf.dispose([variable, gradient]);
  });

  it('keeps nothing of a thousand steps of kernels, ours and copied ones', () => {
    const { pool } = backend();
    const weights = tf.tidy(() => tf.variable(noise([3, 3, 2, 4]) as tf.Tensor4D));
    const step = () =>
      tf.tidy(() => {
        const x = noise([1, 6, 6, 2]) as tf.Tensor4D;
        const y = tf.conv2d(x, weights, 1, 'same');
        const pooled = tf.reshape(tf.maxPool(y, 2, 2, 'valid'), [36]);
        const [slope] = runKernel(
          tf.Conv2DBackpropFilter,
          { x, dy: y },
          { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: weights.shape },
        );
        const loss = tf.sum(tf.cumsum(tf.softmax(tf.sub(tf.mul(pooled, 2), tf.mean(pooled)))));
        runKernel(
          'KafscopeSgdUpdate',
          { parameter: weights, gradient: slope },
          { at: { learningRate: 0 }, momentum: 0, weightDecay: 0 },
        );
        return loss.dataSync()[0];
      });
    const first = step();
    const { numTensors, numDataBuffers } = tf.memory();
    const before = { nBlocks: pool.nBlocks, usedBytes: pool.usedBytes, capacityBytes: pool.capacityBytes };
    const peakBytes = pool.peakBytes;
    for (let index = 0; index < 1000; index++) expect(step()).toBe(first);
    expect({ nBlocks: pool.nBlocks, usedBytes: pool.usedBytes, capacityBytes: pool.capacityBytes }).toEqual(before);
    expect(pool.peakBytes).toBe(peakBytes);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers, unreliable: false });
    weights.dispose();
  });

  it('runs kernels that only tfjs has, on the same memory', async () => {
    await expectLikeCpu(() => {
      const x = noise([4, 6], { scale: 3 });
      return [
        tf.slice(tf.transpose(x), [1, 0], [3, 4]),
        tf.concat([x, tf.sin(x)], 1),
        tf.oneHot(tf.tensor1d([0, 2, 1], 'int32'), 3),
        tf.greater(x, 0),
        tf.topk(x, 2).indices,
        tf.cast(x, 'int32'),
        tf.pad(x as tf.Tensor2D, [
          [1, 0],
          [0, 2],
        ]),
        tf.gather(x, tf.tensor1d([3, 0], 'int32')),
        tf.argMax(x, 1),
        tf.stack([x, x], 1),
      ];
    }, exactly);
  });

  it('converts integers and truth values that tfjs only labels anew', async () => {
    await expectLikeCpu(() => {
      const integers = tf.tensor2d([1, -2, 3, 4], [2, 2], 'int32');
      const truths = tf.tensor2d([1, 0, 1, 1], [2, 2], 'bool');
      const floats = noise([2, 2]) as tf.Tensor2D;
      return [
        ...[tf.add(integers, floats), tf.mul(truths, floats), tf.matMul(tf.cast(integers, 'float32'), floats)],
        ...[
          tf.mean(integers),
          tf.sum(truths),
          tf.relu(tf.cast(truths, 'float32')),
          tf.add(tf.cast(truths, 'int32'), integers),
        ],
        tf.cast(tf.cast(floats, 'int32'), 'bool'),
      ];
    }, exactly);
  });
});
