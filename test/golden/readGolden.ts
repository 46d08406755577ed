// Reads the golden vectors beside it, which the Python scripts wrote with an independent library.
import fs from 'node:fs';

import type { Input } from '../tensor/ops/contract.ts';

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** The file's content; its type is the caller's to know, as the script beside it says. */
export function readGolden<T>(name: string): T {
  return JSON.parse(fs.readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as T;
}

/** float32 input of an op. */
export function floatInput({ shape, values }: GoldenTensor): Input {
  return { shape, values: Float32Array.from(values) };
}

export function toFloat32({ values }: GoldenTensor): Float32Array {
  return Float32Array.from(values);
}

/** An op's input for a float64 reference: nine digits stand for the float32 number that PyTorch was given. */
export function exactInput({ values }: GoldenTensor): Float64Array {
  return Float64Array.from(values, Math.fround);
}

export function toFloat64({ values }: GoldenTensor): Float64Array {
  return Float64Array.from(values);
}
