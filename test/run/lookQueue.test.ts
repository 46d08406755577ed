// Which looks at data sets are at work, which wait, and how they end: by children that do only what the test has them do.
import { fork } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { DatasetPlan } from '../../server/protocol/plan.ts';
import { BadDatasetError, makeLooker, type LookMessage } from '../../server/run/lookProcess.ts';
import { forkAnsweringChildren } from './answeringChildren.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

const done: LookMessage = { type: 'done', bytes: Uint8Array.of(7) };
const plan: DatasetPlan = { name: 'shapes', seed: 0, trainSamples: 200, testSamples: 20 };

const children = forkAnsweringChildren<LookMessage>();

function looking() {
  const lookAt = makeLooker({ entryFile: '/dist/look.cjs', assetsFolder: '/dist' });
  return (signal = new AbortController().signal, onProgress: (progress: object) => void = () => {}) =>
    lookAt(plan, { signal, onProgress });
}

describe('looks at data sets', () => {
  it('are two at a time, each a process without output', async () => {
    const look = looking();
    const looks = [look(), look(), look()];
    await nextTurn();
    expect(children).toHaveLength(2);
    expect(fork).toHaveBeenLastCalledWith('/dist/look.cjs', [JSON.stringify(plan), '/dist'], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    await children[0]!.end(done);
    expect(children).toHaveLength(3);
    for (const child of children.slice(1)) await child.end(done);
    expect((await Promise.all(looks)).map(({ bytes }) => bytes[0])).toEqual([7, 7, 7]);
  });

  it('that have ended are not ended once more', async () => {
    const abort = new AbortController();
    const looked = looking()(abort.signal);
    await children[0]!.end(done);
    await looked;
    abort.abort();
    expect(children[0]!.kill).not.toHaveBeenCalled();
  });

  it('tell how far they are until they are not wanted any more', async () => {
    const [abort, told] = [new AbortController(), vi.fn()];
    const end = expect(looking()(abort.signal, told)).rejects.toThrow('not wanted');
    const progress = { what: 'reading', done: 1, total: 2 };
    children[0]!.emit('message', { type: 'progress', progress });
    abort.abort(new Error('not wanted'));
    expect(children[0]!.kill).toHaveBeenCalledExactlyOnceWith('SIGKILL');
    children[0]!.emit('message', { type: 'progress', progress });
    await children[0]!.end(null, [null, 'SIGKILL']);
    await end;
    expect(told).toHaveBeenCalledExactlyOnceWith(progress);
  });

  it('that end without an answer, or with a fault of ours, say so', async () => {
    const look = looking();
    const [ended, failed, bad] = [look(), look(), look()];
    const ends = [
      expect(ended).rejects.toThrow(/the process that read it was ended by SIGKILL, as it does where memory runs out/),
      expect(failed).rejects.toThrow(new Error('EIO')),
      expect(failed).rejects.not.toThrow(BadDatasetError),
      expect(bad).rejects.toThrow(new BadDatasetError('a.png is damaged.')),
    ];
    await children[0]!.end(null, [null, 'SIGKILL']);
    await children[1]!.end({ type: 'failed', message: 'EIO' });
    await children[2]!.end({ type: 'bad', message: 'a.png is damaged.' });
    await Promise.all(ends);
  });
});
