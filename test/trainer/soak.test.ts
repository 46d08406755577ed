// A long training on the runtime wasm: after the first steps nothing of its memory may change, to the byte.
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import { train } from '../../server/trainer/train.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { tinyDataset, tinyPlan } from './tinyPlan.ts';

const nSteps = 3000;

it('thousands of steps leave memory as it was after the first ten', async () => {
  const { backend } = await openWasmBackend(assetsFolder, { threads: 2 });
  const plan = {
    ...tinyPlan,
    training: { ...tinyPlan.training, epochs: nSteps / 2, checkpointEveryEpochs: nSteps / 2 },
    observe: { ...tinyPlan.observe, testEveryEpochs: 0 },
  };
  const signal = new AbortController().signal;
  const seen = new Map<string, number>();
  let step = 0;
  let nAfterTen = 0;
  for await (const event of train(plan, tinyDataset(), { from: null, signal })) {
    if (event.type !== 'record' || event.record.type !== 'step') continue;
    ({ step } = event.record);
    expect(Number.isFinite(event.record.loss)).toBe(true);
    if (step <= 10) continue;
    const { numTensors, numDataBuffers } = tf.memory();
    const { usedBytes, peakBytes, capacityBytes, nBlocks } = backend.pool;
    const memory = JSON.stringify({ usedBytes, peakBytes, capacityBytes, nBlocks, numTensors, numDataBuffers });
    seen.set(memory, step);
    nAfterTen++;
  }
  expect(step).toBe(nSteps);
  expect(nAfterTen).toBe(nSteps - 10);
  // One state of memory, from step 11 to the last.
  expect([...seen.keys()]).toHaveLength(1);
});
