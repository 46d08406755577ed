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

  it('of a runtime that hangs is ended, and says so', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-trial-'));
    fs.writeFileSync(path.join(folder, 'runtimeTrial.cjs'), 'setInterval(() => undefined, 1000);');
    expect((await tryRuntime('tensorflow', folder, process.env, 1)).fault).toBe(
      'The process that tried tensorflow was still at it after 0.001 s and was ended.',
    );
    fs.rmSync(folder, { recursive: true });
  });

  it('may take as long as it does: a slow runtime that computes right has no fault', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-trial-'));
    // The clock alone is slow: every look at it is an hour later.
    const slow = `let hours = 0;
      performance.now = () => 3_600_000 * ++hours;
      require(${JSON.stringify(path.join(assetsFolder, 'runtimeTrial.cjs'))});`;
    fs.writeFileSync(path.join(folder, 'runtimeTrial.cjs'), slow);
    expect(await tryRuntime('wasm', folder)).toMatchObject({ fault: null, stepMs: 3_600_000 });
    fs.rmSync(folder, { recursive: true });
  });
});
