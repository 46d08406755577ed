import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  InstallError,
  installTensorflow,
  type InstallOptions,
  type InstallProgress,
} from '../../../server/tensor/tensorflow/installTensorflow.ts';
import { findTensorflow } from '../../../server/tensor/tensorflow/findTensorflow.ts';
import { wheelSet } from '../../../server/tensor/tensorflow/tensorflowWheels.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { fakePip, makeZip, type FakePipOptions } from './wheels.ts';

const library = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 2_654_435_761) >>> 24));
const tensorflowWheel = {
  'tensorflow/libtensorflow_cc.so.2': library,
  'tensorflow/libtensorflow_framework.so.2': 'framework',
  'tensorflow/python/ops.py': 'import this',
  'tensorflow/include/tensorflow/c/c_api.h': '#pragma once',
  'tensorflow_cpu-2.21.0.dist-info/METADATA': 'Version: 2.21.0',
  'tensorflow_cpu-2.21.0.dist-info/RECORD': 'all of it',
};
const cpuName = 'tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl';

function setUp(
  archives: Readonly<Record<string, Buffer>> = { [cpuName]: makeZip(tensorflowWheel) },
  pip: FakePipOptions = {},
) {
  const root = temporaryFolder();
  const fake = fakePip(root, archives, pip);
  const folder = path.join(root, 'data', 'tensorflow');
  const install = (more: Partial<InstallOptions> = {}) =>
    installTensorflow(folder, {
      python: fake.python,
      set: fake.set,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      ...more,
    });
  const files = () =>
    fs.existsSync(path.dirname(folder))
      ? fs
          .readdirSync(path.dirname(folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.relative(path.dirname(folder), path.join(entry.parentPath, entry.name)))
          .sort()
      : [];
  return { ...fake, folder, install, files };
}

describe('installing TensorFlow', () => {
  it('keeps the libraries and what tells their version, where they are then found', async () => {
    const { install, folder, files } = setUp();
    const progress: InstallProgress[] = [];
    await install({ onProgress: (report) => progress.push(report) });
    expect(files()).toEqual([
      'tensorflow/.kafscope-tensorflow',
      'tensorflow/tensorflow/libtensorflow_cc.so.2',
      'tensorflow/tensorflow/libtensorflow_framework.so.2',
      'tensorflow/tensorflow_cpu-2.21.0.dist-info/METADATA',
    ]);
    expect(fs.readFileSync(path.join(folder, 'tensorflow/libtensorflow_cc.so.2'))).toEqual(library);
    const view = {
      list: (place: string) => (fs.existsSync(place) ? fs.readdirSync(place) : []),
      isFile: (file: string) => fs.existsSync(file) && fs.statSync(file).isFile(),
    };
    const found = findTensorflow([{ place: folder, origin: 'installed', isChosen: false }], view);
    expect(found.library).toMatchObject({ version: '2.21.0', hasCuda: false });
    const unpacked = progress.filter(({ stage }) => stage === 'unpack').at(-1)!;
    expect(unpacked.doneBytes).toBe(unpacked.totalBytes);
  });

  it('asks pip for exactly the packages of the list, and for nothing that they depend on', async () => {
    const { install, calls } = setUp();
    await install();
    const [version, download] = calls();
    expect(version).toBe('-m pip --version');
    expect(download).toMatch(
      /^-m pip download .*--no-deps --only-binary=:all: .*--platform manylinux_2_27_x86_64 tensorflow-cpu==2\.21\.0$/,
    );
  });

  it('brings the CUDA libraries without their headers', async () => {
    const { install, files } = setUp({
      'tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl': makeZip({
        'tensorflow/libtensorflow_cc.so.2': 'cuda',
      }),
      'nvidia_nccl_cu12-2.32.3-py3-none-manylinux_2_27_x86_64.whl': makeZip({
        'nvidia/nccl/lib/libnccl.so.2': 'nccl',
        'nvidia/nccl/include/nccl.h': '#pragma once',
      }),
    });
    await install();
    expect(files()).toEqual([
      'tensorflow/.kafscope-tensorflow',
      'tensorflow/nvidia/nccl/lib/libnccl.so.2',
      'tensorflow/tensorflow/libtensorflow_cc.so.2',
    ]);
  });

  it('replaces what it had installed before, and keeps that where it fails', async () => {
    const { install, folder, files, set } = setUp();
    await install();
    fs.writeFileSync(path.join(folder, 'tensorflow/older'), '');
    const [wheel] = set.wheels as [(typeof set.wheels)[number]];
    const wrong = install({ set: { ...set, wheels: [{ ...wheel, sha256: 'abc' }] } });
    await expect(wrong).rejects.toThrow(InstallError);
    await expect(wrong).rejects.toThrow(
      `What pip brought as tensorflow-cpu 2.21.0 has the SHA-256 checksum ${wheel.sha256} instead of abc. It was deleted`,
    );
    expect(files()).toContain('tensorflow/tensorflow/older');
    await install();
    expect(files()).not.toContain('tensorflow/tensorflow/older');
    expect(fs.readdirSync(path.dirname(folder))).toEqual(['tensorflow']);
  });

  it('replaces what version 0.1 installed, which has no mark', async () => {
    const { install, folder, files } = setUp();
    await install();
    fs.rmSync(path.join(folder, '.kafscope-tensorflow'));
    await install();
    expect(files()).toContain('tensorflow/.kafscope-tensorflow');
  });

  it('deletes nothing that it has not made: neither the folder nor one beside it', async () => {
    const { install, folder, files } = setUp();
    fs.mkdirSync(`${folder}.partial`, { recursive: true });
    fs.writeFileSync(`${folder}.partial/thesis.tex`, 'mine');
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'thesis.tex'), 'mine');
    await expect(install()).rejects.toThrow(
      `${folder} holds files that Kafscope has not made, and installing there would replace it. Name a folder that is new or empty`,
    );
    expect(files()).toEqual(['tensorflow.partial/thesis.tex', 'tensorflow/thesis.tex']);
    fs.rmSync(path.join(folder, 'thesis.tex'));
    await install();
    expect(files()).toContain('tensorflow.partial/thesis.tex');
  });

  it('follows no link in the place of the folder', async () => {
    const { install, folder } = setUp();
    const elsewhere = temporaryFolder();
    fs.writeFileSync(path.join(elsewhere, 'thesis.tex'), 'mine');
    fs.mkdirSync(path.dirname(folder), { recursive: true });
    fs.symlinkSync(elsewhere, folder);
    await expect(install()).rejects.toThrow(`${folder} is not a folder`);
    expect(fs.readdirSync(elsewhere)).toEqual(['thesis.tex']);
  });

  it('runs Python in a folder of its own: a pip.py where one happens to be is not run', async () => {
    const { install, folders } = setUp();
    await install();
    for (const used of folders()) expect(path.basename(used)).toMatch(/^(tensorflow\.partial-.+|temporary)$/);
    expect(folders()).toHaveLength(2);
  });

  it.each<[string, FakePipOptions, RegExp]>([
    [
      'there is no pip',
      { version: 'echo "/usr/bin/python3: No module named pip" >&2; exit 1' },
      /has no pip \(\/usr\/bin\/python3: No module named pip\)\. On Debian and Ubuntu: sudo apt-get install python3-pip/,
    ],
    [
      'there is no network',
      { download: 'echo "ERROR: No matching distribution found for tensorflow-cpu==2.21.0" >&2; exit 1' },
      /^pip could not download tensorflow-cpu 2\.21\.0: No matching distribution found for tensorflow-cpu==2\.21\.0\. Check the connection/,
    ],
    [
      'pip brings something else',
      { download: 'touch "$dest"/other-1.0.whl' },
      /^pip brought no tensorflow-cpu 2\.21\.0\./,
    ],
  ])('says so where %s, and leaves nothing', async (_case, pip, message) => {
    const { install, files } = setUp(undefined, pip);
    await expect(install()).rejects.toThrow(message);
    expect(files()).toEqual([]);
  });

  it('says so where there is no Python', async () => {
    const { install } = setUp();
    await expect(install({ python: '/nowhere/python3' })).rejects.toThrow(
      /^\/nowhere\/python3 can't be started\. Install Python 3 with pip/,
    );
  });

  it('says so where the disk is too small, before anything is fetched', async () => {
    const { install, set, folder, files } = setUp();
    await expect(install({ set: { ...set, unpackedBytes: 1e18 } })).rejects.toThrow(
      new RegExp(`^TensorFlow needs 1000000000\\.0 GB on the disk of ${path.dirname(folder)} while it is installed`),
    );
    expect(files()).toEqual([]);
  });

  it('stops when asked, ends pip, and leaves nothing', async () => {
    const { install, files } = setUp(undefined, { download: 'touch "$dest"/part; exec tail -f /dev/null' });
    const controller = new AbortController();
    const stopped = install({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(files()).toEqual([]);
  });

  it('refuses a damaged archive, and a path that leads out of the folder', async () => {
    const damaged = makeZip(tensorflowWheel);
    damaged[100] = damaged[100]! ^ 1;
    await expect(setUp({ [cpuName]: damaged }).install()).rejects.toThrow(/invalid/);
    const unsafe = setUp({ [cpuName]: makeZip({ 'nvidia/../../../escaped': 'x' }) });
    await expect(unsafe.install()).rejects.toThrow('invalid relative path: nvidia/../../../escaped');
    expect(unsafe.files()).toEqual([]);
  });

  it('has packages for Linux and macOS, with CUDA for Linux on x64 alone', () => {
    const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64'];
    expect(platforms.filter((platform) => wheelSet(platform, 'cpu'))).toEqual(platforms.slice(0, 3));
    expect(platforms.filter((platform) => wheelSet(platform, 'gpu'))).toEqual(['linux-x64']);
    for (const { sha256 } of wheelSet('linux-x64', 'gpu')!.wheels) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});
