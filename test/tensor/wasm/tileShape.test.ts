import { describe, expect, it } from 'vitest';

import { loadKernels } from '../../../server/tensor/wasm/loadKernels.ts';
import { MemoryPool } from '../../../server/tensor/wasm/memoryPool.ts';
import { joinVectors } from '../../../server/tensor/wasm/joinVectors.ts';
import { fasterTile } from '../../../server/tensor/wasm/tileShape.ts';
import { assetsFolder } from './builds.ts';

describe.each(['relaxed', 'plain'] as const)('the shape of the micro-kernel, %s SIMD', (build) => {
  it('is measured on memory that is given back', () => {
    joinVectors(assetsFolder, build);
    const pool = new MemoryPool();
    const { kernels } = loadKernels(assetsFolder, pool.memory, build);
    expect(['narrow', 'wide']).toContain(fasterTile(kernels, pool));
    expect(pool.usedBytes).toBe(0);
  });

  it('does not change the product, which is right in every element', () => {
    const pool = new MemoryPool();
    const { kernels } = loadKernels(assetsFolder, pool.memory, build);
    const address = pool.allocate(8192 * 4);
    const floats = new Float32Array(pool.buffer, address, 8192);
    // Small whole numbers: every sum is exact.
    for (let i = 0; i < 5120; i++) floats[i] = ((i * 37) % 17) - 8;
    const expected = Float32Array.from({ length: 48 * 32 }, (_, cell) => {
      const [row, column] = [Math.floor(cell / 32), cell % 32];
      let sum = 0;
      for (let k = 0; k < 64; k++) {
        sum += floats[row * 64 + k]! * floats[3072 + (column >> 3) * 512 + k * 8 + (column & 7)]!;
      }
      return sum;
    });
    for (const isWide of [0, 1]) {
      floats.fill(NaN, 5120, 5120 + 48 * 32);
      kernels.multiplySample(address, isWide);
      expect(floats.slice(5120, 5120 + 48 * 32)).toEqual(expected);
    }
  });
});
