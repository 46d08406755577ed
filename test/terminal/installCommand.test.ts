// `kafscope install tensorflow` with a made-up pip: what it says. What it does to the disk is installTensorflow.test.ts's.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { installCommand } from '../../server/terminal/installCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { jsonLines } from './kafscope.ts';
import { fakePip, makeZip } from '../tensor/tensorflow/wheels.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

const wheel = makeZip({
  'tensorflow/libtensorflow_cc.so.2': 'no library',
  'tensorflow/libtensorflow_framework.so.2': 'no library',
  'tensorflow_cpu-2.21.0.dist-info/METADATA': 'Version: 2.21.0',
});

function install() {
  const root = temporaryFolder();
  const { python, set } = fakePip(root, { 'tensorflow_cpu-2.21.0-cp312-cp312-any.whl': wheel });
  const folder = path.join(root, 'tensorflow');
  let written = '';
  const output = { write: (text: string) => (written += text) };
  const terminal = new Terminal({ isJson: true, output, errors: output });
  const command = { folder, variant: 'cpu', python, assetsFolder, platform: 'linux-x64', set } as const;
  const ended = installCommand(command, terminal);
  return { ended, folder, lines: () => jsonLines(written) };
}

describe('kafscope install tensorflow', () => {
  it('says what it installed, and that it does not work where it does not', async () => {
    const { ended, folder, lines } = install();
    await expect(ended).rejects.toThrow(
      /^It is installed but does not work: .*can't be loaded: .*"kafscope install tensorflow"/,
    );
    expect(lines().at(-1)).toMatchObject({
      type: 'done',
      folder,
      name: 'tensorflow-cpu',
      version: '2.21.0',
      device: '',
      fault: expect.stringContaining("can't be loaded") as string,
    });
    expect(fs.readdirSync(folder).sort()).toEqual([
      '.kafscope-tensorflow',
      'tensorflow',
      'tensorflow_cpu-2.21.0.dist-info',
    ]);
  });

  it('knows where TensorFlow has no package', async () => {
    const terminal = new Terminal({ isJson: false, output: { write: () => 0 }, errors: { write: () => 0 } });
    const command = {
      ...{ folder: temporaryFolder(), python: 'python3', assetsFolder },
      ...({ variant: 'gpu', platform: 'darwin-arm64' } as const),
    };
    await expect(installCommand(command, terminal)).rejects.toThrow(
      'There is no TensorFlow with CUDA to install for darwin-arm64.',
    );
    await expect(installCommand({ ...command, variant: 'cpu', platform: 'win32-x64' }, terminal)).rejects.toThrow(
      'There is no TensorFlow to install for win32-x64.',
    );
  });
});
