// TensorFlows that can't be used, each in a process of its own as `kafscope doctor` loads them: one sentence says why.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadTensorflow } from '../../../server/tensor/tensorflow/loadTensorflow.ts';
import { tryRuntime } from '../../../server/run/runtime/runtimeTrial.ts';
import { listDevices, openRuntime, UnsupportedRuntimeError } from '../../../server/tensor/runtime.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { assetsFolder } from '../wasm/builds.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A folder of packages with a TensorFlow 2.21 whose two libraries are this file. */
function packagesOf(content: Buffer): string {
  const folder = temporaryFolder();
  for (const name of ['tensorflow', 'tensorflow_cpu-2.21.0.dist-info']) fs.mkdirSync(path.join(folder, name));
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
    fs.writeFileSync(path.join(folder, 'tensorflow', name), content);
  }
  return folder;
}

/** A library that loads, and is no TensorFlow. */
function bindingFile(name: string): Buffer {
  const platform = `${process.platform}-${process.arch}`;
  return fs.readFileSync(path.join(assetsFolder, 'tensorflow', platform, `${name}.node`));
}

async function faultOf(folder: string): Promise<string | null> {
  const trial = await tryRuntime('tensorflow', assetsFolder, { ...process.env, KAFSCOPE_TENSORFLOW: folder });
  return trial.fault;
}

describe('a TensorFlow that can’t be used', () => {
  it('is named where its library is no library', async () => {
    const folder = packagesOf(Buffer.from('not a library'));
    expect(await faultOf(folder)).toMatch(
      /^TensorFlow 2\.21\.0 in \S+ can't be loaded: .*libtensorflow_framework\.so\.2: .+\. Name a Python .* there, or .*"kafscope install tensorflow"/,
    );
  });

  it('is named where its library is cut off, which would end the process', async () => {
    const whole = bindingFile('openLibrary');
    const folder = packagesOf(whole.subarray(0, whole.length - 1));
    expect(await faultOf(folder)).toMatch(
      /^TensorFlow 2\.21\.0 in \S+ can't be loaded: \S+libtensorflow_framework\.so\.2 is cut off\. Name a Python /,
    );
  });

  it('is named where a function is missing', async () => {
    const folder = packagesOf(bindingFile('openLibrary'));
    expect(await faultOf(folder)).toMatch(
      /^TensorFlow 2\.21\.0 in \S+ does not fit Kafscope's binding: .*undefined symbol: TF_\w+.*\. Name a Python .* there/,
    );
  });

  it('is named where this copy of Kafscope has no binding', () => {
    const library = { files: [], version: '2.21.0', hasCuda: false, folder: '/tf', origin: 'here', isChosen: false };
    expect(() => loadTensorflow(temporaryFolder(), library)).toThrow(
      /^This copy of Kafscope has no binding to TensorFlow for \S+ \(\S+openLibrary\.node is missing\); "npm run build" makes it/,
    );
  });

  it('is reported where there is none, by the runtime and in the list of devices', async () => {
    vi.stubEnv('KAFSCOPE_TENSORFLOW', '/nowhere');
    const opening = openRuntime('tensorflow', { assetsFolder });
    await expect(opening).rejects.toThrow(UnsupportedRuntimeError);
    await expect(opening).rejects.toThrow(
      /^the runtime tensorflow does not work here: There is no TensorFlow in \/nowhere, named by the setting kafscope\.tensorflow\.path .* install it with "kafscope install tensorflow"/,
    );
    const devices = listDevices({ assetsFolder }, []);
    expect(devices.find(({ runtime }) => runtime === 'tensorflow')).toMatchObject({
      isAvailable: false,
      device: '',
      reason: expect.stringMatching(/^There is no TensorFlow in \/nowhere/) as string,
    });
  });
});
