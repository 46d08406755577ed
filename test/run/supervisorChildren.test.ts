// What a supervisor makes of its trainer processes: by children that do only what the test has them do.
import { EventEmitter } from 'node:events';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { beatFile, logFile, newestLog, readHead } from '../../server/run/logFile.ts';
import { noDebugger } from '../../server/run/processSignals.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { checkpointsFolder, originFile } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunSupervisor } from '../../server/run/runSupervisor.ts';
import type { SupervisorOptions } from '../../server/run/runSupervisor.ts';
import type { FromTrainer, ToTrainer } from '../../server/run/trainerMessages.ts';
import { begin } from './handMadeLog.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, temporaryFolder } from './scriptedRun.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

class FakeChild extends EventEmitter {
  pid: number | undefined = 7_000_000;
  connected = true;
  readonly stderr = new PassThrough();
  readonly told: ToTrainer[] = [];

  send(message: ToTrainer): void {
    this.told.push(message);
  }

  say(message: FromTrainer): void {
    this.emit('message', message);
  }

  /** It writes its log, and says what that holds. */
  work(folder: string, status: RunStatus, change: Partial<RunSummary> = {}, number = newestLog(folder) + 1): void {
    begin(folder, number, { status, owner: { ...thisProcess(), pid: this.pid! } });
    this.tellOf(folder, { status, ...change });
  }

  tellOf(folder: string, change: Partial<RunSummary>): void {
    this.say({ type: 'changed', summary: { ...glance(folder).summary, ...change } });
  }

  async end(code: number | null, signal: NodeJS.Signals | null = null, lastWords = ''): Promise<void> {
    this.connected = false;
    this.stderr.end(lastWords);
    this.stderr.resume();
    await new Promise((resolve) => setImmediate(resolve));
    this.emit('exit', code, signal);
    this.emit('close', code, signal);
  }
}

let children: FakeChild[] = [];

beforeEach(() => {
  children = [];
  vi.mocked(fork).mockReset();
  vi.mocked(fork).mockImplementation(() => {
    const child = new FakeChild();
    child.pid = 7_000_000 + children.length;
    children.push(child);
    return child as never;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const versions = { kafscope: '0.0.0-test', node: '24' };
const newRun = { plan: scriptedPlan('steps'), description: 'd', experimentText: '', experimentFile: null, versions };

function supervise(runsFolder = temporaryFolder(), change: Partial<SupervisorOptions> = {}) {
  const log: string[] = [];
  const told: string[] = [];
  let revision = 0;
  let nowMs = 1000;
  const supervisor = new RunSupervisor({
    ...{ runsFolder, trainerFile: '/dist/trainer.cjs', log: (line) => log.push(line), now: () => (nowMs += 1000) },
    ...change,
  });
  const hear = () => {
    supervisor.events.on('changed', (run) => {
      told.push(`${run.id} ${run.status}`);
      expect(run.revision).toBeGreaterThan(revision);
      ({ revision } = run);
    });
    supervisor.events.on('cut', (id) => told.push(`${id} cut`));
    supervisor.events.on('deleted', (run) => told.push(`${run.id} deleted`));
  };
  hear();
  /** What was told since the last time. */
  const heard = () => told.splice(0);
  return { supervisor, runsFolder, log, heard };
}

function withCheckpoint(folder: string, step: number): RunSummary['checkpoints'] {
  const file = `step-${String(step)}.safetensors`;
  fs.writeFileSync(path.join(checkpointsFolder(folder), file), '');
  return [{ file, step, epoch: 1 }];
}

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

describe('an attack', () => {
  const attacked = () => {
    const made = supervise();
    const folder = createScriptedRun(scriptedPlan('steps'), made.runsFolder).folder;
    const checkpoints = [4, 6, 8].flatMap((step) => withCheckpoint(folder, step));
    begin(folder, 0, { status: 'finished' });
    begin(folder, 1, { status: 'finished', change: { checkpoints } });
    made.supervisor.refresh();
    made.heard();
    return { ...made, folder, id: path.basename(folder) };
  };

  it('is of the last checkpoint, or of the one that is named, if it is there', () => {
    const { supervisor, id, folder } = attacked();
    expect(() => supervisor.evaluate(id, 'step-5.safetensors', scriptedEvaluation)).toThrow(
      `Run ${id} has no checkpoint step-5.safetensors.`,
    );
    expect(supervisor.evaluate(id, null, scriptedEvaluation, '/data').status).toBe('queued');
    children[0]!.say({ type: 'ready' });
    expect(children[0]!.told).toEqual([
      {
        type: 'begin',
        folder,
        work: {
          ...{ type: 'evaluate', incarnation: 2, checkpoint: 'step-8.safetensors', evaluation: scriptedEvaluation },
          dataFolder: '/data',
        },
      },
    ]);
    expect(() => supervisor.evaluate(id, 'step-4.safetensors', scriptedEvaluation)).toThrow(
      `Run ${id} is queued and can't be evaluated: it is at work.`,
    );
  });

  it('needs a checkpoint', () => {
    const { supervisor } = supervise();
    const { id } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    expect(() => supervisor.evaluate(id, null, scriptedEvaluation)).toThrow(
      `Run ${id} has no checkpoint to evaluate. Train it first.`,
    );
  });

  it('that dies leaves the run as it was, and says what to do', async () => {
    const { supervisor, id, folder } = attacked();
    supervisor.evaluate(id, 'step-4.safetensors', scriptedEvaluation);
    begin(folder, 2, {
      status: 'evaluating',
      restStatus: 'finished',
      owner: { ...thisProcess(), pid: children[0]!.pid!, pidStart: '1' },
    });
    children[0]!.tellOf(folder, { status: 'evaluating' });
    await children[0]!.end(null, 'SIGKILL');
    expect(supervisor.get(id)).toMatchObject({
      status: 'finished',
      message: 'The trainer process was ended by SIGKILL. Start the attack again.',
      incarnation: 3,
    });
  });

  it('that could not begin leaves the run as it was, with what its disk said', async () => {
    const { supervisor, id } = attacked();
    supervisor.evaluate(id, 'step-4.safetensors', scriptedEvaluation);
    children[0]!.say({ type: 'refused', message: 'The disk is full.' });
    await children[0]!.end(1);
    expect(supervisor.get(id)).toMatchObject({ status: 'finished', message: 'The disk is full.', incarnation: 2 });
  });

  it('that waits and is stopped leaves nothing behind', () => {
    const { supervisor, id, folder, heard } = attacked();
    supervisor.start(newRun);
    supervisor.evaluate(id, null, scriptedEvaluation);
    heard();
    expect(supervisor.stop(id).status).toBe('finished');
    expect(heard()).toEqual([`${id} finished`]);
    expect(newestLog(folder)).toBe(1);
    expect(() => supervisor.stop(id)).toThrow(`Run ${id} is finished and can't be stopped: it is not at work here.`);
  });
});

describe('a run at rest', () => {
  it('is resumed in its next log, unless nothing is left to do', async () => {
    const { supervisor } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    children[0]!.say({ type: 'ended', summary: { ...glance(folder).summary, status: 'stopped' } });
    await children[0]!.end(0);
    expect(supervisor.resume(id, '/data').status).toBe('queued');
    children[1]!.say({ type: 'ready' });
    expect(children[1]!.told).toEqual([
      { type: 'begin', folder, work: { type: 'train', incarnation: 1, dataFolder: '/data' } },
    ]);
    children[1]!.work(folder, 'training');
    children[1]!.say({ type: 'ended', summary: { ...glance(folder).summary, status: 'finished' } });
    await children[1]!.end(0);
    expect(supervisor.get(id).status).toBe('finished');
    begin(folder, 2, { status: 'finished' });
    expect(() => supervisor.resume(id)).toThrow(
      `Run ${id} is finished and can't be resumed: there is nothing left to do.`,
    );
  });

  it('is deleted, and told to be; one that is not there is unknown', () => {
    const { supervisor, heard, runsFolder } = supervise();
    const { id, folder } = supervisor.start(newRun);
    expect(() => {
      supervisor.delete(id);
    }).toThrow(`Run ${id} is queued and can't be deleted: it is at work; stop it first.`);
    children[0]!.emit('close', null, null);
    heard();
    supervisor.delete(id);
    expect(heard()).toEqual([`${id} deleted`]);
    expect(fs.existsSync(folder)).toBe(false);
    expect(supervisor.list()).toEqual([]);
    expect(heard()).toEqual([]);
    expect(() => supervisor.get(id)).toThrow(`There is no run ${id} in ${runsFolder}.`);
  });

  it('on which work begins as it is deleted is not', () => {
    const { supervisor } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    const { openSync } = fs;
    const next = logFile(folder, newestLog(folder) + 1);
    vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
      if (file === next && typeof mode === 'number' && !fs.existsSync(file)) {
        vi.restoreAllMocks();
        begin(folder, newestLog(folder) + 1, { status: 'training' });
      }
      return openSync(file, flags, mode);
    });
    expect(() => {
      supervisor.delete(id);
    }).toThrow(`Run ${id} is training and can't be deleted: work on it has just begun.`);
    expect(fs.existsSync(originFile(folder))).toBe(true);
  });

  it('that can not be deleted is still there', () => {
    const { supervisor, heard } = supervise();
    const { id } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    heard();
    vi.spyOn(fs, 'rmSync').mockImplementation(() => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    });
    expect(() => {
      supervisor.delete(id);
    }).toThrow(/permission denied/);
    expect(supervisor.get(id).id).toBe(id);
    expect(heard()).not.toContain(`${id} deleted`);
  });
});

describe('the runs of a folder', () => {
  it('are known from the beginning', () => {
    const { folder, id } = createScriptedRun(scriptedPlan('steps'));
    expect(supervise(path.dirname(folder)).supervisor.get(id)).toMatchObject({ id, status: 'waiting', revision: 1 });
  });

  it('are listed newest first, and by name where they are of one moment', () => {
    const { supervisor, runsFolder, heard } = supervise();
    const ids = [1, 2, 3].map((seed) => createScriptedRun(scriptedPlan('steps', { seed }), runsFolder).id);
    const older = createScriptedRun(scriptedPlan('diverges'), runsFolder);
    const origin = JSON.parse(fs.readFileSync(originFile(older.folder), 'utf8')) as object;
    fs.writeFileSync(originFile(older.folder), JSON.stringify({ ...origin, createdMs: 5 }));
    expect(supervisor.list().map(({ id }) => id)).toEqual([...ids.toReversed(), older.id]);
    expect(heard()).toEqual([older.id, ...ids].map((id) => `${id} waiting`));
    supervisor.refresh();
    expect(heard()).toEqual([]);
  });

  it('come and go, but for those at work here', async () => {
    const { supervisor, runsFolder, heard } = supervise();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const working = supervisor.start(newRun);
    const waiting = supervisor.start(newRun);
    heard();
    supervisor.refresh();
    expect(heard()).toEqual([`${id} waiting`]);
    fs.rmSync(folder, { recursive: true });
    // A trainer that is about to begin has written nothing yet; nobody else knows better.
    begin(working.folder, 0, { status: 'training' });
    fs.renameSync(originFile(waiting.folder), `${originFile(waiting.folder)}.away`);
    expect(supervisor.list().map((run) => run.id)).toEqual([waiting.id, working.id].sort().reverse());
    expect(heard()).toEqual([`${id} deleted`]);
    expect(supervisor.get(working.id).status).toBe('queued');
    expect(() => supervisor.resume(id)).toThrow('There is no run');
    fs.renameSync(`${originFile(waiting.folder)}.away`, originFile(waiting.folder));
    await children[0]!.end(0);
  });

  it('are gone for whoever asks for one whose folder has just been removed', () => {
    const { supervisor, runsFolder, heard } = supervise();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    supervisor.refresh();
    heard();
    fs.rmSync(folder, { recursive: true });
    expect(() => supervisor.resume(id)).toThrow(`There is no run ${id}`);
    expect(heard()).toEqual([`${id} deleted`]);
  });

  it('that are damaged are listed with why, which is logged once', () => {
    const { supervisor, runsFolder, heard, log } = supervise();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    supervisor.refresh();
    fs.writeFileSync(originFile(folder), '{');
    begin0(folder);
    supervisor.refresh();
    expect(supervisor.get(id)).toMatchObject({
      status: 'damaged',
      message: expect.stringContaining('is not JSON') as string,
    });
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(new RegExp(`^${folder}: .*origin\\.json is damaged`));
    fs.appendFileSync(logFile(folder, 0), 'x');
    supervisor.refresh();
    expect(log).toHaveLength(1);
    expect(heard()).toEqual(
      [`${id} waiting`, `${id} cut`, `${id} damaged`, `${id} damaged`].filter((each) => !each.endsWith('cut')),
    );
    expect(() => supervisor.resume(id)).toThrow(
      `Run ${id} is damaged and can't be resumed: there is nothing left to do.`,
    );
  });

  it('at work elsewhere are followed: by what they write, and by their heartbeat', () => {
    let clockMs = 0;
    const { supervisor, runsFolder, heard } = supervise(temporaryFolder(), { watch: new LifeWatch(() => clockMs) });
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const rests = createScriptedRun(scriptedPlan('diverges'), runsFolder);
    const owner = { ...thisProcess(), boot: 'another', host: 'gpu-7', pid: 7, job: 'slurm 3' };
    begin(folder, 0, { status: 'training', owner });
    supervisor.refresh();
    heard();
    const place = 'it is at work elsewhere: process 7 on gpu-7, slurm 3';
    expect(() => supervisor.stop(id)).toThrow(
      `${place}; whether it still lives will be known within a minute and a half.`,
    );
    fs.appendFileSync(beatFile(folder, 0), '.');
    clockMs += 5000;
    // Of one that rests only a look at all tells.
    begin(rests.folder, 0, { status: 'stopped' });
    supervisor.followOthers();
    expect(heard()).toEqual([`${id} training`]);
    expect(() => supervisor.pause(id)).toThrow(`${place}.`);
    expect(() => supervisor.resume(id)).toThrow(`Run ${id} is training and can't be resumed: ${place}.`);
    for (let look = 0; look < 9; look++) {
      supervisor.followOthers();
      expect(heard()).toEqual([]);
      clockMs += 10_000;
    }
    supervisor.followOthers();
    expect(heard()).toEqual([`${id} interrupted`]);
    begin(folder, 1, { status: 'training' });
    supervisor.refresh();
    expect(heard().sort()).toEqual([`${id} cut`, `${id} training`, `${rests.id} cut`, `${rests.id} stopped`].sort());
    fs.rmSync(folder, { recursive: true });
    supervisor.followOthers();
    expect(heard()).toEqual([`${id} deleted`]);
  });
});

describe('a supervisor that ends', () => {
  it('has its trainer end with a checkpoint, and lets what waits wait', async () => {
    const { supervisor, heard } = supervise();
    const working = supervisor.start(newRun);
    const waiting = supervisor.start(newRun);
    children[0]!.work(working.folder, 'training');
    heard();
    let isClosed = false;
    const closed = supervisor.close('The server ends.').then(() => (isClosed = true));
    expect(heard()).toEqual([`${waiting.id} waiting`]);
    expect(children[0]!.told).toEqual([{ type: 'interrupt', message: 'The server ends.' }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    children[0]!.say({ type: 'ended', summary: { ...glance(working.folder).summary, status: 'interrupted' } });
    await children[0]!.end(0);
    await closed;
    expect(supervisor.get(working.id).status).toBe('interrupted');
    // Nothing begins any more.
    supervisor.start(newRun);
    expect(children).toHaveLength(1);
    expect(newestLog(waiting.folder)).toBe(-1);
  });

  it('has nothing to wait for where nothing is at work', async () => {
    const { supervisor } = supervise();
    await supervisor.close('The server ends.');
    expect(supervisor.isBusy).toBe(false);
  });
});

/** A log of which nothing can be seen. */
function begin0(folder: string): void {
  fs.writeFileSync(logFile(folder, 0), '');
  expect(readHead(folder, 0)).toBeNull();
}
