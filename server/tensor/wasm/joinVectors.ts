// Asks V8 to join pairs of 128-bit vector operations into 256-bit ones (AVX2). It changes no bit of any result: the same
// operations on the same lanes, in the same order.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
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
  const all = require('node:fs').readFileSync(0);
  for (let at = 0; at < all.length;) {
    const end = at + 4 + all.readUInt32LE(at);
    new WebAssembly.Module(all.subarray(at + 4, end));
    at = end;
  }
`;

/**
 * To be called before kernels are compiled. V8 calls the option experimental, and a kernel that it can't join may be a fatal
 * error of the process: on a V8 that the project isn't tested with, another process tries first.
 * @returns whether vectors are joined
 */
export function joinVectors(assetsFolder: string, build: KernelBuild): boolean {
  const version = process.versions.v8;
  if (process.arch !== 'x64' || Number(version.split('.')[0]) < firstMajorVersion) return false;
  const file = path.join(assetsFolder, kernelFiles[build]);
  if (!version.startsWith(testedVersion) && !canCompile([fs.readFileSync(file)])) return false;
  v8.setFlagsFromString('--experimental-wasm-revectorize');
  return true;
}

/** A fifth of a second is usual. Where it takes longer than this, the vectors are not joined, which changes no bit. */
const trialMs = 20_000;

/** Whether this Node compiles modules with joined vectors in that time and lives. */
export function canCompile(modules: readonly Uint8Array[], timeoutMs: number = trialMs): boolean {
  const input = Buffer.concat(modules.flatMap((module) => [sizeOf(module), module]));
  // VS Code's own executable is Node only where it is told so.
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  const trialOf = spawnSync(process.execPath, ['-e', trial], {
    ...{ env, input, stdio: ['pipe', 'ignore', 'ignore'], timeout: timeoutMs },
  });
  return trialOf.status === 0;
}

function sizeOf(module: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(module.length);
  return size;
}
