// The tfjs backend `torch`: every tensor's values are a tensor of PyTorch's, row-major, on the device in use. Reading waits for the device,
// or for a copy that was begun, and happens here alone. Strings and complex pairs stay outside. No kernel is here.
import * as tf from '@tensorflow/tfjs-core';
import type { ComposingBackend } from '../compositions/composition.ts';
import type { LateBackend, Reading } from '../read.ts';
import type { Handle, Torch, TypeCode } from './torch.ts';

export const torchBackendName = 'torch';

type NumericType = 'float32' | 'int32' | 'bool';

interface Stored {
  /** Absent for strings and complex pairs. */
  handle?: Handle;
  /** Of the handle; a tensor that shares it may have another. */
  shape: readonly number[];
  dtype: tf.DataType;
  refCount: number;
  bytes: number;
  values?: tf.backend_util.BackendValues;
  complexTensorInfos?: { real: tf.TensorInfo; imag: tf.TensorInfo };
}

/** A result of a kernel. */
export interface Made {
  readonly handle: Handle;
  readonly dtype: NumericType;
  /** That of the handle where it is left out. */
  readonly shape?: readonly number[];
}

export class TorchBackend extends tf.KernelBackend implements ComposingBackend, LateBackend {
  readonly torch: Torch;
  readonly #readsLate: boolean;
  readonly #data: tf.DataStorage<Stored>;
  #usedBytes = 0;
  #peakBytes = 0;

  /** @param readsLate whether the device computes beside the host and can copy beside it, as CUDA does */
  constructor(torch: Torch, { readsLate }: { readonly readsLate: boolean }) {
    super();
    this.torch = torch;
    this.#readsLate = readsLate;
    this.#data = new tf.DataStorage(this, tf.engine());
  }

  /** Of the tensors that tfjs holds; what an operator takes on its way is PyTorch's own. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  override write(values: tf.backend_util.BackendValues | null, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
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

  override read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const { handle, shape, dtype, values, complexTensorInfos } = this.#data.get(dataId);
    if (complexTensorInfos) {
      const [real, imag] = [complexTensorInfos.real, complexTensorInfos.imag].map(
        (part) => this.readSync(part.dataId) as Float32Array,
      );
      return tf.backend_util.mergeRealAndImagArrays(real!, imag!);
    }
    if (handle === undefined) return values!;
    const array = arrayOf(dtype as NumericType, tf.util.sizeFromShape([...shape]));
    this.torch.binding.read(handle, array);
    return array;
  }

  beginRead(dataId: object): Reading<tf.backend_util.BackendValues> | null {
    const { handle, shape, dtype } = this.#data.get(dataId);
    if (!this.#readsLate || handle === undefined) return null;
    const reading = this.torch.binding.beginRead(handle);
    if (reading === null) return null;
    return () => {
      const array = arrayOf(dtype as NumericType, tf.util.sizeFromShape([...shape]));
      this.torch.binding.endRead(reading, array);
      return array;
    };
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const stored = this.#data.get(dataId);
    stored.refCount--;
    if (!force && stored.refCount > 0) return false;
    if (stored.complexTensorInfos) {
      this.disposeData(stored.complexTensorInfos.real.dataId, true);
      this.disposeData(stored.complexTensorInfos.imag.dataId, true);
    }
    if (stored.handle !== undefined) this.torch.binding.free(stored.handle);
    this.#usedBytes -= stored.bytes;
    this.#data.delete(dataId);
    return true;
  }

  override refCount(dataId: object): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.#data.get(dataId).refCount++;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  override time(work: () => void): Promise<tf.BackendTimingInfo> {
    const startMs = performance.now();
    work();
    return Promise.resolve({ kernelMs: performance.now() - startMs });
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    // Tensors that tfjs leaves behind with their backend end with it.
  }

  overwrite(target: tf.TensorInfo, source: tf.TensorInfo): void {
    const kept = this.#data.get(target.dataId);
    const given = this.#data.get(source.dataId);
    [kept.handle, given.handle] = [given.handle!, kept.handle!];
    [kept.shape, given.shape] = [given.shape, kept.shape];
  }

  /** The tensor's values under its own shape; to be asked for within a scope, and not to be freed. */
  of(info: tf.TensorInfo): Handle {
    const { handle, shape } = this.#data.get(info.dataId);
    if (handle === undefined) throw new Error(`a tensor of ${info.dtype} is not PyTorch's`);
    return isSameShape(shape, info.shape) ? handle : this.torch.view(handle, info.shape);
  }

  /** Runs a kernel; what it makes on its way is freed, what it returns becomes tensors. */
  compute(make: () => Made | readonly Made[]): tf.TensorInfo | tf.TensorInfo[] {
    let results: Made | readonly Made[] = [];
    const handles = this.torch.scope(() => {
      results = make();
      return listOf(results).map(({ handle }) => this.torch.contiguous(handle));
    });
    const made = listOf(results).map(({ dtype, shape }, i) => this.adopt(handles[i]!, dtype, shape));
    return 'handle' in results ? made[0]! : made;
  }

  /** Gives each tensor the values beside it, which have its shape; what is made on the way is freed. */
  replace(make: () => readonly (readonly [tf.TensorInfo, Handle])[]): void {
    const targets: tf.TensorInfo[] = [];
    const handles = this.torch.scope(() =>
      make().map(([target, handle]) => {
        targets.push(target);
        return this.torch.contiguous(handle);
      }),
    );
    targets.forEach((target, i) => {
      const stored = this.#data.get(target.dataId);
      this.torch.binding.free(stored.handle!);
      stored.handle = handles[i]!;
      stored.shape = target.shape;
    });
  }

  /** A tensor of the same values with another shape. */
  reshaped(tensor: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  make(values: tf.backend_util.BackendValues | null, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    return { dataId: this.write(values, [...shape], dtype), shape: [...shape], dtype };
  }

  makeComplex(real: tf.TensorInfo, imag: tf.TensorInfo): tf.TensorInfo {
    const dataId = {};
    const stored: Stored = { shape: real.shape, dtype: 'complex64', refCount: 1, bytes: 0 };
    this.#data.set(dataId, { ...stored, complexTensorInfos: { real, imag } });
    return { dataId, shape: [...real.shape], dtype: 'complex64' };
  }

  /** The parts of a complex tensor. */
  partsOf(info: tf.TensorInfo): { real: tf.TensorInfo; imag: tf.TensorInfo } {
    return this.#data.get(info.dataId).complexTensorInfos!;
  }

  private adopt(handle: Handle, dtype: NumericType, shape: readonly number[] | undefined): tf.TensorInfo {
    const own = this.torch.shape(handle);
    const dataId = {};
    this.place(dataId, handle, own, dtype, 1);
    return { dataId, shape: [...(shape ?? own)], dtype };
  }

  private store(
    dataId: object,
    values: tf.backend_util.BackendValues | null,
    shape: readonly number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    if (dtype === 'string') {
      this.#data.set(dataId, { values: values!, shape, dtype, refCount, bytes: 0 });
      return;
    }
    if (dtype === 'complex64') throw new Error('complex numbers are made of their parts');
    const { binding, codes } = this.torch;
    const own = shape.length > 0 || !values ? shape : [];
    const handle = binding.empty(own, codes[dtype satisfies TypeCode]);
    const array = arrayOf(dtype, tf.util.sizeFromShape([...shape]));
    if (values) array.set(values as Float32Array);
    // Memory that PyTorch hands out holds anything.
    binding.write(handle, array);
    this.place(dataId, handle, own, dtype, refCount);
  }

  private place(dataId: object, handle: Handle, shape: readonly number[], dtype: NumericType, refCount: number): void {
    const bytes = tf.util.sizeFromShape([...shape]) * (dtype === 'bool' ? 1 : 4);
    this.#data.set(dataId, { handle, shape, dtype, refCount, bytes });
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
  }
}

function listOf(made: Made | readonly Made[]): readonly Made[] {
  return 'handle' in made ? [made] : made;
}

function arrayOf(dtype: NumericType, length: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float32') return new Float32Array(length);
  return dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length);
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
