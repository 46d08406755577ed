// `kafscope doctor --ops`: its lists hold every kernel of the runtime once, and each on the right side.
import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { doctorOpsCommand } from '../../server/terminal/doctorOpsCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { openRuntime, UnsupportedRuntimeError } from '../../server/tensor/runtime.ts';
import { matrixProductKernels } from '../../server/tensor/wasm/kernels/matrixProduct.ts';
import { kafKernels } from '../../server/tensor/wasm/kernels/kaf.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { jsonLines } from './kafscope.ts';

const assetsFolder = path.join(import.meta.dirname, '../../dist');

async function output({ isJson }: { isJson: boolean }): Promise<string> {
  let written = '';
  const output = { write: (text: string) => (written += text) };
  expect(await doctorOpsCommand(assetsFolder, new Terminal({ isJson, output, errors: output }))).toBe(0);
  return written;
}

interface Lists {
  readonly accelerated: string[];
  readonly copied: string[];
  readonly adapted: string[];
}

async function lists(): Promise<Lists> {
  const lines = jsonLines(await output({ isJson: true }));
  expect(lines).toEqual([expect.objectContaining({ type: 'ops', runtime: 'wasm' })]);
  return lines[0] as unknown as Lists;
}

describe('kafscope doctor --ops', () => {
  it('lists every kernel of the runtime in exactly one list, by name', async () => {
    const { accelerated, copied, adapted } = await lists();
    const kernels = tf.getKernelsForBackend('kafscope-wasm').map(({ kernelName }) => kernelName);
    expect([...accelerated, ...copied, ...adapted].sort()).toEqual(kernels.sort());
    for (const names of [accelerated, copied, adapted]) expect(names).toEqual([...names].sort());
  });

  it('says accelerated of kernels that have WebAssembly behind them, and copied of others', async () => {
    const { accelerated, copied, adapted } = await lists();
    const ours = [...matrixProductKernels, ...kafKernels].map(({ kernelName }) => kernelName);
    expect(accelerated).toEqual(expect.arrayContaining(ours));
    expect(copied).toEqual(expect.arrayContaining([tf.Acos, tf.StringSplit]));
    // Ours, but TypeScript.
    expect(adapted).toEqual([tf.Cast]);
  });

  it('moves a kernel to the other list when it is replaced', async () => {
    await openRuntime('wasm', { assetsFolder });
    const { kernelFunc } = tf.getKernel(tf.Acos, 'cpu');
    replace(tf.Acos, (call) => kernelFunc(call));
    const replaced = await lists();
    replace(tf.Acos, kernelFunc);
    expect(replaced.accelerated).toContain(tf.Acos);
    expect(replaced.copied).not.toContain(tf.Acos);
    expect((await lists()).copied).toContain(tf.Acos);
  });

  it('gives people the same names in lines of at most 100 characters', async () => {
    const { accelerated, copied, adapted } = await lists();
    const lines = (await output({ isJson: false })).trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    const total = accelerated.length + copied.length + adapted.length;
    expect(lines[0]).toMatch(new RegExp(` accelerates ${accelerated.length} of its ${total} kernels\\.$`));
    const names = lines.filter((line) => line.startsWith('  ')).flatMap((line) => line.trim().split(' '));
    expect(names).toEqual([...accelerated, ...copied, ...adapted]);
  });

  it('fails with the reason where the runtime does not work', async () => {
    const terminal = new Terminal({ isJson: false, output: { write: () => 0 }, errors: { write: () => 0 } });
    await expect(doctorOpsCommand(temporaryFolder(), terminal)).rejects.toThrow(UnsupportedRuntimeError);
  });
});

function replace(kernelName: string, kernelFunc: tf.KernelFunc): void {
  tf.unregisterKernel(kernelName, 'kafscope-wasm');
  tf.registerKernel({ kernelName, backendName: 'kafscope-wasm', kernelFunc });
}
