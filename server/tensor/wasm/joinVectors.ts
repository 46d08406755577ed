// Asks V8 to join pairs of 128-bit vector operations into 256-bit ones (AVX2). It changes no bit of any result: the same
// operations on the same lanes, in the same order.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import v8 from 'node:v8';
import { kernelFiles, type KernelBuild } from './loadKernels.ts';

/** The first V8 whose option was tried; an older one would complain about it on stderr. */
const firstMajorVersion = 13;
/** On which the whole test suite runs with joined vectors. */
const testedVersion = '13.6.';

/** Compiles all kernels by the optimising compiler, which alone joins. */
const trial = `
  const v8 = require('node:v8');
  for (const flag of ['--experimental-wasm-revectorize', '--no-liftoff', '--no-wasm-lazy-compilation']) v8.setFlagsFromString(flag);
  new WebAssembly.Module(require('node:fs').readFileSync(process.argv[1]));
`;

/**
 * To be called before kernels are compiled. V8 calls the option experimental, and a kernel that it can't join may be a fatal
 * error of the process: on a V8 that the project isn't tested with, another process tries first.
 */
export function joinVectors(assetsFolder: string, build: KernelBuild): void {
  const version = process.versions.v8;
  if (process.arch !== 'x64' || Number(version.split('.')[0]) < firstMajorVersion) return;
  if (!version.startsWith(testedVersion) && !canCompile(path.join(assetsFolder, kernelFiles[build]))) return;
  v8.setFlagsFromString('--experimental-wasm-revectorize');
}

/** A fifth of a second is usual. Where it takes longer than this, the vectors are not joined, which changes no bit. */
const trialMs = 20_000;

/** Whether this Node compiles the kernels with joined vectors in that time and lives. */
export function canCompile(file: string, timeoutMs: number = trialMs): boolean {
  // VS Code's own executable is Node only where it is told so.
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  return spawnSync(process.execPath, ['-e', trial, file], { env, stdio: 'ignore', timeout: timeoutMs }).status === 0;
}
