// Finds by measuring which shape of the matrix product's micro-kernel is faster here: the wide one where V8 joins vectors. It
// changes no bit of any result.
import v8 from 'node:v8';
import type { Kernels } from './loadKernels.ts';
import type { MemoryPool } from './memoryPool.ts';

/** 6×8 or 6×16 sums at a time: 12 registers of 128 or of 256 bits. */
export type TileShape = 'narrow' | 'wide';

const sampleBytes = 8192 * 4;
const rounds = 15;

/** Takes 3 ms. Where vectors are joined, wide is faster by half, elsewhere slower by a third: a busy machine can't hide that. */
export function fasterTile(kernels: Kernels, pool: MemoryPool): TileShape {
  const scratch = pool.allocate(sampleBytes);
  try {
    new Float32Array(pool.buffer, scratch, sampleBytes / 4).fill(1);
    // The first call compiles: at once by the optimising compiler, which alone joins.
    v8.setFlagsFromString('--no-liftoff');
    kernels.multiplySample(scratch, 0);
    v8.setFlagsFromString('--liftoff');
    const time = (isWide: number) => {
      const startMs = performance.now();
      for (let i = 0; i < 4; i++) kernels.multiplySample(scratch, isWide);
      return performance.now() - startMs;
    };
    let narrowMs = Infinity;
    let wideMs = Infinity;
    for (let round = 0; round < rounds; round++) {
      narrowMs = Math.min(narrowMs, time(0));
      wideMs = Math.min(wideMs, time(1));
    }
    return wideMs < narrowMs ? 'wide' : 'narrow';
  } finally {
    pool.free(scratch);
  }
}
