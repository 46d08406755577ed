// What V8 makes of the kernels when it joins vectors: nothing here may depend on which kernel happens to be hot in other tests.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { canCompile } from '../../../server/tensor/wasm/joinVectors.ts';
import { kernelFiles, loadKernels } from '../../../server/tensor/wasm/loadKernels.ts';
import { guardBytes, MemoryPool } from '../../../server/tensor/wasm/memoryPool.ts';
import { assetsFolder } from './builds.ts';

/** Against hanging alone, as vitest's own. */
const guardMs = 1_800_000;

describe.each(['relaxed', 'plain'] as const)('the kernels, %s SIMD', (build) => {
  // In the optimising compiler a shape of code that the joining can't handle is a fatal error of the whole process.
  it('are all compiled with joined vectors', () => {
    expect(canCompile(path.join(assetsFolder, kernelFiles[build]), guardMs)).toBe(true);
  });

  it('have their constants where the pool hands nothing out', () => {
    const pool = new MemoryPool();
    const { kernels } = loadKernels(assetsFolder, pool.memory, build);
    expect(kernels.constantsEnd()).toBeLessThanOrEqual(guardBytes);
    expect(pool.allocate(64)).toBeGreaterThanOrEqual(guardBytes);
  });
});

it('a process that does not live through compiling is seen', () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-kernels-')), 'kernels.wasm');
  fs.writeFileSync(file, 'no kernels');
  expect(canCompile(file)).toBe(false);
});
