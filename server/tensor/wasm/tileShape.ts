// Asks V8 to join pairs of 128-bit vector operations into 256-bit ones (AVX2), and finds by measuring which shape of the
// micro-kernel is then faster. Neither changes a bit of any result: the same operations on the same lanes, in the same order.
import v8 from 'node:v8';
import type { Kernels } from './loadKernels.ts';
import type { MemoryPool } from './memoryPool.ts';

/** 6×8 or 6×16 sums at a time: 12 registers of 128 or of 256 bits. */
export type TileShape = 'narrow' | 'wide';

/** The first V8 whose option was tried; an older one would complain about it on stderr. */
const firstMajorVersion = 13;
const sampleBytes = 8192 * 4;
const rounds = 15;

/** To be called before kernels are compiled. V8 calls the option experimental; the whole test suite runs with it. */
export function joinVectors(): void {
  const majorVersion = Number(process.versions.v8.split('.')[0]);
  if (process.arch === 'x64' && majorVersion >= firstMajorVersion)
    v8.setFlagsFromString('--experimental-wasm-revectorize');
}

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
