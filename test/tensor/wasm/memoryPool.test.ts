import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { guardBytes, MemoryPool, OutOfMemoryError } from '../../../server/tensor/wasm/memoryPool.ts';

describe('memory pool', () => {
  it('gives blocks that never overlap, whatever is freed in between, and gets all of them back', () => {
    const steps = fc.array(fc.record({ sizeBytes: fc.nat(200_000), freed: fc.nat() }), { maxLength: 120 });
    fc.assert(
      fc.property(steps, (sequence) => {
        const pool = new MemoryPool({ initialPages: 1, maximumPages: 4096 });
        const live: { address: number; sizeBytes: number }[] = [];
        sequence.forEach(({ sizeBytes, freed }, index) => {
          const address = pool.allocate(sizeBytes);
          expect(address % 64).toBe(0);
          expect(address + sizeBytes).toBeLessThanOrEqual(pool.capacityBytes);
          for (const other of live) {
            const isApart = address + sizeBytes <= other.address || other.address + other.sizeBytes <= address;
            expect(isApart, `${address} and ${other.address}`).toBe(true);
          }
          live.push({ address, sizeBytes });
          if (index % 3 > 0) pool.free(live.splice(freed % live.length, 1)[0]!.address);
        });
        expect(pool.nBlocks).toBe(live.length);
        for (const { address } of live) pool.free(address);
        expect(pool.usedBytes).toBe(0);
        // All free blocks have merged: the whole memory can be had as one block, without growing.
        const capacityBytes = pool.capacityBytes;
        pool.allocate(capacityBytes - 2 * guardBytes);
        expect(pool.capacityBytes).toBe(capacityBytes);
      }),
      { numRuns: 60 },
    );
  });

  it('does not grow when the same sizes come and go a thousand times', () => {
    const pool = new MemoryPool({ initialPages: 4 });
    const sizes = [100, 70_000, 3, 900_000, 64, 12_345];
    const run = () => {
      for (const address of sizes.map((size) => pool.allocate(size))) pool.free(address);
    };
    run();
    const capacityBytes = pool.capacityBytes;
    for (let round = 0; round < 1000; round++) run();
    expect(pool.capacityBytes).toBe(capacityBytes);
    expect(pool.usedBytes).toBe(0);
  });

  it('uses a hole again instead of new memory', () => {
    const pool = new MemoryPool();
    const addresses = [1000, 5000, 1000].map((size) => pool.allocate(size));
    pool.free(addresses[1]!);
    expect(pool.allocate(4900)).toBe(addresses[1]);
  });

  it('keeps views taken before it grew valid', () => {
    const pool = new MemoryPool({ initialPages: 1 });
    const view = new Float32Array(pool.buffer, pool.allocate(40), 10).fill(7);
    const address = pool.allocate(10_000_000);
    new Uint8Array(pool.buffer, address, 10_000_000).fill(1);
    expect(view).toEqual(new Float32Array(10).fill(7));
    view[3] = 8;
    expect(new Float32Array(pool.buffer, view.byteOffset, 10)[3]).toBe(8);
  });

  it('reports what is in use now and at most', () => {
    const pool = new MemoryPool();
    const address = pool.allocate(1000);
    expect(pool.usedBytes).toBe(1024);
    pool.free(address);
    pool.allocate(1);
    expect(pool.usedBytes).toBe(64);
    expect(pool.peakBytes).toBe(1024);
  });

  it('says how much was wanted when the memory is used up, and stays usable', () => {
    const pool = new MemoryPool({ initialPages: 1, maximumPages: 16 });
    const before = pool.usedBytes;
    expect(() => pool.allocate(2_000_000)).toThrow(OutOfMemoryError);
    expect(() => pool.allocate(2_000_000)).toThrow(/2000000 bytes more than the 0 in use exceed the 1048576/);
    expect(pool.usedBytes).toBe(before);
    expect(pool.allocate(900_000)).toBeGreaterThan(0);
  });

  it('refuses to free what it did not give, or twice', () => {
    const pool = new MemoryPool();
    const address = pool.allocate(10);
    pool.free(address);
    expect(() => {
      pool.free(address);
    }).toThrow(/not allocated/);
    expect(() => {
      pool.free(12);
    }).toThrow(/12 is not allocated/);
  });
});
