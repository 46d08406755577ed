// What of this machine a verdict on its runtimes depends on, and which are tried: the trials themselves are scripted.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RuntimeName } from '../../../server/protocol/plan.ts';
import { listRuntimes, resolveRuntime } from '../../../server/run/runtime/machineRuntimes.ts';
import { tryRuntime } from '../../../server/run/runtime/runtimeTrial.ts';
import { temporaryFolder } from '../scriptedRun.ts';

vi.mock('../../../server/run/runtime/runtimeTrial.ts', { spy: true });

let options: { assetsFolder: string; log: (line: string) => void };

beforeEach(() => {
  const folder = temporaryFolder();
  vi.stubEnv('XDG_DATA_HOME', path.join(folder, 'data'));
  vi.stubEnv('HOME', folder);
  vi.stubEnv('LOCALAPPDATA', path.join(folder, 'data'));
  const assetsFolder = path.join(folder, 'dist');
  fs.mkdirSync(assetsFolder);
  fs.writeFileSync(path.join(assetsFolder, 'kernels.relaxed.wasm'), '');
  options = { assetsFolder, log: () => {} };
  vi.mocked(tryRuntime).mockImplementation((runtime) =>
    Promise.resolve({ runtime, device: 'scripted', fault: null, stepMs: runtime === 'tensorflow' ? 1 : 2, gpus: [] }),
  );
  nameTensorflow(null);
  nameTorch(null);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.clearAllMocks();
});

function nameTensorflow(version: string | null): string {
  const folder = temporaryFolder();
  if (version !== null) {
    for (const name of ['tensorflow', `tensorflow_cpu-${version}.dist-info`]) fs.mkdirSync(path.join(folder, name));
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
      fs.writeFileSync(path.join(folder, 'tensorflow', name), '');
  }
  vi.stubEnv('KAFSCOPE_TENSORFLOW', folder);
  return folder;
}

function nameTorch(version: string | null): string {
  const folder = temporaryFolder();
  if (version !== null) {
    for (const name of ['torch/lib', `torch-${version}.dist-info`])
      fs.mkdirSync(path.join(folder, name), { recursive: true });
    for (const name of ['libc10.so', 'libtorch_cpu.so']) fs.writeFileSync(path.join(folder, 'torch/lib', name), '');
  }
  vi.stubEnv('KAFSCOPE_TORCH', folder);
  return folder;
}

const tried = () => vi.mocked(tryRuntime).mock.calls.map(([runtime, folder]) => [runtime, folder]);

/** Whether the runtimes are tried again once something has changed. */
async function isTriedAgain(change: () => void): Promise<boolean> {
  await resolveRuntime('auto', options);
  vi.clearAllMocks();
  await resolveRuntime('auto', options);
  expect(tried()).toEqual([]);
  change();
  await resolveRuntime('auto', options);
  return tried().length > 0;
}

describe('the runtime of a plan', () => {
  it('is the one it names, untried, or of auto the fastest', async () => {
    for (const name of ['cpu', 'wasm', 'torch', 'tensorflow'] satisfies RuntimeName[])
      expect(await resolveRuntime(name, options)).toBe(name);
    expect(tried()).toEqual([]);
    expect(await resolveRuntime('auto', options)).toBe('wasm');
    expect(tried()).toEqual([['wasm', options.assetsFolder]]);
    nameTensorflow('2.21.0');
    expect(await resolveRuntime('auto', options)).toBe('tensorflow');
    expect(tried().slice(1)).toEqual([
      ['wasm', options.assetsFolder],
      ['tensorflow', options.assetsFolder],
    ]);
    nameTorch('2.15.0');
    await resolveRuntime('auto', options);
    expect(tried().slice(3)).toEqual([
      ['wasm', options.assetsFolder],
      ['torch', options.assetsFolder],
      ['tensorflow', options.assetsFolder],
    ]);
  });

  it('is tried once, and again where kernels, library, processor or Node are others', async () => {
    const kernels = path.join(options.assetsFolder, 'kernels.relaxed.wasm');
    expect(
      await isTriedAgain(() => {
        fs.utimesSync(kernels, 1, 1);
      }),
    ).toBe(true);
    expect(
      await isTriedAgain(() => {
        fs.rmSync(kernels);
      }),
    ).toBe(true);
    const folder = nameTensorflow('2.20.0');
    expect(
      await isTriedAgain(() => {
        fs.renameSync(
          path.join(folder, 'tensorflow_cpu-2.20.0.dist-info'),
          path.join(folder, 'tensorflow_cpu-2.21.0.dist-info'),
        );
      }),
    ).toBe(true);
    expect(await isTriedAgain(() => nameTensorflow('2.21.0'))).toBe(true);
    const torch = nameTorch('2.14.0');
    expect(
      await isTriedAgain(() => {
        fs.renameSync(path.join(torch, 'torch-2.14.0.dist-info'), path.join(torch, 'torch-2.15.0.dist-info'));
      }),
    ).toBe(true);
    expect(await isTriedAgain(() => nameTorch('2.15.0'))).toBe(true);
    const [first, ...others] = os.cpus();
    const another = { ...first!, model: 'another' };
    expect(
      await isTriedAgain(() => {
        vi.spyOn(os, 'cpus').mockReturnValue([another, ...others]);
      }),
    ).toBe(true);
    // The first one's stands for all.
    expect(
      await isTriedAgain(() => {
        vi.spyOn(os, 'cpus').mockReturnValue([another, { ...another, model: 'a third' }]);
      }),
    ).toBe(false);
    expect(
      await isTriedAgain(() => {
        vi.spyOn(os, 'availableParallelism').mockReturnValue(77);
      }),
    ).toBe(true);
    vi.mocked(os.cpus).mockRestore();
    vi.mocked(os.availableParallelism).mockRestore();
  });

  it('is remembered among the user’s data, and listed with how each did, anew where that is asked for', async () => {
    nameTensorflow('2.21.0');
    const { chosen, devices } = await listRuntimes({ ...options, isAnew: false });
    expect(chosen).toBe('tensorflow');
    expect(devices.map(({ runtime, stepMs }) => [runtime, stepMs])).toEqual([
      ['wasm', 2],
      ['torch', null],
      ['tensorflow', 1],
      ['cpu', null],
    ]);
    const root = path.dirname(options.assetsFolder);
    const memoryFile = fs
      .readdirSync(root, { recursive: true, encoding: 'utf8' })
      .find((name) => path.basename(name) === 'runtimes.json');
    expect(memoryFile).toBeDefined();
    vi.clearAllMocks();
    await listRuntimes({ ...options, isAnew: false });
    expect(tried()).toEqual([]);
    await listRuntimes({ ...options, isAnew: true });
    expect(tried()).toHaveLength(2);
  });
});
