// Trainings on the runtime torch: the same records again, the same after a resumption, and memory that stays as it is.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { surroundings } from '../../../server/tensor/python/places.ts';
import { lookForTorch } from '../../../server/tensor/torch/findTorch.ts';
import { openTorchBackend } from '../../../server/tensor/torch/openTorchBackend.ts';
import type { TorchBackend } from '../../../server/tensor/torch/torchBackend.ts';
import { train } from '../../../server/trainer/train.ts';
import { collect, tinyDataset, tinyPlan, type Collected } from '../../trainer/tinyPlan.ts';
import { assetsFolder } from '../wasm/builds.ts';

let backend: TorchBackend;

beforeAll(async () => {
  const { library } = lookForTorch(surroundings(assetsFolder));
  const device = process.env['KAFSCOPE_TORCH_DEVICE'] ?? 'cpu';
  ({ backend } = await openTorchBackend(assetsFolder, library!, { threads: 2, device }));
});

describe('a training on torch', () => {
  it('gives the same records again, and from a checkpoint on, to the bit', async () => {
    const dataset = tinyDataset();
    const first = await collect(tinyPlan, dataset);
    const second = await collect(tinyPlan, dataset);
    expect(second.records).toEqual(first.records);
    const [checkpoint] = first.states;
    const tail = await collect(tinyPlan, dataset, { from: checkpoint! });
    const ofStepsAfter = ({ records }: Collected) =>
      records.filter((record) => 'step' in record && record.step > checkpoint!.step);
    expect(ofStepsAfter(first).length).toBeGreaterThan(0);
    expect(ofStepsAfter(tail)).toEqual(ofStepsAfter(first));
    expect(tail.states.at(-1)!.tensors).toEqual(first.states.at(-1)!.tensors);
  });

  it('leaves memory as it was after the first ten of five hundred steps', async () => {
    const nSteps = 500;
    const plan = {
      ...tinyPlan,
      training: { ...tinyPlan.training, epochs: nSteps / 2, checkpointEveryEpochs: nSteps / 2 },
      observe: { ...tinyPlan.observe, testEveryEpochs: 0 },
    };
    const seen = new Set<string>();
    let step = 0;
    for await (const event of train(plan, tinyDataset(), { from: null, signal: new AbortController().signal })) {
      if (event.type !== 'record' || event.record.type !== 'step') continue;
      ({ step } = event.record);
      expect(Number.isFinite(event.record.loss)).toBe(true);
      if (step <= 10) continue;
      const { numTensors, numDataBuffers } = tf.memory();
      const { usedBytes, peakBytes } = backend;
      seen.add(JSON.stringify({ usedBytes, peakBytes, numTensors, numDataBuffers }));
    }
    expect(step).toBe(nSteps);
    expect([...seen]).toHaveLength(1);
  });

  it('holds as many tensors of PyTorch’s as tfjs holds, and its constants', async () => {
    const { binding } = backend.torch;
    const count = async () => {
      await collect(tinyPlan, tinyDataset());
      return binding.count() - tf.memory().numDataBuffers;
    };
    const first = await count();
    expect(await count()).toBe(first);
    expect(first).toBeLessThan(200);
  });

  it('frees what a kernel made before it failed', () => {
    const { binding } = backend.torch;
    const [x, shift] = [tf.ones([2, 3]), tf.ones([4])];
    const before = binding.count();
    expect(() => tf.gather(x, [0, 7])).toThrow(/aten::index_select/);
    // The product is made, the sum is not.
    expect(() => tf.engine().runKernel('KafscopeScaleShift', { x, scale: x, shift })).toThrow(/aten::subtract/);
    expect(binding.count()).toBe(before);
    tf.dispose([x, shift]);
    expect(binding.count()).toBe(before - 2);
  });
});
