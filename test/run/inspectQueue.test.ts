// Which inspections are at work, which wait, and what their processes are told and believed: by children that do only what the test
// has them do.
import { fork } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { makeInspector } from '../../server/run/inspectProcess.ts';
import type { Inspection } from '../../server/run/inspectProcess.ts';
import { BadCheckpointError } from '../../server/run/safetensors.ts';
import { forkAnsweringChildren } from './answeringChildren.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

const done = (byte: number): Inspection => ({ type: 'done', bytes: Uint8Array.of(byte) });

const children = forkAnsweringChildren<Inspection>();

function inspecting() {
  const { inspect } = makeInspector('/dist/inspect.cjs');
  return (file: string, signal?: AbortSignal) => inspect([file], signal);
}

/** Names of the files whose processes were begun. */
function begun(): unknown[] {
  return vi.mocked(fork).mock.calls.map(([, args]) => (JSON.parse(args![1]!) as [string])[0]);
}

describe('inspections', () => {
  it('are two at a time, the others in their order', async () => {
    const inspect = inspecting();
    const all = ['a', 'b', 'c', 'd'].map((file) => inspect(file));
    await nextTurn();
    expect(begun()).toEqual(['a', 'b']);
    await children[1]!.end(done(2));
    expect(begun()).toEqual(['a', 'b', 'c']);
    await children[0]!.end(done(1));
    expect(begun()).toEqual(['a', 'b', 'c', 'd']);
    await children[2]!.end(done(3));
    await children[3]!.end(done(4));
    expect((await Promise.all(all)).map(({ bytes }) => bytes[0])).toEqual([1, 2, 3, 4]);
    // Both places are free again, and no more than these.
    const more = ['e', 'f', 'g'].map((file) => inspect(file));
    await nextTurn();
    expect(begun().slice(4)).toEqual(['e', 'f']);
    for (const index of [4, 5, 6]) await children[index]!.end(done(index));
    await Promise.all(more);
  });

  it('have a process without output, which hands bytes over as they are', async () => {
    const inspected = inspecting()('a');
    expect(fork).toHaveBeenCalledExactlyOnceWith('/dist/inspect.cjs', ['inspect', '["a"]'], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    await children[0]!.end(done(7));
    expect((await inspected).bytes).toEqual(Uint8Array.of(7));
  });

  it('are answered by the first word, whatever follows it', async () => {
    const inspect = inspecting();
    const inspected = inspect('a');
    children[0]!.emit('message', done(1));
    await children[0]!.end(done(2), [null, 'SIGSEGV']);
    expect((await inspected).bytes[0]).toBe(1);
    const bad = inspect('b');
    const failed = inspect('c');
    const ends = [
      expect(bad).rejects.toThrow(new BadCheckpointError('b is no checkpoint')),
      expect(failed).rejects.toThrow(new Error('EIO')),
      expect(failed).rejects.not.toThrow(BadCheckpointError),
    ];
    await children[1]!.end({ type: 'bad', message: 'b is no checkpoint' });
    await children[2]!.end({ type: 'failed', message: 'EIO' });
    await Promise.all(ends);
    await expect(bad).rejects.toThrow(BadCheckpointError);
    expect(await failed.catch((error: unknown) => (error as Error).name)).toBe('Error');
  });

  it('that end without a word say how', async () => {
    const inspected = inspecting()('a');
    const end = expect(inspected).rejects.toThrow(
      "a can't be inspected: the process that read it was ended by SIGKILL, as it does where memory runs out.",
    );
    await children[0]!.end(null, [null, 'SIGKILL']);
    await end;
  });
});

describe('an inspection that is not wanted any more', () => {
  const reason = new Error('not wanted');

  function three() {
    const inspect = inspecting();
    const abort = new AbortController();
    const first = [inspect('a'), inspect('b')];
    return { inspect, abort, first };
  }

  it('is refused at once, though others are at work', async () => {
    const { inspect, abort } = three();
    abort.abort(reason);
    await expect(inspect('c', abort.signal)).rejects.toBe(reason);
    expect(begun()).toEqual(['a', 'b']);
  });

  it('leaves its place in the row to the next', async () => {
    const { inspect, abort } = three();
    const third = inspect('c', abort.signal);
    const fourth = inspect('d');
    await nextTurn();
    abort.abort(reason);
    await expect(third).rejects.toBe(reason);
    await children[0]!.end(done(1));
    expect(begun()).toEqual(['a', 'b', 'd']);
    await children[2]!.end(done(4));
    expect((await fourth).bytes[0]).toBe(4);
  });

  it('is not begun where that is said just as its turn comes', async () => {
    const { inspect, abort } = three();
    const third = inspect('c', abort.signal);
    const { signal } = abort;
    const remove = signal.removeEventListener.bind(signal);
    vi.spyOn(signal, 'removeEventListener').mockImplementationOnce((...all) => {
      remove(...all);
      abort.abort(reason);
    });
    const end = expect(third).rejects.toBe(reason);
    await nextTurn();
    await children[0]!.end(done(1));
    await end;
    expect(begun()).toEqual(['a', 'b']);
  });

  it('ends its process, and takes nobody else from the row', async () => {
    const { inspect, abort } = three();
    const third = inspect('c', abort.signal);
    const fourth = inspect('d');
    await nextTurn();
    await children[0]!.end(done(1));
    expect(begun()).toEqual(['a', 'b', 'c']);
    const end = expect(third).rejects.toBe(reason);
    abort.abort(reason);
    expect(children[2]!.kill).toHaveBeenCalledExactlyOnceWith('SIGKILL');
    await children[2]!.end(null, [null, 'SIGKILL']);
    await end;
    expect(begun()).toEqual(['a', 'b', 'c', 'd']);
    await children[3]!.end(done(4));
    expect((await fourth).bytes[0]).toBe(4);
  });

  it('has the answer that came before that was said', async () => {
    const { inspect } = three();
    await children[0]!.end(done(1));
    const abort = new AbortController();
    const inspected = inspect('c', abort.signal);
    children[2]!.emit('message', done(3));
    abort.abort(reason);
    await children[2]!.end(null, [null, 'SIGKILL']);
    expect((await inspected).bytes[0]).toBe(3);
    // Nor is a process ended that has ended.
    await children[1]!.end(done(2));
    const late = new AbortController();
    const over = inspect('d', late.signal);
    await children[3]!.end(done(4));
    await over;
    late.abort(reason);
    expect(children[3]!.kill).not.toHaveBeenCalled();
  });
});
