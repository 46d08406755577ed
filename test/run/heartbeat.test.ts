// The sign of life beside a log: a file that a thread lets grow.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type * as threads from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startHeartbeat } from '../../server/run/heartbeat.ts';
import { temporaryFolder } from './scriptedRun.ts';

const { made } = vi.hoisted(() => ({ made: [] as threads.Worker[] }));

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof threads>();
  class Watched extends real.Worker {
    constructor(...all: ConstructorParameters<typeof real.Worker>) {
      super(...all);
      made.push(this);
    }
  }
  return { ...real, Worker: Watched };
});

const anHour = 3_600_000;

function beating(everyMs: number) {
  const file = path.join(temporaryFolder(), 'beat-0');
  fs.writeFileSync(file, '');
  const stop = startHeartbeat(file, everyMs);
  const thread = made.at(-1)!;
  const ended = new Promise<number>((resolve) => thread.on('exit', resolve)); // `once` would hear its errors, too
  const grows = async () => {
    const size = fs.statSync(file).size;
    while (fs.statSync(file).size === size) await nextTurn();
  };
  return { file, stop, thread, ended, grows };
}

afterEach(() => {
  vi.restoreAllMocks();
  made.length = 0;
});

describe('a heartbeat', () => {
  it('goes on while the thread of whoever started it is held up, until it is told to stop', async () => {
    const { file, stop, ended, grows } = beating(1);
    await grows();
    const size = fs.statSync(file).size;
    while (fs.statSync(file).size < size + 3); // this thread does nothing else
    stop();
    expect(await ended).toBe(0);
    expect(fs.readFileSync(file, 'utf8')).toMatch(/^\.{4,}$/);
  });

  it('stops before its next beat, and before its first', async () => {
    const notified = vi.spyOn(Atomics, 'notify');
    const first = beating(anHour);
    first.stop();
    expect(await first.ended).toBe(0);
    const second = beating(anHour);
    await once(second.thread, 'online');
    second.stop();
    expect(await second.ended).toBe(0);
    expect([first, second].map(({ file }) => fs.statSync(file).size)).toEqual([0, 0]);
    // Whether a thread slept already can't be known: that it would be woken is seen here.
    expect(notified).toHaveBeenCalledTimes(2);
    for (const [words, index] of notified.mock.calls) expect(words[index]).toBe(1);
  });

  it('goes on once its file can be written again, and makes none of its own', async () => {
    const { file, stop, ended, grows } = beating(1);
    await grows();
    fs.renameSync(file, `${file}.moved`);
    const elsewhere = path.join(path.dirname(file), 'elsewhere');
    fs.writeFileSync(elsewhere, '');
    fs.symlinkSync(elsewhere, file);
    const moved = fs.statSync(`${file}.moved`).size;
    // Another thread's beats tell that time has passed.
    const other = beating(1);
    for (let beat = 0; beat < 5; beat++) await other.grows();
    other.stop();
    expect(fs.statSync(elsewhere).size).toBe(0);
    expect(fs.statSync(`${file}.moved`).size - moved).toBeLessThanOrEqual(1); // one was open when it was moved
    fs.rmSync(file);
    fs.renameSync(`${file}.moved`, file);
    await grows();
    stop();
    await Promise.all([ended, other.ended]);
  });

  it('that can’t have a thread costs the sign of life, not the run', async () => {
    const { thread, stop, ended } = beating(anHour);
    expect(() => thread.emit('error', new Error('out of memory'))).not.toThrow();
    stop();
    await ended;
  });

  it('keeps no process from ending', () => {
    const file = path.join(temporaryFolder(), 'beat-0');
    fs.writeFileSync(file, '');
    const module = path.join(import.meta.dirname, '../../server/run/heartbeat.ts');
    const text = `import { startHeartbeat } from ${JSON.stringify(module)}; startHeartbeat(${JSON.stringify(file)});`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', text], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
