// Runs a suite on both SIMD builds of the kernels and compares each with tfjs's (and the ops') TypeScript kernels.
import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect } from 'vitest';

import { openRuntime } from '../../../server/tensor/runtime.ts';
import { openWasmBackend } from '../../../server/tensor/wasm/openWasmBackend.ts';
import { wasmBackendName, type WasmBackend } from '../../../server/tensor/wasm/wasmBackend.ts';
import { expectClose, type Tolerance } from '../expectClose.ts';

export const assetsFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../dist');

/** Results that are to be the same bits. */
export const exactly: Tolerance = { absolute: 0, relative: 0 };

/** Declares the suite for each build; its tests run with that build as tfjs's backend. */
export function describeOnEveryBuild(title: string, declare: (backend: () => WasmBackend) => void): void {
  describe.each(['relaxed', 'plain'] as const)(`${title}, %s SIMD`, (build) => {
    let backend: WasmBackend;
    beforeAll(async () => {
      await openRuntime('cpu', { assetsFolder });
      ({ backend } = await openWasmBackend(assetsFolder, { build, threads: 2 }));
    });
    declare(() => backend);
  });
}

/**
 * Runs the same computation on the `cpu` backend and on ours and compares all results; nothing may be left in our memory.
 * @param tolerance one for all results or one for each
 */
export async function expectLikeCpu(
  compute: () => readonly tf.Tensor[],
  tolerance: Tolerance | readonly Tolerance[],
): Promise<void> {
  const expected = await computeOn('cpu', compute);
  const backend = tf.findBackend(wasmBackendName) as WasmBackend;
  const usedBytes = backend.pool.usedBytes;
  const actual = await computeOn(wasmBackendName, compute);
  expect(backend.pool.usedBytes, 'bytes left over').toBe(usedBytes);
  expect(actual.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  actual.forEach(({ values }, index) => {
    const allowed = Array.isArray(tolerance) ? (tolerance as readonly Tolerance[])[index]! : (tolerance as Tolerance);
    expectClose(values, expected[index]!.values, allowed, `result ${index}`);
  });
}

interface Result {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

async function computeOn(backendName: string, compute: () => readonly tf.Tensor[]): Promise<Result[]> {
  await tf.setBackend(backendName);
  const engine = tf.engine();
  engine.startScope();
  try {
    return compute().map((tensor) => ({
      shape: tensor.shape,
      dtype: tensor.dtype,
      values: tensor.dataSync().slice() as Result['values'],
    }));
  } finally {
    engine.endScope();
  }
}

/** All outputs of a kernel. */
export function runKernel(name: string, inputs: object, attributes: object = {}): tf.Tensor[] {
  const outputs: tf.Tensor | tf.Tensor[] = tf
    .engine()
    .runKernel(name, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** Numbers in [−scale, scale) from a linear congruential generator (Numerical Recipes), the same in every run. */
export function noise(shape: readonly number[], { seed = 1, scale = 1 } = {}): tf.Tensor {
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  let state = seed;
  for (let index = 0; index < values.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[index] = (scale * state) / 2 ** 31;
  }
  return tf.tensor(values, [...shape]);
}

/** Sums of n products up to 1: rounding errors add up like a walk, and at worst like n; both sides are rounded once more. */
export function sumTolerance(n: number): Tolerance {
  return { absolute: 4e-7 * (4 + 2 * Math.sqrt(n)), relative: 1e-5 };
}

/** Rows and channels: empty, one, lanes ± 1, and more rows than a block. */
export const sizes = [
  [0, 3],
  [1, 1],
  [3, 4],
  [5, 3],
  [9, 5],
  [300, 7],
  [1030, 32],
] as const;

/** Polynomials in place of exp: a few units in the last place of values up to 1. */
export const smooth = { absolute: 1e-6, relative: 2e-6 };

export const extremes = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-40, 3e38, -3e38, 100, -100, 0.5, -0.5];
