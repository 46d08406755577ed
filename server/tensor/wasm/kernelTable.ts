// The kernels of one thread by number: those of the build first, then those of modules made later.
import { kernelNames, linkModule, type Kernels } from './loadKernels.ts';

/** A module whose functions become the kernels from `firstKernel` on. */
export interface LaterModule {
  readonly module: WebAssembly.Module;
  readonly exports: readonly string[];
  readonly firstKernel: number;
}

export class KernelTable {
  readonly #run: ((...values: number[]) => number)[];
  readonly #memory: WebAssembly.Memory;

  constructor(kernels: Kernels, memory: WebAssembly.Memory) {
    this.#run = kernelNames.map((name) => kernels[name]);
    this.#memory = memory;
  }

  get size(): number {
    return this.#run.length;
  }

  /** To be called for every module, in the order of their numbers. */
  link({ module, exports, firstKernel }: LaterModule): void {
    if (firstKernel !== this.#run.length) throw new Error(`expected kernel ${this.#run.length}, got ${firstKernel}`);
    const linked = linkModule(module, this.#memory, exports);
    this.#run.push(...exports.map((name) => linked[name]!));
  }

  run(kernel: number, call: readonly number[]): void {
    this.#run[kernel]!(...call);
  }
}
