// Compiles and links the AssemblyScript kernels to a shared memory, relaxed SIMD where the engine has it.
import fs from 'node:fs';
import path from 'node:path';

/** Exports of the kernels, by name; numbers are addresses, sizes, counts and flags. */
export type Kernels = Readonly<Record<KernelName, (...values: number[]) => number>>;

export type KernelBuild = 'relaxed' | 'plain';

export interface LoadedKernels {
  readonly build: KernelBuild;
  readonly module: WebAssembly.Module;
  readonly kernels: Kernels;
}

export const kernelFiles = { relaxed: 'kernels.relaxed.wasm', plain: 'kernels.wasm' } as const satisfies Record<
  KernelBuild,
  string
>;

/** Whether this engine compiles the build's file. @throws Error if the file can't be read. */
export function isSupported(assetsFolder: string, build: KernelBuild): boolean {
  return WebAssembly.validate(readKernels(assetsFolder, build));
}

/** Relaxed SIMD where the engine has it. */
export function bestBuild(assetsFolder: string): KernelBuild {
  return isSupported(assetsFolder, 'relaxed') ? 'relaxed' : 'plain';
}

/**
 * The relaxed build where the engine has relaxed SIMD, else the plain one, linked to `memory`.
 * @throws Error if the files are missing or the engine has no SIMD and shared memory.
 */
export function loadKernels(assetsFolder: string, memory: WebAssembly.Memory, wanted?: KernelBuild): LoadedKernels {
  const build = wanted ?? bestBuild(assetsFolder);
  const module = new WebAssembly.Module(readKernels(assetsFolder, build));
  return { build, module, kernels: linkKernels(module, memory) };
}

/** An instance of the compiled kernels on `memory`. @throws Error if a kernel is missing. */
export function linkKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return linkModule(module, memory, kernelNames) as Kernels;
}

/** The functions of a compiled module by name. Sines of large angles come from here. @throws Error if one is missing */
export function linkModule(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  names: readonly string[],
): Readonly<Record<string, (...values: number[]) => number>> {
  const instance = new WebAssembly.Instance(module, { env: { memory, abort, sin: Math.sin, cos: Math.cos } });
  return Object.fromEntries(names.map((name) => [name, checked(name, instance.exports[name])]));
}

/** WebAssembly takes missing arguments for 0 and ignores others: a kernel older than its caller could run for ever. */
function checked(name: string, kernel: unknown): (...values: number[]) => number {
  if (typeof kernel !== 'function') throw new Error(`there is no kernel ${name}: rebuild them with npm run build`);
  const run = kernel as (...values: number[]) => number;
  return (...values) => {
    if (values.length !== run.length) {
      throw new Error(
        `the kernel ${name} takes ${run.length} arguments, not ${values.length}: rebuild them with npm run build`,
      );
    }
    return run(...values);
  };
}

function readKernels(assetsFolder: string, build: KernelBuild): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fs.readFileSync(path.join(assetsFolder, kernelFiles[build])));
}

function abort(): never {
  throw new Error('a WebAssembly kernel aborted');
}

/** In an order that all threads share. */
export const kernelNames = [
  'packMatrix',
  'multiplyRows',
  'multiplyColumns',
  'packFilter',
  'packTurnedFilter',
  'convolve',
  'convolvePhase',
  'filterGradientSums',
  'addFilterGradients',
  'multiplySample',
  'constantsEnd',
  'winogradFilterBytes',
  'winogradFilterScratchBytes',
  'winogradScratchBytes',
  'winogradSumsBytes',
  'winogradGradientScratchBytes',
  'winogradFilter',
  'winogradConvolve',
  'winogradFilterGradientScratchBytes',
  'winogradFilterGradientSums',
  'winogradFilterGradient',
  'kafTable',
  'kafTableOfValues',
  'kafNodeWeights',
  'kafForward',
  'kafBackward',
  'normalizedKafForward',
  'normalizedKafBackward',
  'normalizedKafSlopes',
  'kernelKafForward',
  'kernelKafBackward',
  'kernelKafMoments',
  'kaf2dForward',
  'kaf2dBackward',
  'freeKafForward',
  'freeKafBackward',
  'channelMoments',
  'normalizeRows',
  'gradientSums',
  'normalizeGradientRows',
  'uniform',
  'dropout',
  'cropAndFlip',
  'maxPool',
  'maxPoolGradient',
  'avgPool',
  'avgPoolGradient',
  'sumMiddle',
  'maxMiddle',
  'squaredNorm',
  'histogram',
  'binary',
  'unary',
  'clip',
  'attackStep',
  'splineForward',
  'splineBackward',
  'maxoutForward',
  'maxoutBackward',
  'selectThresholds',
  'keepWinners',
  'sgdUpdate',
  'adamUpdate',
  'copyRuns',
] as const;

export type KernelName = (typeof kernelNames)[number];

/** A kernel of the build, or the number of one that was made later. */
export type KernelId = KernelName | number;
