// Installs what the scripts need, each only when its lock file changed: the project's npm packages, code-server, Chromium, and
// TensorFlow and PyTorch for the tests.
// Works before anything is installed, on Node ≥ 20, without packages.
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const codeServerFolder = path.join(root, 'scripts/codeServer');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** A sentence for the user; the scripts print it without a stack. */
export class SetupError extends Error {}

/** Node ≥ 20 and 2 GiB of free disk, or a SetupError. */
export function checkMachine({ nodeVersion = process.versions.node, freeBytes = freeDisk() } = {}) {
  if (Number(nodeVersion.split('.')[0]) < 20) {
    throw new SetupError(`Kafscope's scripts need Node 20 or newer, this is ${nodeVersion}.`);
  }
  const freeGiB = freeBytes / 2 ** 30;
  if (freeGiB < 2) {
    throw new SetupError(
      `Only ${freeGiB.toFixed(1)} GiB are free on the disk of ${root}; make room for at least 2 GiB and try again.`,
    );
  }
}

function freeDisk() {
  const { bavail, bsize } = fs.statfsSync(root);
  return bavail * bsize;
}

/** `npm ci` in the project, unless it has run for this lock file. */
export async function installPackages() {
  await installOnce(packages(root), 'npm packages', async () => {
    await run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root });
  });
}

/** code-server with its own packages; only what it needs to show Output channels is compiled (C++ compiler and make). */
export async function installCodeServer() {
  await installOnce(packages(codeServerFolder), 'code-server (some 600 MB)', async () => {
    const { supportedNode } = await import('./node24.mjs');
    const node = supportedNode();
    const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
    const headers = path.dirname(path.dirname(node));
    if (fs.existsSync(path.join(headers, 'include/node'))) env.npm_config_nodedir = headers;
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
    await run(npm, ['ci', ...quiet], { cwd: codeServerFolder, env });
    const vscode = path.join(codeServerFolder, 'node_modules/code-server/lib/vscode');
    for (const folder of [vscode, path.join(vscode, 'extensions')]) {
      await run(npm, ['install', '--omit=dev', ...quiet], { cwd: folder, env });
    }
    // The project's .npmrc forbids install scripts; these two compile from sources that are already there.
    const rebuild = ['rebuild', '--ignore-scripts=false', '@vscode/spdlog', '@vscode/native-watchdog'];
    await run(npm, rebuild, { cwd: vscode, env }).catch((error) => {
      console.warn(`Output channels of the browser VS Code will stay empty: ${error.message}`);
    });
  });
}

const tensorflowFolder = path.join(root, 'node_modules/.cache/kafscope/tensorflow');

/** Whether TensorFlow has a library for this platform that the runtime `tensorflow` can use. */
export const hasTensorflow = process.platform !== 'win32';

/** TensorFlow's library for the tests, by the project's own installer, which must be built. vitest.config.ts names the place. */
export async function installTensorflow() {
  const lists = {
    lock: path.join(root, 'server/tensor/tensorflow/tensorflowWheels.ts'),
    marker: `${tensorflowFolder}.txt`,
  };
  await installOnce(lists, 'TensorFlow (274 MB)', async () => {
    await installPip();
    const install = ['scripts/kafscope.mjs', 'install', 'tensorflow', '--into', tensorflowFolder];
    await run(process.execPath, install, { cwd: root });
  });
}

const torchFolder = path.join(root, 'node_modules/.cache/kafscope/torch');

/** Whether there are pinned packages of PyTorch for this platform; elsewhere KAFSCOPE_TORCH names a Python that has it. */
export const hasTorch = process.platform === 'linux' && process.arch === 'x64';

/**
 * PyTorch's library for the tests, from the wheel on PyPI, which is built for CUDA: of its 539 MB what the CPU needs is kept. Of the libraries
 * for the GPU (2.6 GB) two that it is linked to are fetched, and the compiler of CUDA C (90 MB). vitest.config.ts names the place.
 */
export async function installTorch() {
  const lock = path.join(root, 'test/tensor/torch/wheels.txt');
  await installOnce({ lock, marker: `${torchFolder}.txt` }, 'PyTorch (644 MB)', async () => {
    await installPip();
    fs.mkdirSync(path.dirname(torchFolder), { recursive: true });
    const partial = fs.mkdtempSync(`${torchFolder}.partial-`);
    try {
      const wheels = path.join(partial, 'wheels');
      const download = [
        ...['-m', 'pip', 'download', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--quiet'],
        ...['--no-deps', '--only-binary=:all:', '--require-hashes', '--requirement', lock, '--dest', wheels],
        ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'],
        ...['2_28', '2_25', '2_17', '2_12'].flatMap((glibc) => ['--platform', `manylinux_${glibc}_x86_64`]),
      ];
      await run('python3', download, { cwd: partial });
      await run('python3', ['-c', unpackLibraries, wheels, path.join(partial, 'packages')], { cwd: partial });
      fs.rmSync(torchFolder, { recursive: true, force: true });
      fs.renameSync(path.join(partial, 'packages'), torchFolder);
    } finally {
      fs.rmSync(partial, { recursive: true, force: true });
    }
  });
}

/** Of wheels whose checksums pip has compared. */
const unpackLibraries = `
import pathlib, re, sys, zipfile
wanted = re.compile(r'torch/lib/lib(c10|torch_cpu|gomp)\\.so|nvidia/.*/lib(cudart|cupti|nvrtc)(-builtins)?\\.so|.*\\.dist-info/METADATA$')
for wheel in pathlib.Path(sys.argv[1]).glob('*.whl'):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sys.argv[2], [name for name in archive.namelist() if wanted.match(name)])
`;

async function installPip() {
  if (!isDebianRoot() || spawnSync('python3', ['-m', 'pip', '--version']).status === 0) return;
  await run('apt-get', ['update', '-qq'], { cwd: root });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'python3-pip'], { cwd: root });
}

const chromiumPaths = [
  process.env.KAFSCOPE_CHROMIUM,
  '/usr/lib/chromium/chromium',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The path of a Chromium or Chrome, installed with apt where that is possible. @throws SetupError with what to install. */
export async function findChromium({ paths = chromiumPaths, canInstall = isDebianRoot() } = {}) {
  const find = () => paths.find((candidate) => candidate && fs.existsSync(candidate));
  if (!find() && canInstall) {
    console.log('Installing Chromium (apt-get) …');
    await run('apt-get', ['update', '-qq'], { cwd: root });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { cwd: root });
  }
  const found = find();
  if (found) return found;
  throw new SetupError(
    'The tests in a real VS Code need Chromium or Chrome. Install one (on Debian and Ubuntu: sudo apt-get install chromium), or name it in the environment variable KAFSCOPE_CHROMIUM.',
  );
}

/**
 * What mounts a folder twice, for the tests of disks that hosts share, by apt where that is possible and the machine may mount. Elsewhere
 * those tests say that they did not run.
 */
export async function installBindfs() {
  if (which('bindfs') || !isDebianRoot() || !fs.existsSync('/dev/fuse')) return;
  console.log('Installing bindfs (apt-get) …');
  try {
    await run('apt-get', ['update', '-qq'], { cwd: root });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'bindfs'], { cwd: root });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`bindfs is left out: ${error.message}`);
  }
}

/**
 * Slurm for the test that runs a sweep on a cluster of virtual nodes, by apt where that is possible. Elsewhere that test says that it did not
 * run. The test starts daemons of its own, in a folder of its own.
 */
export async function installSlurm() {
  if ((which('sbatch') && fs.existsSync('/usr/sbin/munged')) || !isDebianRoot()) return;
  console.log('Installing Slurm (apt-get) …');
  try {
    await run('apt-get', ['update', '-qq'], { cwd: root });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'slurm-wlm', 'munge'], { cwd: root });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`Slurm is left out: ${error.message}`);
  }
}

function isDebianRoot() {
  return fs.existsSync('/etc/debian_version') && process.getuid?.() === 0;
}

/** Runs to the end with its output shown. @throws Error naming the command and its exit code. */
export async function run(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0)
    throw new SetupError(`"${path.basename(command)} ${args.join(' ')}" ended with ${signal ?? `exit code ${code}`}.`);
}

/** The path of a command, or undefined. */
export function which(command) {
  const found = spawnSync(process.platform === 'win32' ? 'where' : 'which', [command], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.split(/\r?\n/)[0] : undefined;
}

function packages(folder) {
  return {
    lock: path.join(folder, 'package-lock.json'),
    marker: path.join(folder, 'node_modules/.kafscope-installed'),
  };
}

/** Does the work unless the marker says that it has been done for the lock file as it is. */
async function installOnce({ lock, marker }, what, work) {
  const digest = crypto.createHash('sha256').update(fs.readFileSync(lock)).digest('hex');
  if (fs.existsSync(marker) && fs.readFileSync(marker, 'utf8') === digest) return;
  console.log(`Installing ${what} …`);
  await work();
  fs.writeFileSync(marker, digest);
}
