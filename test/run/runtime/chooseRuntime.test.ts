import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RuntimeName } from '../../../server/protocol/plan.ts';
import { chooseRuntime, type ChooseOptions } from '../../../server/run/runtime/chooseRuntime.ts';

let folder: string;
let tried: RuntimeName[];
let logged: string[];
/** Milliseconds of a step, or what is wrong. */
let speeds: Partial<Record<RuntimeName, number | string>>;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-choose-'));
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

beforeEach((context) => {
  tried = [];
  logged = [];
  speeds = { wasm: 50, tensorflow: 80 };
  memoryFile = path.join(folder, context.task.id, 'deep', 'runtimes.json');
});

let memoryFile: string;

function choose(change: Partial<ChooseOptions> = {}) {
  return chooseRuntime({
    candidates: ['wasm', 'tensorflow'],
    fingerprint: 'this machine',
    memoryFile,
    tryRuntime: (runtime) => {
      tried.push(runtime);
      const speed = speeds[runtime];
      const isRight = typeof speed === 'number';
      return Promise.resolve({
        runtime,
        device: 'scripted · 2 threads',
        fault: isRight ? null : (speed ?? 'It is not there.'),
        stepMs: isRight ? speed : null,
        gpus: runtime === 'torch' ? ['cuda:0', 'cuda:1'] : [],
      });
    },
    log: (line) => logged.push(line),
    isAnew: false,
    ...change,
  });
}

describe('the runtime of auto', () => {
  it('is the fastest that passes its self-test', async () => {
    expect((await choose()).chosen).toBe('wasm');
    speeds = { wasm: 50, tensorflow: 8 };
    expect((await choose({ isAnew: true })).chosen).toBe('tensorflow');
    speeds = { wasm: 50, tensorflow: 'It computes nonsense.' };
    const { chosen, trials } = await choose({ isAnew: true });
    expect(chosen).toBe('wasm');
    expect(trials[1]).toMatchObject({ fault: 'It computes nonsense.', stepMs: null });
  });

  it('is, of two as fast, the one that comes first', async () => {
    speeds = { wasm: 50, tensorflow: 50 };
    expect((await choose()).chosen).toBe('wasm');
    expect((await choose({ candidates: ['tensorflow', 'wasm'], isAnew: true })).chosen).toBe('tensorflow');
  });

  it('is remembered where another has a fault, and nothing is said of a memory that never was', async () => {
    speeds = { wasm: 50, tensorflow: 'It computes nonsense.' };
    const first = await choose();
    expect(logged).toEqual([]);
    expect(await choose()).toEqual(first);
    expect(tried).toEqual(['wasm', 'tensorflow']);
    expect(fs.readdirSync(path.dirname(memoryFile))).toEqual(['runtimes.json']);
  });

  it('is plain JavaScript where no other works, and then looked for again the next time', async () => {
    speeds = {};
    expect((await choose()).chosen).toBe('cpu');
    speeds = { wasm: 50 };
    expect((await choose()).chosen).toBe('wasm');
  });

  it('is remembered, until what it depends on changes or a person asks anew', async () => {
    const first = await choose();
    expect(tried).toEqual(['wasm', 'tensorflow']);
    speeds = { wasm: 50, tensorflow: 8 };
    expect(await choose()).toEqual(first);
    expect(tried).toHaveLength(2);
    expect((await choose({ fingerprint: 'another library' })).chosen).toBe('tensorflow');
    speeds = { wasm: 5, tensorflow: 8 };
    expect((await choose({ fingerprint: 'another library' })).chosen).toBe('tensorflow');
    expect((await choose({ fingerprint: 'another library', isAnew: true })).chosen).toBe('wasm');
  });

  it('is found again where the memory is damaged, and used where it can not be written', async () => {
    await choose();
    fs.writeFileSync(memoryFile, '{"fingerprint": "this machine", "chosen": "abacus"}');
    expect((await choose()).chosen).toBe('wasm');
    expect(logged.join()).toMatch(/runtimes\.json is damaged and made anew/);
    fs.writeFileSync(path.join(folder, 'file'), '');
    const nowhere = path.join(folder, 'file', 'runtimes.json');
    expect((await choose({ memoryFile: nowhere })).chosen).toBe('wasm');
    expect(logged.join()).toMatch(/not remembered: .*file/);
  });
});
