// PyTorch as kernels see it: tensors by number, operators by name, and a scope that frees what a kernel made on its way.
import { operators, type OperatorName } from './operators.ts';

/** A tensor's number in the binding. It must be freed once, unless a scope does. */
export type Handle = number;

export type TypeCode = 'float32' | 'float64' | 'int32' | 'int64' | 'bool';

/** Codes are PyTorch's own numbers for types of data and for memory formats. */
export interface FoundLibrary extends Readonly<Record<TypeCode | 'contiguous' | 'channelsLast', number>> {
  readonly major: number;
  readonly minor: number;
}

/** What the addon exports; binding/*.c says what each does. */
export interface Binding {
  open(file: string): void;
  find(): FoundLibrary;
  useDevice(type: string, index: number): void;
  cudaDevices(): readonly { readonly name: string; readonly totalBytes: number }[];
  setThreads(count: number): void;
  allowTf32(isAllowed: boolean): boolean;
  compileCuda(nvrtc: string, source: string, architecture: string): string;
  define(name: string, overload: string, signature: string, nResults: number): number;
  call(operator: number, ...values: readonly unknown[]): Handle | (Handle | null)[];
  empty(shape: readonly number[], dtype: number): Handle;
  constant(value: number): Handle;
  write(tensor: Handle, values: ArrayBufferView): void;
  read(tensor: Handle, values: ArrayBufferView): void;
  beginRead(tensor: Handle): number | null;
  endRead(reading: number, values: ArrayBufferView): void;
  view(tensor: Handle, shape: readonly number[], strides: readonly number[] | null): Handle;
  shape(tensor: Handle): number[];
  isContiguous(tensor: Handle): boolean;
  fill(tensor: Handle, value: number): void;
  subtract(a: Handle, b: Handle, factor: number): Handle;
  free(tensor: Handle): void;
  count(): number;
}

type Value = Handle | boolean | null | readonly number[] | readonly boolean[];

/** Constants are kept for the life of the process, up to so many. */
const mostConstants = 4096;

export class Torch {
  readonly binding: Binding;
  readonly codes: FoundLibrary;
  readonly #numbers: Readonly<Record<OperatorName, number>>;
  readonly #constants = new Map<number, Handle>();
  /** Of the innermost scope; null outside of all. */
  #made: Handle[] | null = null;

  /** Of a binding whose library is loaded. */
  constructor(binding: Binding, codes: FoundLibrary) {
    this.binding = binding;
    this.codes = codes;
    const numbers = Object.entries(operators).map(([name, operator]) => [name, binding.define(...operator)]);
    this.#numbers = Object.fromEntries(numbers) as Record<OperatorName, number>;
  }

  /**
   * Frees what was made while `make` ran, but for its results. A result that was there before becomes a tensor of its own over the same
   * memory, so that each is the caller's.
   * @returns what `make` returns; the scope around this one frees it, or where there is none, the caller.
   */
  scope<R extends readonly Handle[]>(make: () => R): Handle[] {
    const outer = this.#made;
    const made: Handle[] = [];
    this.#made = made;
    const results: Handle[] = [];
    try {
      for (const handle of make()) {
        const isOwn = made.includes(handle) && !results.includes(handle);
        results.push(isOwn ? handle : this.view(handle, this.shape(handle)));
      }
    } catch (error) {
      results.length = 0;
      throw error;
    } finally {
      this.#made = outer;
      for (const handle of made) if (!results.includes(handle)) this.binding.free(handle);
    }
    outer?.push(...results);
    return results;
  }

  /** The operator's only result. */
  call(operator: OperatorName, ...values: readonly Value[]): Handle {
    return this.keep(this.binding.call(this.#numbers[operator], ...values) as Handle);
  }

  /** All of the operator's results; one that was not asked for is empty or null. */
  callAll(operator: OperatorName, ...values: readonly Value[]): (Handle | null)[] {
    const results = this.binding.call(this.#numbers[operator], ...values) as (Handle | null)[];
    for (const result of results) if (result !== null) this.keep(result);
    return results;
  }

  /** float32. */
  add(a: Handle, b: Handle): Handle {
    return this.keep(this.binding.subtract(a, b, -1));
  }

  /** float32. */
  sub(a: Handle, b: Handle): Handle {
    return this.keep(this.binding.subtract(a, b, 1));
  }

  /** a + factor·b, float32. */
  addScaled(a: Handle, b: Handle, factor: number): Handle {
    return this.keep(this.binding.subtract(a, b, -factor));
  }

  /** A float32 of rank 0 in the host's memory, which operators on whole tensors take beside tensors of any device. Not to be freed. */
  constant(value: number): Handle {
    const known = this.#constants.get(value);
    // A Map takes 0 and −0 for one key.
    if (known !== undefined && !Object.is(value, -0)) return known;
    const made = this.binding.constant(value);
    if (this.#constants.size >= mostConstants || Object.is(value, -0)) return this.keep(made);
    this.#constants.set(value, made);
    return made;
  }

  /** factor·x, float32. A factor that changes from step to step would fill the constants. */
  scale(x: Handle, factor: number): Handle {
    return this.addScaled(this.constant(0), x, factor);
  }

  empty(shape: readonly number[], type: TypeCode = 'float32'): Handle {
    return this.keep(this.binding.empty(shape, this.codes[type]));
  }

  full(shape: readonly number[], value: number, type: TypeCode = 'float32'): Handle {
    const made = this.empty(shape, type);
    this.binding.fill(made, value);
    return made;
  }

  /** int32 0 … n − 1. */
  range(n: number): Handle {
    const made = this.empty([n], 'int32');
    this.binding.write(
      made,
      Int32Array.from({ length: n }, (_, i) => i),
    );
    return made;
  }

  cast(x: Handle, type: TypeCode): Handle {
    return this.call('toType', x, this.codes[type], false);
  }

  /** Of a contiguous tensor, the same memory under another shape, and with strides. */
  view(x: Handle, shape: readonly number[], strides: readonly number[] | null = null): Handle {
    return this.keep(this.binding.view(x, shape, strides));
  }

  /** The tensor itself where it is row-major already. */
  contiguous(x: Handle): Handle {
    return this.binding.isContiguous(x) ? x : this.call('contiguous', x, this.codes.contiguous);
  }

  /** Always memory of its own. */
  copy(x: Handle): Handle {
    return this.call('contiguous', x, this.codes.contiguous);
  }

  shape(x: Handle): number[] {
    return this.binding.shape(x);
  }

  /** Frees what this scope made before the scope ends. */
  release(x: Handle): void {
    const at = this.#made?.lastIndexOf(x) ?? -1;
    if (at < 0) return;
    this.#made!.splice(at, 1);
    this.binding.free(x);
  }

  private keep(handle: Handle): Handle {
    this.#made?.push(handle);
    return handle;
  }
}
