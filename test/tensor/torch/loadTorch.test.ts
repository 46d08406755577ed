// PyTorches and devices that can't be used, each in a process of its own as `kafscope doctor` loads them: one sentence says why.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { tryRuntime } from '../../../server/run/runtime/runtimeTrial.ts';
import { listDevices, openRuntime, UnsupportedRuntimeError } from '../../../server/tensor/runtime.ts';
import { loadTorch } from '../../../server/tensor/torch/loadTorch.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { assetsFolder } from '../wasm/builds.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A folder of packages with a PyTorch 2.15 whose libraries are this file. */
function packagesOf(content: Buffer): string {
  const folder = temporaryFolder();
  for (const name of ['torch/lib', 'torch-2.15.0.dist-info'])
    fs.mkdirSync(path.join(folder, name), { recursive: true });
  for (const name of ['libc10.so', 'libtorch_cpu.so']) fs.writeFileSync(path.join(folder, 'torch/lib', name), content);
  return folder;
}

/** A library that loads, and is no PyTorch. */
function bindingFile(): Buffer {
  return fs.readFileSync(path.join(assetsFolder, 'torch', `${process.platform}-${process.arch}`, 'torch.node'));
}

async function faultOf(folder: string): Promise<string | null> {
  return (await tryRuntime('torch', assetsFolder, { ...process.env, KAFSCOPE_TORCH: folder })).fault;
}

describe('a PyTorch that can’t be used', () => {
  it('is named where its library is no library', async () => {
    expect(await faultOf(packagesOf(Buffer.from('not a library')))).toMatch(
      /^PyTorch 2\.15\.0 in \S+ can't be loaded: .*libc10\.so: .+\. Install it there with "python -m pip install torch"/,
    );
  });

  it('is named where its library is cut off, which would end the process', async () => {
    const whole = bindingFile();
    expect(await faultOf(packagesOf(whole.subarray(0, whole.length - 1)))).toMatch(
      /^PyTorch 2\.15\.0 in \S+ can't be loaded: \S+libc10\.so is cut off\. Install it there /,
    );
  });

  it('is named where a function is missing', async () => {
    expect(await faultOf(packagesOf(bindingFile()))).toMatch(
      /^PyTorch 2\.15\.0 in \S+ does not fit Kafscope's binding: it has no function aoti_torch_abi_version\. Install it there /,
    );
  });

  it('is named where this copy of Kafscope has no binding', () => {
    const accelerators = { cuda: [], xpu: [] };
    const library = { files: [], version: '2.15.0', accelerators, folder: '/t', origin: 'here', isChosen: false };
    expect(() => loadTorch(temporaryFolder(), library, { threads: 1 })).toThrow(
      /^This copy of Kafscope has no binding to PyTorch for \S+ \(\S+torch\.node is missing\); "npm run build" makes it/,
    );
  });

  it('is reported where there is none, by the runtime and in the list of devices', async () => {
    vi.stubEnv('KAFSCOPE_TORCH', '/nowhere');
    const opening = openRuntime('torch', { assetsFolder });
    await expect(opening).rejects.toThrow(UnsupportedRuntimeError);
    await expect(opening).rejects.toThrow(
      /^the runtime torch does not work here: There is no PyTorch in \/nowhere, named by the setting kafscope\.torch\.path /,
    );
    const devices = listDevices({ assetsFolder }, []);
    expect(devices.find(({ runtime }) => runtime === 'torch')).toMatchObject({
      isAvailable: false,
      device: '',
      reason: expect.stringMatching(/^There is no PyTorch in \/nowhere/) as string,
    });
  });
});

describe('a device that can’t be used', () => {
  it.each([
    // Of these no machine has one, or a machine with one has no more than eight.
    ['cuda:7', /^PyTorch \S+ in \S+ can't use the device cuda:7: .+\.$/],
    ['xpu:3', /^PyTorch \S+ in \S+ can't use the device xpu:3: this build has no XPU\.$/],
    ['gpu', /^There is no device gpu: expected cpu, cuda, cuda:1, mps or xpu\.$/],
  ])('%s is refused by a sentence', async (device, sentence) => {
    const opening = openRuntime('torch', { assetsFolder, device });
    await expect(opening).rejects.toThrow(UnsupportedRuntimeError);
    await expect(opening).rejects.toMatchObject({ reason: expect.stringMatching(sentence) as string });
  });
});
