// What a supervisor makes of its trainer processes: by children that do only what the test has them do.
import { fork } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { logFile, newestLog } from '../../server/run/logFile.ts';
import { glance } from '../../server/run/runGlance.ts';
import { begin } from './handMadeLog.ts';
import { noDebugger } from '../../server/run/processSignals.ts';
import { children, FakeChild, forkFakeChildren, newRun, supervise } from './fakeChildren.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

forkFakeChildren();

describe('a trainer process', () => {
  it('is begun with the run, and told what to do once it is ready', () => {
    const { supervisor, heard } = supervise();
    expect(supervisor.isBusy).toBe(false);
    const { id, folder, status, updatedMs, revision } = supervisor.start(newRun);
    expect([status, updatedMs, revision]).toEqual(['queued', 3000, 2]);
    expect(heard()).toEqual([`${id} waiting`, `${id} queued`]);
    expect(vi.mocked(fork).mock.calls).toEqual([
      [
        '/dist/trainer.cjs',
        [],
        {
          serialization: 'advanced',
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
          execArgv: ['--disable-warning=ExperimentalWarning', ...noDebugger],
          cwd: '/dist',
        },
      ],
    ]);
    expect(children[0]!.told).toEqual([]);
    children[0]!.say({ type: 'ready' });
    expect(children[0]!.told).toEqual([{ type: 'begin', folder, work: { type: 'train', incarnation: 0 } }]);
    expect(supervisor.isBusy).toBe(true);
  });

  it('is one at a time, in the order in which runs were asked for', async () => {
    const { supervisor, heard } = supervise();
    const runs = [1, 2, 3].map(() => supervisor.start(newRun));
    const [first, second, third] = runs.map(({ id }) => id) as [string, string, string];
    expect(children).toHaveLength(1);
    children[0]!.work(runs[0]!.folder, 'training');
    heard();
    supervisor.stop(second);
    expect(heard()).toEqual([`${second} stopped`]);
    expect(glance(runs[1]!.folder).summary).toMatchObject({ status: 'stopped', message: null, incarnation: 0 });
    expect(supervisor.get(second)).toMatchObject({ status: 'stopped', incarnation: 0 });
    children[0]!.say({ type: 'ended', summary: { ...glance(runs[0]!.folder).summary, status: 'finished' } });
    // At rest once its process has gone, which may still write.
    expect(heard()).toEqual([]);
    expect(supervisor.get(first).status).toBe('training');
    await children[0]!.end(0);
    expect(heard()).toEqual([`${first} finished`]);
    expect(children).toHaveLength(2);
    children[1]!.say({ type: 'ready' });
    expect(children[1]!.told).toMatchObject([{ type: 'begin', folder: runs[2]!.folder }]);
    children[1]!.work(runs[2]!.folder, 'training');
    expect(supervisor.get(third).status).toBe('training');
  });

  it('is told to pause, to go on, and to stop', () => {
    const { supervisor, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    expect(() => supervisor.pause(id)).toThrow(`Run ${id} is queued and can't be paused: it is not at work here.`);
    expect(() => supervisor.pause(id)).toThrow(expect.objectContaining({ kind: 'wrongState' }) as Error);
    children[0]!.work(folder, 'training');
    expect(supervisor.pause(id).status).toBe('training');
    children[0]!.tellOf(folder, { status: 'paused' });
    expect(supervisor.pause(id).status).toBe('paused');
    expect(supervisor.resume(id).status).toBe('paused');
    supervisor.stop(id);
    expect(children[0]!.told).toEqual([{ type: 'pause' }, { type: 'resume' }, { type: 'stop' }]);
    expect(heard()).toEqual([`${id} waiting`, `${id} queued`, `${id} cut`, `${id} training`, `${id} paused`]);
    // One that is just ending hears nothing.
    children[0]!.connected = false;
    supervisor.stop(id);
    expect(children[0]!.told).toHaveLength(3);
  });

  it.each([
    [
      3,
      null,
      '',
      'failed',
      'The trainer process ended with code 3. It had no checkpoint yet; resume the run to begin again.',
    ],
    [
      null,
      'SIGKILL',
      '',
      'interrupted',
      'The trainer process was ended by SIGKILL. It had no checkpoint yet; resume the run to begin again.',
    ],
    [
      1,
      null,
      'a warning\nout of memory\n',
      'failed',
      'The trainer process ended with code 1. It had no checkpoint yet; resume the run to begin again. Its last words: out of memory',
    ],
  ] as const)('that ends with code %s by %s leaves its run with why', async (code, signal, words, status, message) => {
    const { supervisor, log, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    heard();
    await children[0]!.end(code, signal, words);
    expect(supervisor.get(id)).toMatchObject({ status, message, incarnation: 1 });
    expect(glance(folder).summary).toMatchObject({ status, message, incarnation: 1 });
    expect(heard()).toEqual([`${id} ${status}`]);
    expect(log).toEqual(words === '' ? [] : [`[${id}] a warning\nout of memory`]);
    expect(supervisor.isBusy).toBe(false);
    // What was just written is known already.
    supervisor.refresh();
    expect(heard()).toEqual([]);
  });

  it('is heard in any language, and remembered by its last 4000 characters', async () => {
    const { supervisor } = supervise();
    const { id } = supervisor.start(newRun);
    const words = 'ü'.repeat(5000);
    await children[0]!.end(1, null, words);
    expect(supervisor.get(id).message).toMatch(/ Its last words: ü{4000}$/);
  });

  it('that can not be started says so', () => {
    const { supervisor, log } = supervise();
    vi.mocked(fork).mockImplementationOnce(() => {
      const child = new FakeChild();
      child.pid = undefined;
      children.push(child);
      return child as never;
    });
    const { id } = supervisor.start(newRun);
    const next = supervisor.start(newRun);
    children[0]!.emit('error', new Error('spawn EAGAIN'));
    expect(supervisor.get(id)).toMatchObject({
      status: 'failed',
      message: 'The trainer process failed (spawn EAGAIN). It had no checkpoint yet; resume the run to begin again.',
    });
    expect(log).toEqual([`[${id}] spawn EAGAIN`]);
    expect(children).toHaveLength(2);
    // An error of one that runs is not its end.
    children[1]!.emit('error', new Error('EPIPE'));
    expect(supervisor.get(next.id).status).toBe('queued');
    children[1]!.emit('close', null, null);
    expect(supervisor.get(next.id)).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('EPIPE') as string,
    });
  });

  it('that ends without a word, and without an exit, could not be started', () => {
    const { supervisor } = supervise();
    const { id } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    expect(supervisor.get(id)).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(/^The trainer process could not be started\./) as string,
    });
  });

  it('is believed what it could not write any more', async () => {
    const { supervisor, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    const end = { ...glance(folder).summary, status: 'failed' as const, message: 'The disk is full.' };
    children[0]!.say({ type: 'ended', summary: end });
    await children[0]!.end(1);
    heard();
    supervisor.refresh();
    expect(supervisor.get(id)).toMatchObject({ status: 'failed', message: 'The disk is full.' });
    expect(heard()).toEqual([]);
  });

  it('whose run another has taken says nothing of it', async () => {
    const { supervisor, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    begin(folder, 1, { status: 'training' });
    heard();
    await children[0]!.end(1);
    expect(supervisor.get(id)).toMatchObject({ status: 'training', incarnation: 1, message: null });
    expect(heard()).toEqual([`${id} cut`, `${id} training`]);
    expect(newestLog(folder)).toBe(1);
    // Also where both began the same log.
    const other = supervisor.start(newRun);
    begin(other.folder, 0, { status: 'finished' });
    await children[1]!.end(1);
    expect(supervisor.get(other.id).status).toBe('finished');
    expect(newestLog(other.folder)).toBe(0);
  });

  it('whose run goes on from an earlier step makes void what was read of it', () => {
    const { supervisor, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    heard();
    children[0]!.work(folder, 'training');
    expect(heard()).toEqual([`${id} cut`, `${id} training`]);
    children[0]!.tellOf(folder, { step: 3 });
    expect(heard()).toEqual([`${id} training`]);
    expect(supervisor.get(id).step).toBe(3);
  });

  it('that can not be noted to have died, as on a full disk, is said to have all the same', async () => {
    const { supervisor, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    heard();
    vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    await children[0]!.end(3);
    const { status, message, updatedMs } = supervisor.get(id);
    expect(status).toBe('failed');
    expect(message).toMatch(/^The trainer process ended with code 3\. .* The disk is full: /);
    expect(updatedMs).toBeGreaterThan(1000);
    expect(heard()).toEqual([`${id} failed`]);
    vi.restoreAllMocks();
    supervisor.refresh();
    expect(supervisor.get(id)).toMatchObject({ status: 'failed', message });
  });

  it('that could not begin leaves its run with what its disk said, written down or not', async () => {
    const { supervisor, heard } = supervise();
    const full = "The disk is full: log-0 can't be written. Free some space, then resume the run.";
    const { id, folder } = supervisor.start(newRun);
    // It has made its log, and no byte went into it.
    fs.writeFileSync(logFile(folder, 0), '');
    heard();
    vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    children[0]!.say({ type: 'refused', message: full });
    await children[0]!.end(1, null, full);
    expect(supervisor.get(id)).toMatchObject({ status: 'failed', message: full, incarnation: 1 });
    expect(heard()).toEqual([`${id} failed`]);
    vi.restoreAllMocks();
    supervisor.refresh();
    expect(supervisor.get(id)).toMatchObject({ status: 'failed', message: full });
    // Once there is room it goes on behind what was begun, and what it is told then stays.
    supervisor.resume(id);
    expect(supervisor.get(id).status).toBe('queued');
    children[1]!.say({ type: 'refused', message: 'permission denied' });
    await children[1]!.end(1);
    expect(glance(folder).summary).toMatchObject({ status: 'failed', message: 'permission denied', incarnation: 2 });
  });

  it('that could not begin has no say in a run that another has begun', async () => {
    const { supervisor } = supervise();
    const begun = supervisor.start(newRun);
    begin(begun.folder, 0, { status: 'training' });
    children[0]!.say({ type: 'refused', message: 'no file handles' });
    await children[0]!.end(1);
    expect(supervisor.get(begun.id)).toMatchObject({ status: 'training', message: null });
    expect(newestLog(begun.folder)).toBe(0);
    // Nor one that ended without a word in a log that another may be beginning.
    const beginning = supervisor.start(newRun);
    fs.writeFileSync(logFile(beginning.folder, 0), '');
    await children[1]!.end(1);
    expect(newestLog(beginning.folder)).toBe(0);
  });

  it('whose end another notes in the same moment has that end', async () => {
    const { supervisor, heard } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    heard();
    const { openSync } = fs;
    vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
      if (file === logFile(folder, 1) && typeof mode === 'number' && !fs.existsSync(file)) {
        vi.restoreAllMocks();
        begin(folder, 1, { status: 'interrupted' });
      }
      return openSync(file, flags, mode);
    });
    await children[0]!.end(3);
    expect(supervisor.get(id)).toMatchObject({ status: 'interrupted', incarnation: 1 });
    expect(heard()).toEqual([`${id} cut`, `${id} interrupted`]);
  });
});
