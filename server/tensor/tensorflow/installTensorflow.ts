// Puts TensorFlow's library into a folder on the user's word: fetched by the user's pip, checked against the checksums of
// tensorflowWheels.ts, unpacked without the Python around it. Complete or not there at all. Nothing calls this on its own.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import type { Wheel, WheelSet } from './tensorflowWheels.ts';

/** TensorFlow can't be installed: the message says what is wrong and what to do. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

export interface InstallProgress {
  readonly stage: 'download' | 'check' | 'unpack';
  readonly doneBytes: number;
  /** Rounded while downloading. */
  readonly totalBytes: number;
}

export interface InstallOptions {
  /** A Python 3 interpreter: a command or a path. */
  readonly python: string;
  readonly set: WheelSet;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: InstallProgress) => void;
}

/** Lies in every folder that this has made: such a folder may be replaced, no other one. */
const markerName = '.kafscope-tensorflow';
const markerText = 'Made by kafscope install tensorflow, which replaces this folder when it installs again.\n';

/**
 * Makes `folder`, or replaces one that this has made, with the packages' libraries as a folder of Python packages has them. When it
 * fails or is aborted, `folder` is as before and nothing else is left.
 * @throws InstallError where `folder` holds something else, pip is missing, the disk is too small, nothing comes or a checksum differs; the signal's reason on
 * abort.
 */
export async function installTensorflow(folder: string, options: InstallOptions): Promise<void> {
  const { set, signal } = options;
  await checkFolder(folder);
  await checkSpace(path.dirname(folder), set);
  await mkdir(path.dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    await checkPip(partial, options);
    const wheelsFolder = path.join(partial, 'wheels');
    await mkdir(wheelsFolder, { recursive: true });
    await download(wheelsFolder, options);
    const wheels = await findWheels(wheelsFolder, set.wheels);
    for (const { file, wheel } of wheels) await verify(file, wheel, options);
    const packages = path.join(partial, 'packages');
    await unpack(
      wheels.map(({ file }) => file),
      packages,
      options,
    );
    await writeFile(path.join(packages, markerName), markerText, { flag: 'wx' });
    signal.throwIfAborted();
    await checkFolder(folder);
    // Out of the way first: it is never half deleted while something might use it.
    if (await lstat(folder).catch(() => null)) await rename(folder, path.join(partial, 'before'));
    await rename(packages, folder);
  } finally {
    await rm(partial, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @throws InstallError where the folder is not ours to replace. */
async function checkFolder(folder: string): Promise<void> {
  const there = await lstat(folder).catch(() => null);
  if (!there) return;
  if (!there.isDirectory()) throw notOurs(folder, 'is not a folder');
  const names = await readdir(folder);
  if (names.length === 0 || names.includes(markerName)) return;
  if (await isOfOldVersion(folder, names)) return;
  throw notOurs(folder, 'holds files that Kafscope has not made');
}

/** Version 0.1 left no mark, but nothing besides these: no Python environment has TensorFlow's libraries alone. */
async function isOfOldVersion(folder: string, names: readonly string[]): Promise<boolean> {
  if (!names.every((name) => /^(tensorflow|nvidia|[\w.+-]+\.dist-info)$/.test(name))) return false;
  const libraries = await readdir(path.join(folder, 'tensorflow')).catch(() => []);
  return libraries.length > 0 && libraries.every((name) => name.startsWith('libtensorflow'));
}

function notOurs(folder: string, what: string): InstallError {
  return new InstallError(
    `${folder} ${what}, and installing there would replace it. Name a folder that is new or empty with --into.`,
  );
}

async function checkSpace(folder: string, { downloadBytes, unpackedBytes }: WheelSet): Promise<void> {
  let existing = folder;
  while (!(await stat(existing).catch(() => null))) existing = path.dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const neededBytes = downloadBytes + unpackedBytes;
  if (bavail * bsize >= neededBytes) return;
  throw new InstallError(
    `TensorFlow needs ${gigabytes(neededBytes)} on the disk of ${folder} while it is installed, and ${gigabytes(bavail * bsize)} are free. Make room and try again.`,
  );
}

async function checkPip(folder: string, { python, signal }: InstallOptions): Promise<void> {
  const { code, errors } = await runPython(python, ['-m', 'pip', '--version'], { signal, folder });
  if (code === 0) return;
  const hint =
    'On Debian and Ubuntu: sudo apt-get install python3-pip; elsewhere: python3 -m ensurepip. Or name another Python with --python.';
  throw new InstallError(`${python} has no pip (${lastLine(errors)}). ${hint}`);
}

async function download(folder: string, options: InstallOptions): Promise<void> {
  const { python, set, signal, onProgress } = options;
  // pip knows no progress that a program can read; what has come lies here, whole or in pip's temporary files.
  const timer = setInterval(() => {
    void folderBytes(path.dirname(folder)).then((bytes) => {
      onProgress({ stage: 'download', doneBytes: Math.min(bytes, set.downloadBytes), totalBytes: set.downloadBytes });
    });
  }, 250);
  try {
    const temporary = path.join(path.dirname(folder), 'temporary');
    await mkdir(temporary);
    const args = [
      ...['-m', 'pip', 'download', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--quiet'],
      ...['--retries', '2', '--no-deps', '--only-binary=:all:', '--dest', folder],
      ...['--python-version', '3.12', '--implementation', 'cp', '--abi', 'cp312', '--abi', 'none'],
      ...set.platformTags.flatMap((tag) => ['--platform', tag]),
      ...set.wheels.map(({ name, version }) => `${name}==${version}`),
    ];
    const { code, errors } = await runPython(python, args, { signal, folder: temporary, temporary });
    if (code === 0) return;
    const [first] = set.wheels;
    throw new InstallError(
      `pip could not download ${first!.name} ${first!.version}: ${lastLine(errors)}. Check the connection (pip uses its own settings and proxies) and try again.`,
    );
  } finally {
    clearInterval(timer);
  }
}

interface Fetched {
  readonly wheel: Wheel;
  readonly file: string;
}

/** File names begin with the package's name, `-` written `_`, and its version. */
async function findWheels(folder: string, wheels: readonly Wheel[]): Promise<Fetched[]> {
  const names = await readdir(folder);
  return wheels.map((wheel) => {
    const found = names.find((name) => name.startsWith(`${wheel.name.replaceAll('-', '_')}-${wheel.version}-`));
    if (!found) throw new InstallError(`pip brought no ${wheel.name} ${wheel.version}. Try again with a newer pip.`);
    return { wheel, file: path.join(folder, found) };
  });
}

async function verify(file: string, wheel: Wheel, { signal, onProgress }: InstallOptions): Promise<void> {
  const { size } = await stat(file);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), counted(size, 'check', onProgress), hash, { signal });
  const found = hash.digest('hex');
  if (found === wheel.sha256) return;
  throw new InstallError(
    `What pip brought as ${wheel.name} ${wheel.version} has the SHA-256 checksum ${found} instead of ${wheel.sha256}. It was deleted: try again, and look at the index that pip is set to.`,
  );
}

/** Libraries of TensorFlow and CUDA, what tells their version, and the licenses. */
const wanted = [
  /^tensorflow\/libtensorflow[^/]*$/,
  /^nvidia\/(?!.*\/include\/)/,
  /\.dist-info\/(METADATA|.*LICEN[CS]E.*)$/i,
];

/** Of wheels whose checksums are right. yauzl refuses names that lead out of the folder. */
async function unpack(files: readonly string[], folder: string, { signal, onProgress }: InstallOptions): Promise<void> {
  const archives: ZipFile[] = [];
  try {
    const entries: { archive: ZipFile; entry: Entry }[] = [];
    for (const file of files) {
      const archive = await openPromise(file, { autoClose: false });
      archives.push(archive);
      for await (const entry of archive.eachEntry()) {
        const isWanted = wanted.some((pattern) => pattern.test(entry.fileName)) && !entry.fileName.endsWith('/');
        if (isWanted) entries.push({ archive, entry });
      }
    }
    const totalBytes = entries.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    let doneBytes = 0;
    for (const { archive, entry } of entries) {
      const target = path.join(folder, entry.fileName);
      await mkdir(path.dirname(target), { recursive: true });
      const before = doneBytes;
      const count = counted(totalBytes, 'unpack', (progress) => {
        onProgress({ ...progress, doneBytes: before + progress.doneBytes });
      });
      const mode = (entry.externalFileAttributes >>> 16) & 0o100 ? 0o755 : 0o644;
      const content = await archive.openReadStreamPromise(entry);
      await pipeline(content, count, createWriteStream(target, { mode }), { signal });
      doneBytes += entry.uncompressedSize;
    }
  } finally {
    for (const archive of archives) archive.close();
  }
}

function counted(
  totalBytes: number,
  stage: InstallProgress['stage'],
  onProgress: InstallOptions['onProgress'],
): Transform {
  let doneBytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      doneBytes += chunk.length;
      onProgress({ stage, doneBytes, totalBytes });
      done(null, chunk);
    },
  });
}

/** @throws InstallError where there is no such program; the signal's reason on abort. */
async function runPython(
  python: string,
  args: readonly string[],
  { signal, folder, temporary }: { readonly signal: AbortSignal; readonly folder: string; readonly temporary?: string },
): Promise<{ code: number | null; errors: string }> {
  signal.throwIfAborted();
  const child = spawn(python, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    // "python -m" runs what the folder has that one is in: ours has nothing.
    cwd: folder,
    env: temporary === undefined ? process.env : { ...process.env, TMPDIR: temporary },
  });
  const end = (): void => {
    child.kill();
  };
  signal.addEventListener('abort', end);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-10_000)));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    return { code, errors };
  } catch (cause) {
    signal.throwIfAborted();
    throw new InstallError(
      `${python} can't be started. Install Python 3 with pip (on Debian and Ubuntu: sudo apt-get install python3-pip), or name one with --python.`,
      { cause },
    );
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(path.join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Of what pip says, which ends with its reason; without its label and full stop. */
function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  return line.replace(/^ERROR: /, '').replace(/\.$/, '') || 'it said nothing';
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
