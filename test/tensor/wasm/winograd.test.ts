import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import {
  convolution,
  convolutionGradients,
  type ConvolutionShape,
} from '../../../server/tensor/reference/convolution.ts';
import { openRuntime } from '../../../server/tensor/runtime.ts';
import { openWasmBackend } from '../../../server/tensor/wasm/openWasmBackend.ts';
import type { WasmBackend } from '../../../server/tensor/wasm/wasmBackend.ts';
import { assetsFolder, noise, runKernel } from './builds.ts';

interface Geometry {
  /** Of the filter, 3 × 3 unless said. */
  readonly size?: 3 | 5;
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly padding?: 'same' | 'valid';
}

const plain = { batch: 2, height: 8, width: 8, inChannels: 8, outChannels: 8 } as const;

/** Forward with bias and both gradients on the current backend. */
function compute(geometry: Geometry): Record<'y' | 'dx' | 'dkernel', Float32Array> {
  const { batch, height, width, inChannels, outChannels, padding = 'same', size = 3 } = geometry;
  const options = { strides: [1, 1], pad: padding, dataFormat: 'NHWC' };
  return tf.tidy(() => {
    const x = noise([batch, height, width, inChannels]) as tf.Tensor4D;
    const filter = noise([size, size, inChannels, outChannels], { seed: 2 }) as tf.Tensor4D;
    const bias = noise([outChannels], { seed: 3 });
    const y = tf.fused.conv2d({ x, filter, bias, strides: 1, pad: padding });
    const dy = noise(y.shape, { seed: 4 });
    const [dx] = runKernel(tf.Conv2DBackpropInput, { dy, filter }, { ...options, inputShape: x.shape });
    const [dkernel] = runKernel(tf.Conv2DBackpropFilter, { x, dy }, { ...options, filterShape: filter.shape });
    return { y: floats(y), dx: floats(dx!), dkernel: floats(dkernel!) };
  });
}

const references = new Map<string, Record<'y' | 'dx' | 'dkernel', Float64Array>>();

/** Kept for the next variant: the loops take longer than all else here. */
function reference(geometry: Geometry): Record<'y' | 'dx' | 'dkernel', Float64Array> {
  const key = JSON.stringify(geometry);
  const known = references.get(key) ?? computeReference(geometry);
  references.set(key, known);
  return known;
}

function computeReference(geometry: Geometry): Record<'y' | 'dx' | 'dkernel', Float64Array> {
  const { batch, height, width, inChannels, outChannels, padding = 'same', size = 3 } = geometry;
  const shape: ConvolutionShape = {
    x: [batch, height, width, inChannels],
    kernel: [size, size, inChannels, outChannels],
    stride: 1,
    padding,
  };
  const values = (size: readonly number[], seed: number) => {
    const tensor = noise(size, { seed });
    const result = Float64Array.from(floats(tensor));
    tensor.dispose();
    return result;
  };
  const x = values(shape.x, 1);
  const kernel = values(shape.kernel, 2);
  const y = convolution(x, kernel, values([outChannels], 3), shape);
  return { y, ...convolutionGradients(values([y.length], 4), x, kernel, shape) };
}

function floats(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>() as Float32Array;
}

/** Errors relative to the reference's root mean square. */
function errorsOf(actual: Float32Array, expected: Float64Array): { rms: number; largest: number } {
  expect(actual).toHaveLength(expected.length);
  let squares = 0;
  let squaredErrors = 0;
  let largest = 0;
  expected.forEach((value, index) => {
    const error = Math.abs(actual[index]! - value);
    squares += value ** 2;
    squaredErrors += error ** 2;
    // Not Math.max, which would lose a NaN.
    if (!(error <= largest)) largest = error;
  });
  const scale = Math.sqrt(squares / expected.length);
  return { rms: Math.sqrt(squaredErrors / expected.length) / scale, largest: largest / scale };
}

const variants = (['relaxed', 'plain'] as const).flatMap((build) =>
  (['narrow', 'wide'] as const).map((tile) => ({ build, tile })),
);

describe.each(variants)('Winograd convolution, $build SIMD, $tile tiles', (options) => {
  let backend: WasmBackend;
  beforeAll(async () => {
    await openRuntime('cpu', { assetsFolder });
    ({ backend } = await openWasmBackend(assetsFolder, options));
  });

  // Twice to four times what was seen: F(4×4) loses two to three bits against a plain sum, with 5 taps three to four.
  const limits = {
    3: { rms: { y: 1.5e-6, dx: 1.5e-6, dkernel: 5e-6 }, largest: { y: 3e-5, dx: 3e-5, dkernel: 5e-5 } },
    5: { rms: { y: 7e-6, dx: 7e-6, dkernel: 1e-5 }, largest: { y: 1e-4, dx: 1e-4, dkernel: 1e-4 } },
  } as const;

  function check(geometry: Geometry): void {
    const usedBytes = backend.pool.usedBytes;
    const actual = compute(geometry);
    expect(backend.pool.usedBytes, 'bytes left over').toBe(usedBytes);
    const expected = reference(geometry);
    for (const name of ['y', 'dx', 'dkernel'] as const) {
      const { rms, largest } = errorsOf(actual[name], expected[name]);
      const allowed = limits[geometry.size ?? 3];
      expect(rms, `${name} of ${JSON.stringify(geometry)}, RMS`).toBeLessThan(allowed.rms[name]);
      expect(largest, `${name} of ${JSON.stringify(geometry)}, largest`).toBeLessThan(allowed.largest[name]);
    }
  }

  it.each([3, 5] as const)('is what computes convolutions of %d taps a side at stride 1 of enough channels', (size) => {
    const run = vi.spyOn(backend, 'run');
    const kernelsOf = (geometry: Geometry) => {
      run.mockClear();
      compute(geometry);
      return [...new Set(run.mock.calls.map(([kernel]) => kernel))].filter(
        (kernel) => !String(kernel).startsWith('winogradFilter'),
      );
    };
    expect(kernelsOf({ ...plain, size })).toEqual(['winogradConvolve']);
    // Of 5 taps three channels are enough.
    const few = { ...plain, size, inChannels: 7, outChannels: 9 };
    expect(kernelsOf(few)).toEqual(size === 3 ? ['convolve', 'winogradConvolve'] : ['winogradConvolve']);
    expect(kernelsOf({ ...plain, size, inChannels: 2, outChannels: 2 })).toEqual([
      'convolve',
      'filterGradientSums',
      'addFilterGradients',
    ]);
    vi.restoreAllMocks();
  });

  it('agrees with float64 for images that tiles of 4 do and do not divide, padded or not', () => {
    for (const [height, width] of [
      [8, 8],
      [7, 9],
      [5, 4],
      [3, 3],
      [12, 6],
      [1, 40],
    ] as const) {
      for (const padding of ['same', 'valid'] as const) {
        for (const size of [3, 5] as const) {
          if (padding === 'valid' && Math.min(height, width) < size) continue;
          check({ ...plain, batch: 9, size, height, width, padding });
        }
      }
    }
  });

  it('agrees with float64 for channels around the lanes', () => {
    for (const size of [3, 5] as const) {
      for (const channels of [8, 9, 15, 16, 17, 24, 33]) {
        check({ ...plain, size, inChannels: channels, outChannels: 8 });
        check({ ...plain, size, inChannels: 8, outChannels: channels });
      }
      for (const inChannels of [1, 2, 3, 4, 5, 7]) check({ ...plain, size, inChannels, outChannels: 9 });
      for (const outChannels of [1, 2, 3, 4, 5, 7]) check({ ...plain, size, inChannels: 9, outChannels });
    }
  });

  it('agrees with float64 over several blocks of tiles and parts of the batch', () => {
    check({ batch: 40, height: 12, width: 16, inChannels: 16, outChannels: 24 });
    check({ batch: 3, height: 32, width: 32, inChannels: 32, outChannels: 32 });
    check({ batch: 2, height: 9, width: 7, inChannels: 72, outChannels: 136 });
    check({ batch: 20, size: 5, height: 12, width: 15, inChannels: 16, outChannels: 24 });
    check({ batch: 2, size: 5, height: 9, width: 7, inChannels: 72, outChannels: 136 });
  });

  it.each([3, 5] as const)(
    'gives an image the same bits wherever it stands in a batch, and in every run; %d taps',
    (size) => {
      tf.tidy(() => {
        const filter = noise([size, size, 9, 17], { seed: 2 }) as tf.Tensor4D;
        const image = noise([1, 12, 13, 9]) as tf.Tensor4D;
        const others = noise([6, 12, 13, 9], { seed: 5 }) as tf.Tensor4D;
        const alone = tf.conv2d(image, filter, 1, 'same');
        const among = tf.conv2d(tf.concat([others, image, others], 0), filter, 1, 'same');
        expect(floats(tf.slice(among, [6, 0, 0, 0], [1, -1, -1, -1]))).toEqual(floats(alone));
      });
      expect(compute({ ...plain, size, batch: 20 })).toEqual(compute({ ...plain, size, batch: 20 }));
    },
  );

  it.each([3, 5].flatMap((size) => [NaN, Infinity, -Infinity, 3e38].map((value) => ({ size, value }))))(
    'shows $value wherever the direct sum does, and leaves other tiles alone; $size taps',
    ({ size, value }) => {
      const shape: ConvolutionShape = { x: [1, 16, 12, 8], kernel: [size, size, 8, 8], stride: 1, padding: 'same' };
      tf.tidy(() => {
        const kernel = noise([size, size, 8, 8], { seed: 2, scale: 30 }) as tf.Tensor4D;
        const clean = noise([1, 16, 12, 8]) as tf.Tensor4D;
        const values = floats(clean).slice();
        const [row, column] = [6, 7];
        values[(row * 12 + column) * 8 + 3] = value;
        const x = tf.tensor4d(values, [1, 16, 12, 8]);
        const direct = Float32Array.from(
          convolution(Float64Array.from(values), Float64Array.from(floats(kernel)), new Float64Array(8), shape),
        );
        const actual = floats(tf.conv2d(x, kernel, 1, 'same'));
        const untouched = floats(tf.conv2d(clean, kernel, 1, 'same'));
        const hidden = direct.findIndex((sum, index) => !Number.isFinite(sum) && Number.isFinite(actual[index]));
        expect(hidden, 'index of a non-finite sum that became finite').toBe(-1);
        expect(direct.some((sum) => !Number.isFinite(sum))).toBe(true);
        actual.forEach((sum, index) => {
          const y = Math.floor(index / 96);
          const x = Math.floor((index % 96) / 8);
          // Tiles whose 6×6 or 8×8 pixels reach the value.
          const border = (size - 1) / 2;
          const reaches = (tile: number, at: number) => at >= 4 * tile - border && at < 4 * tile + 4 + border;
          if (!reaches(Math.floor(y / 4), row) || !reaches(Math.floor(x / 4), column))
            expect(sum).toBe(untouched[index]);
        });
      });
    },
  );

  it.each([3, 5])('shows a NaN of dy or x in every tap of the filter gradient that it is part of; %d taps', (size) => {
    tf.tidy(() => {
      const values = floats(noise([2, 8, 8, 8], { seed: 4 })).slice();
      values[(3 * 8 + 5) * 8 + 6] = NaN;
      const dy = tf.tensor4d(values, [2, 8, 8, 8]);
      const options = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: [size, size, 8, 8] };
      const [dkernel] = runKernel(tf.Conv2DBackpropFilter, { x: noise([2, 8, 8, 8]), dy }, options);
      floats(dkernel!).forEach((value, index) => {
        expect(Number.isNaN(value)).toBe(index % 8 === 6);
      });
      const [ofInput] = runKernel(tf.Conv2DBackpropFilter, { x: dy, dy: noise([2, 8, 8, 8]) }, options);
      floats(ofInput!).forEach((value, index) => {
        expect(Number.isNaN(value)).toBe(Math.floor(index / 8) % 8 === 6);
      });
    });
  });
});

describe('a filter gradient of few tiles', () => {
  it('is the same, its columns shared out among threads', async () => {
    const geometry = { batch: 9, height: 4, width: 4, inChannels: 9, outChannels: 150 };
    const results = [];
    for (const threads of [1, 3]) {
      const { backend } = await openWasmBackend(assetsFolder, { threads });
      const run = vi.spyOn(backend, 'run');
      results.push(compute(geometry).dkernel);
      const calls = run.mock.calls.find(([kernel]) => kernel === 'winogradFilterGradientSums')![1];
      expect(calls).toHaveLength(threads);
      backend.dispose();
    }
    expect(results[1]).toEqual(results[0]);
  });
});

describe('both shapes of the tile', () => {
  it.each(['relaxed', 'plain'] as const)('give the same bits, %s SIMD', async (build) => {
    for (const size of [3, 5] as const) {
      const geometry = { batch: 9, size, height: 9, width: 7, inChannels: 33, outChannels: 41 };
      const results = [];
      for (const tile of ['narrow', 'wide'] as const) {
        await openWasmBackend(assetsFolder, { build, tile });
        results.push(compute(geometry));
      }
      expect(results[1]).toEqual(results[0]);
    }
  });
});
