// The tfjs backend `kafscope-wasm`: every tensor's values are a view on one shared WebAssembly memory, so that kernels copied
// from tfjs's `cpu` backend and our WebAssembly kernels work on the same data. Strings stay outside. No kernel is here.
import * as tf from '@tensorflow/tfjs-core';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { LinkedFormulas } from './formula/linkedFormulas.ts';
import { kernelNames, type KernelId, type Kernels } from './loadKernels.ts';
import type { MemoryPool } from './memoryPool.ts';
import { unitOf, type Cuts } from './threads/cuts.ts';
import { rangesOf } from './threads/ranges.ts';
import type { ThreadPool } from './threads/threadPool.ts';
import type { TileShape } from './tileShape.ts';

export const wasmBackendName = 'kafscope-wasm';

export type NumericType = 'float32' | 'int32' | 'bool';
type NumericArray = Float32Array | Int32Array | Uint8Array;

/** A tensor that a kernel is about to fill. */
export interface Placed {
  readonly info: tf.TensorInfo;
  readonly address: number;
}

interface PlacedData {
  values?: tf.backend_util.BackendValues;
  dtype: tf.DataType;
  refCount: number;
  complexTensorInfos?: { real: tf.TensorInfo; imag: tf.TensorInfo };
  /** Of the values in the shared memory; absent for strings and complex pairs, whose values are not there. */
  address?: number;
}

export interface Scratch {
  /** Its place in a call's list. */
  readonly argument: number;
  readonly sizeBytes: number;
}

/** More ranges than threads: one that another process holds up leaves its share to the others. */
const rangesPerThread = 4;

interface WasmBackendOptions {
  readonly threads: ThreadPool;
  readonly tile: TileShape;
  readonly formulas: LinkedFormulas;
  readonly cuts: Cuts;
}

const dataIds = { next: 0 };

export class WasmBackend extends MathBackendCPU {
  readonly pool: MemoryPool;
  readonly kernels: Kernels;
  readonly threads: ThreadPool;
  readonly tile: TileShape;
  readonly formulas: LinkedFormulas;
  readonly #cuts: Cuts;

  constructor(pool: MemoryPool, kernels: Kernels, { threads, tile, formulas, cuts }: WasmBackendOptions) {
    super();
    this.pool = pool;
    this.kernels = kernels;
    this.threads = threads;
    this.tile = tile;
    this.formulas = formulas;
    this.#cuts = cuts;
  }

  /** tfjs calls it when the backend is removed. */
  override dispose(): void {
    super.dispose();
    void this.threads.close();
  }

  /** Copies `values` into the shared memory. Copied kernels may hand over plain arrays, views of other tensors, or nothing. */
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = { id: dataIds.next++ };
    this.store(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.store(dataId, values, shape, dtype, refCount);
  }

  /** A copy: the memory of a disposed tensor is used again at once. */
  override readSync(dataId: object): tf.backend_util.BackendValues {
    const data = this.placed(dataId);
    if (data.address === undefined) return super.readSync(dataId);
    // `slice` of a view of shared memory yields memory that isn't shared.
    return (data.values as NumericArray).slice();
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const { address } = this.placed(dataId);
    const isGone = super.disposeData(dataId, force);
    if (isGone && address !== undefined) this.pool.free(address);
    return isGone;
  }

  override memory(): { unreliable: boolean; reasons: string[] } & { usedBytes: number; peakBytes: number } {
    return { unreliable: false, reasons: [], usedBytes: this.pool.usedBytes, peakBytes: this.pool.peakBytes };
  }

  /** Address of a tensor's values. @throws Error if they aren't in the shared memory (strings, complex numbers). */
  addressOf(tensor: tf.TensorInfo): number {
    const { address } = this.placed(tensor.dataId);
    if (address === undefined) throw new Error(`a tensor of ${tensor.dtype} has no address`);
    return address;
  }

  /** How the values are stored. */
  storedType(tensor: tf.TensorInfo): tf.DataType {
    return this.placed(tensor.dataId).dtype;
  }

  /** A new tensor with undefined contents. */
  place(shape: readonly number[], dtype: NumericType = 'float32'): Placed {
    const dataId = { id: dataIds.next++ };
    const address = this.placeValues(dataId, tf.util.sizeFromShape([...shape]), dtype, 1).address;
    return { info: { dataId, shape: [...shape], dtype }, address };
  }

  /** A tensor of the same values with another shape. */
  reshaped(tensor: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** Runs `use` with the addresses of blocks of `sizesBytes` bytes, contents undefined, and frees them afterwards. */
  withScratch<T>(sizesBytes: readonly number[], use: (...addresses: number[]) => T): T {
    const addresses: number[] = [];
    try {
      for (const sizeBytes of sizesBytes) addresses.push(this.pool.allocate(sizeBytes));
      return use(...addresses);
    } finally {
      for (const address of addresses) this.pool.free(address);
    }
  }

  /**
   * Runs a kernel once for each list of arguments, in any order and on any thread: no call may read what another writes.
   * `scratch` names the argument that is to be the address of so many bytes of the thread's own, contents undefined.
   */
  run(kernel: KernelId, calls: readonly (readonly number[])[], scratch?: Scratch): void {
    const job = { kernel: typeof kernel === 'number' ? kernel : kernelNames.indexOf(kernel), calls, scratch: null };
    if (!scratch) {
      this.threads.run(job);
      return;
    }
    const { argument } = scratch;
    // Whole cache lines, and room for kernels that read a little further.
    const sizeBytes = (Math.ceil(scratch.sizeBytes / 64) + 1) * 64;
    this.withScratch([sizeBytes * this.threads.count], (address) => {
      const placed = calls.map((call) => call.with(argument, address!));
      this.threads.run({ ...job, calls: placed, scratch: { argument, sizeBytes } });
    });
  }

  /**
   * Runs a kernel over 0 … `total`, cut into ranges of a multiple of `grain` (of some 10 µs of work). Where the cuts lie depends on
   * the number of threads, so what a range gives must not.
   */
  runOver(
    total: number,
    grain: number,
    kernel: KernelId,
    argumentsOf: (first: number, last: number) => readonly number[],
    scratch?: Scratch,
  ): void {
    const ranges = rangesOf(total, this.grainOf(kernel, grain), rangesPerThread * this.threads.count);
    this.run(
      kernel,
      ranges.map(([first, last]) => argumentsOf(first, last)),
      scratch,
    );
  }

  /** What the kernel's work is cut by: multiples of `worthwhile`, or the least that it allows. */
  grainOf(kernel: KernelId, worthwhile: number): number {
    return this.#cuts === 'finest' ? unitOf(kernel) : worthwhile;
  }

  integers(address: number, length: number): Int32Array {
    return new Int32Array(this.pool.buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.pool.buffer, address, length);
  }

  private placed(dataId: object): PlacedData {
    return this.data.get(dataId);
  }

  private store(
    dataId: object,
    values: tf.backend_util.BackendValues | undefined,
    shape: readonly number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    if (dtype === 'string' || dtype === 'complex64') {
      // A complex tensor is created without values; its parts follow.
      this.data.set(dataId, values ? { values, dtype, refCount } : { dtype, refCount });
      return;
    }
    const length = values ? values.length : tf.util.sizeFromShape([...shape]);
    const view = this.placeValues(dataId, length, dtype, refCount).values;
    if (values) view.set(values as NumericArray);
    else view.fill(0);
  }

  private placeValues(
    dataId: object,
    length: number,
    dtype: NumericType,
    refCount: number,
  ): { address: number; values: NumericArray } {
    const address = this.pool.allocate(dtype === 'bool' ? length : length * 4);
    const buffer = this.pool.buffer;
    const values =
      dtype === 'float32'
        ? new Float32Array(buffer, address, length)
        : dtype === 'int32'
          ? new Int32Array(buffer, address, length)
          : new Uint8Array(buffer, address, length);
    const data: PlacedData = { values, dtype, refCount, address };
    this.data.set(dataId, data as never);
    return { address, values };
  }
}
