import * as tf from '@tensorflow/tfjs-core';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { listDevices, openRuntime, torchDevice, UnsupportedRuntimeError } from '../../server/tensor/runtime.ts';
import { isSupported } from '../../server/tensor/wasm/loadKernels.ts';
import { assetsFolder } from './wasm/builds.ts';

const emptyFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-runtime-'));

afterAll(() => {
  fs.rmSync(emptyFolder, { recursive: true });
});

/** A number that went through a kernel of ours or, on `cpu`, of tfjs. */
function seventeen(): number {
  return tf.tidy(() => tf.matMul(tf.tensor2d([1, 4], [1, 2]), tf.tensor2d([1, 4], [2, 1])).dataSync()[0]!);
}

describe('runtime', () => {
  it('becomes what tfjs computes on', async () => {
    expect((await openRuntime('wasm', { assetsFolder })).name).toBe('wasm');
    expect(tf.getBackend()).toBe('kafscope-wasm');
    expect(seventeen()).toBe(17);
    expect((await openRuntime('cpu', { assetsFolder })).name).toBe('cpu');
    expect(tf.getBackend()).toBe('cpu');
    expect(seventeen()).toBe(17);
  });

  it('says how it computes', async () => {
    const simd = isSupported(assetsFolder, 'relaxed') ? 'relaxed SIMD' : 'SIMD';
    const nCores = os.availableParallelism();
    const asMany = nCores === 1 ? '1 thread' : `${nCores} threads`;
    expect((await openRuntime('wasm', { assetsFolder })).device).toBe(`${asMany} · ${simd}`);
    expect((await openRuntime('wasm', { assetsFolder, threads: 1 })).device).toBe(`1 thread · ${simd}`);
    expect((await openRuntime('wasm', { assetsFolder, threads: 3 })).device).toBe(`3 threads · ${simd}`);
    expect((await openRuntime('cpu', { assetsFolder })).device).toBe('1 thread · plain JavaScript');
  });

  it('fails with the reason where wasm is asked for and the kernels are missing', async () => {
    const opening = openRuntime('wasm', { assetsFolder: emptyFolder });
    await expect(opening).rejects.toThrow(UnsupportedRuntimeError);
    await expect(opening).rejects.toThrow(/runtime wasm does not work here: .*kernels\.relaxed\.wasm/);
  });

  it('fails with the reason where the kernels are of another build', async () => {
    const folder = fs.mkdtempSync(path.join(emptyFolder, 'other-'));
    // An empty module: it compiles, and has none of the kernels.
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    for (const file of ['kernels.wasm', 'kernels.relaxed.wasm']) fs.writeFileSync(path.join(folder, file), empty);
    await expect(openRuntime('wasm', { assetsFolder: folder })).rejects.toThrow(/there is no kernel \w+: rebuild them/);
  });

  it('reports the bytes of tensors on wasm', async () => {
    const runtime = await openRuntime('wasm', { assetsFolder });
    const before = runtime.memory();
    const tensor = tf.zeros([1000]);
    const during = runtime.memory();
    tensor.dispose();
    const after = runtime.memory();
    expect(during.usedBytes - before.usedBytes).toBeGreaterThanOrEqual(4000);
    expect(after.usedBytes).toBe(before.usedBytes);
    expect(after.peakBytes).toBeGreaterThanOrEqual(during.usedBytes);
  });

  it.each(['torch', 'tensorflow', 'cpu'] as const)('reports the memory of the process on %s', async (name) => {
    const runtime = await openRuntime(name, { assetsFolder, device: 'cpu' });
    const before = runtime.memory();
    const tensor = tf.fill([25_000_000], 1);
    const during = runtime.memory();
    tensor.dispose();
    expect(during.usedBytes - before.usedBytes).toBeGreaterThan(50e6);
    expect(during.peakBytes).toBeGreaterThanOrEqual(during.usedBytes);
  });

  it('opens anew with nothing of the one before', async () => {
    const first = await openRuntime('wasm', { assetsFolder });
    tf.zeros([1000]);
    expect(first.memory().usedBytes).toBeGreaterThan(0);
    const second = await openRuntime('wasm', { assetsFolder });
    expect(second.memory().usedBytes).toBe(0);
    expect(seventeen()).toBe(17);
  });

  it('always says of an NVIDIA GPU whether TF32 is allowed', () => {
    const gpu = { type: 'cuda', index: 1, name: 'a GPU', memoryBytes: 1e9 } as const;
    expect(torchDevice('2.15.0', gpu, false)).toBe('PyTorch 2.15.0 · cuda:1 (a GPU) · TF32 off');
    expect(torchDevice('2.15.0', gpu, true)).toBe('PyTorch 2.15.0 · cuda:1 (a GPU) · TF32 on');
    const cpu = { type: 'cpu', index: 0, name: '', memoryBytes: null } as const;
    expect(torchDevice('2.15.0', cpu, true)).toBe('PyTorch 2.15.0 · CPU');
  });

  it('lists each device and why it is usable or not, and opens none', async () => {
    await openRuntime('cpu', { assetsFolder });
    const tried = { runtime: 'wasm', device: '2 threads · SIMD', fault: null, stepMs: 7, gpus: [] } as const;
    const library = {
      runtime: 'tensorflow',
      device: 'TensorFlow 2.21.0 · CPU',
      fault: null,
      stepMs: 9,
      gpus: [],
    } as const;
    const torchTried = { runtime: 'torch', device: 'PyTorch 2.15.0 · CPU', fault: null, stepMs: 8, gpus: [] } as const;
    const [wasm, torch, tensorflow, cpu] = listDevices({ assetsFolder }, [tried, library, torchTried]);
    expect(wasm).toMatchObject({ runtime: 'wasm', isAvailable: true, device: '2 threads · SIMD', stepMs: 7 });
    expect(tensorflow).toMatchObject({ runtime: 'tensorflow', isAvailable: true, device: library.device, stepMs: 9 });
    expect(tensorflow!.reason).toMatch(/^Found in \S+\/tensorflow, named by .+ No GPU is used: this build has no CUDA/);
    expect(torch).toMatchObject({ runtime: 'torch', isAvailable: true, device: torchTried.device, stepMs: 8 });
    expect(torch!.reason).toMatch(/^Found in \S+\/torch\/lib, named by .+ No GPU is used: /);
    const onGpus = [
      { ...torchTried, device: 'PyTorch 2.15.0 · cuda:1 (a GPU)' },
      { ...library, device: 'TensorFlow 2.21.0 · GPU' },
    ];
    const [, torchOnGpu, onGpu] = listDevices({ assetsFolder }, onGpus);
    expect(torchOnGpu!.reason).toMatch(
      / PyTorch uses the GPU, in float32; TF32 is off unless an experiment allows it\.$/,
    );
    expect(onGpu!.reason).toMatch(/ TensorFlow uses the GPU\.$/);
    expect(cpu).toMatchObject({ runtime: 'cpu', isAvailable: true, device: '1 thread · plain JavaScript' });
    const fault = 'The kernels are missing.';
    const [missing] = listDevices({ assetsFolder }, [{ ...tried, device: '', fault, stepMs: null }]);
    expect(missing).toEqual({ runtime: 'wasm', isAvailable: false, device: '', reason: fault, stepMs: null, gpus: [] });
    expect(tf.getBackend()).toBe('cpu');
  });
});
