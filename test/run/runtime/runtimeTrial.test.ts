// The real trial of real runtimes, in processes of their own, from the built bundle.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryRuntime } from '../../../server/run/runtime/runtimeTrial.ts';
import { assetsFolder } from '../../tensor/wasm/builds.ts';

describe('a trial', () => {
  it('of a runtime that works tells device and speed', async () => {
    const { device, fault, stepMs } = await tryRuntime('wasm', assetsFolder);
    expect({ device, fault }).toEqual({ device: expect.stringMatching(/threads? · .*SIMD/) as string, fault: null });
    expect(stepMs).toBeGreaterThan(0);
  });

  it('of a runtime that does not open tells why', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-trial-'));
    fs.copyFileSync(path.join(assetsFolder, 'runtimeTrial.cjs'), path.join(folder, 'runtimeTrial.cjs'));
    const trial = await tryRuntime('wasm', folder);
    expect(trial).toMatchObject({ runtime: 'wasm', device: '', stepMs: null });
    expect(trial.fault).toMatch(/kernels\.relaxed\.wasm/);
    fs.writeFileSync(path.join(folder, 'runtimeTrial.cjs'), "console.error('out of memory'); process.exit(7);");
    expect((await tryRuntime('tensorflow', folder)).fault).toBe(
      'The process that tried tensorflow ended with code 7. Its last words: out of memory',
    );
    fs.writeFileSync(path.join(folder, 'runtimeTrial.cjs'), 'process.abort();');
    expect((await tryRuntime('tensorflow', folder)).fault).toMatch(
      /^The process that tried tensorflow was ended by SIG/,
    );
    fs.rmSync(folder, { recursive: true });
  });
});
