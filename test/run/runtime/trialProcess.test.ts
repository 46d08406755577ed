// What a trial makes of the words and the end of its process: by a child that does only what the test has it do.
import { EventEmitter } from 'node:events';
import { fork } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { tryRuntime } from '../../../server/run/runtime/runtimeTrial.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

class FakeChild extends EventEmitter {
  killed = false;
  readonly stderr = new PassThrough();

  async end(code: number | null, signal: NodeJS.Signals | null = null): Promise<void> {
    this.stderr.end();
    await new Promise((resolve) => this.stderr.on('close', resolve));
    this.emit('close', code, signal);
  }
}

let child: FakeChild;

beforeEach(() => {
  child = new FakeChild();
  vi.mocked(fork)
    .mockReset()
    .mockReturnValue(child as never);
});

describe('the process of a trial', () => {
  it('writes to no terminal, loads from the folder of the bundles, and is ended for certain where it hangs', async () => {
    const trial = tryRuntime('wasm', '/dist', { A: 'b' });
    expect(fork).toHaveBeenCalledExactlyOnceWith('/dist/runtimeTrial.cjs', ['wasm'], {
      env: { A: 'b' },
      cwd: '/dist',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: expect.any(Number) as number,
      killSignal: 'SIGKILL',
    });
    // Minutes at least: how slow a runtime is decides nothing.
    expect(vi.mocked(fork).mock.calls[0]![2]!.timeout).toBeGreaterThanOrEqual(300_000);
    child.emit('message', { runtime: 'wasm', device: 'x', fault: null, stepMs: 1 });
    child.emit('message', { runtime: 'wasm', device: 'y', fault: null, stepMs: 2 });
    await child.end(null, 'SIGSEGV');
    expect(await trial).toEqual({ runtime: 'wasm', device: 'x', fault: null, stepMs: 1 });
  });

  it('that says nothing is quoted: the last line, in any language, of its last two thousand characters', async () => {
    const trial = tryRuntime('tensorflow', '/dist');
    const words = Buffer.from(`loading\nspäte Wörter: ${'ü'.repeat(3000)}\n`);
    const half = words.indexOf('ä') + 1; // in the midst of a letter
    child.stderr.write(words.subarray(0, half));
    child.stderr.write(words.subarray(half));
    await child.end(3);
    expect((await trial).fault).toBe(
      `The process that tried tensorflow ended with code 3. Its last words: ${'ü'.repeat(1999)}`,
    );
  });

  it('whose words come in parts is quoted whole', async () => {
    const trial = tryRuntime('tensorflow', '/dist');
    child.stderr.write(Buffer.from('first line\nlast '));
    child.stderr.write(Buffer.from([0xc3]));
    child.stderr.write(Buffer.from([0xbc, 0x62]));
    await child.end(null, 'SIGILL');
    expect(await trial).toEqual({
      runtime: 'tensorflow',
      device: '',
      fault: 'The process that tried tensorflow was ended by SIGILL. Its last words: last üb',
      stepMs: null,
      gpus: [],
    });
  });

  it('that was ended for its patience says after how long', async () => {
    const trial = tryRuntime('wasm', '/dist', {}, 2500);
    child.killed = true;
    await child.end(null, 'SIGKILL');
    expect((await trial).fault).toBe('The process that tried wasm was still at it after 2.5 s and was ended.');
    expect(vi.mocked(fork).mock.calls[0]![2]!.timeout).toBe(2500);
  });
});
