import { describe, expect, test } from 'vitest';
import { runtimeItems, runtimeStatus } from '../../extension/runtimes/runtimeText.ts';
import type { DeviceListResult } from '../../server/protocol/messages.ts';

const list: DeviceListResult = {
  chosen: 'wasm',
  devices: [
    {
      runtime: 'wasm',
      isAvailable: true,
      device: '8 threads · SIMD',
      reason: 'The engine has SIMD.',
      stepMs: 41.3,
      gpus: [],
    },
    {
      runtime: 'tensorflow',
      isAvailable: false,
      device: '',
      reason: 'No TensorFlow was found.',
      stepMs: null,
      gpus: [],
    },
    {
      runtime: 'cpu',
      isAvailable: true,
      device: '1 thread',
      reason: 'Works everywhere; slow.',
      stepMs: null,
      gpus: [],
    },
  ],
};

describe('Select Runtime', () => {
  test('offers auto and each runtime with device, speed and reason, what does not work last', () => {
    expect(runtimeItems(list, 'auto').map(({ label, description, detail }) => [label, description, detail])).toEqual([
      ['$(check) auto', 'now wasm', expect.stringContaining('the fastest that passes')],
      ['$(chip) wasm', '8 threads · SIMD · 41 ms a test step', 'The engine has SIMD.'],
      ['$(chip) cpu', '1 thread', 'Works everywhere; slow.'],
      ['$(circle-slash) tensorflow', 'not here', 'No TensorFlow was found.'],
    ]);
  });

  test('puts the fastest first and checks the one that is set', () => {
    const [wasm, tensorflow, cpu] = list.devices;
    const fast = { ...tensorflow!, isAvailable: true, device: 'GPU', stepMs: 3.14 };
    const items = runtimeItems({ chosen: 'tensorflow', devices: [wasm!, fast, cpu!] }, 'tensorflow');
    expect(items.map(({ label }) => label)).toEqual([
      '$(sparkle) auto',
      '$(check) tensorflow',
      '$(chip) wasm',
      '$(chip) cpu',
    ]);
    expect(items[1]!.description).toBe('GPU · 3.1 ms a test step');
  });
});

describe('the status bar', () => {
  test('shows what trains, and why it is that', () => {
    expect(runtimeStatus('auto', list)).toEqual({
      text: '$(chip) wasm',
      tooltip:
        'Kafscope trains on wasm, chosen as the fastest here.\n8 threads · SIMD · 41 ms a test step\nSelect another runtime',
      isFaulty: false,
    });
    expect(runtimeStatus('cpu', list)).toMatchObject({ text: '$(chip) cpu' });
  });

  test('knows before the server has answered only what is set', () => {
    expect(runtimeStatus('auto', null).text).toBe('$(chip) auto');
    expect(runtimeStatus('tensorflow', null)).toMatchObject({ text: '$(chip) tensorflow', isFaulty: false });
  });

  test('warns where what is set does not work', () => {
    expect(runtimeStatus('tensorflow', list)).toEqual({
      text: '$(warning) tensorflow',
      tooltip: 'Kafscope trains on tensorflow, set in the settings.\nNo TensorFlow was found.\nSelect another runtime',
      isFaulty: true,
    });
  });
});
