// The trainer's side of a child process, in this process: what stands for its own hears what a parent would.
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunSummary } from '../../server/protocol/run.ts';
import { logFile } from '../../server/run/logFile.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import type { FromTrainer, ToTrainer } from '../../server/run/trainerMessages.ts';
import { runTrainerProcess } from '../../server/run/trainerProcess.ts';
import { begin } from './handMadeLog.ts';
import { createScriptedRun, fromStart } from './scriptedRun.ts';
import { openScriptedTrainer, scriptedPlan } from './scriptedTrainer.ts';
import type { Script } from './scriptedTrainer.ts';

class FakeProcess extends EventEmitter {
  connected = true;
  exitCode: number | undefined;
  readonly sent: FromTrainer[] = [];
  words = '';
  readonly stderr = { write: (text: string) => (this.words += text) };

  send(message: FromTrainer): void {
    this.sent.push(message);
    this.emit('sent');
  }

  disconnect(): void {
    this.connected = false;
    this.emit('disconnected');
  }

  hear(message: ToTrainer): void {
    this.emit('message', message);
  }

  get changes(): RunSummary[] {
    return this.sent.flatMap((message) => (message.type === 'changed' ? [message.summary] : []));
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached()) await once(this, 'sent');
  }
}

function trainer(openTrainer: OpenTrainer = openScriptedTrainer) {
  const own = new FakeProcess();
  runTrainerProcess(openTrainer, own as unknown as NodeJS.Process);
  const ended = once(own, 'disconnected');
  return { own, ended };
}

function atWork(script: Script, change = {}) {
  const run = createScriptedRun(scriptedPlan(script, change));
  const made = trainer();
  made.own.hear({ type: 'begin', folder: run.folder, work: fromStart });
  return { ...made, run };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a trainer process', () => {
  it('needs a parent', () => {
    const own = new FakeProcess();
    Object.defineProperty(own, 'send', { value: undefined });
    expect(() => {
      runTrainerProcess(openScriptedTrainer, own as unknown as NodeJS.Process);
    }).toThrow('A trainer is started by the Kafscope server. To train from a terminal: kafscope train.');
    expect(own.eventNames()).toEqual([]);
  });

  it('says that it is ready, how its run goes, how it ended, and nothing after that', async () => {
    // No time passes, so that some of what changed still waits to be said in the end.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const waits = vi.spyOn(globalThis, 'setTimeout');
    const { own, ended } = atWork('steps');
    expect(own.sent[0]).toEqual({ type: 'ready' });
    await ended;
    expect(own.changes.map(({ status }) => status)).toContain('training');
    expect(own.sent.at(-1)).toMatchObject({ type: 'ended', summary: { status: 'finished', step: 12 } });
    expect(own.sent.filter(({ type }) => type === 'ended')).toHaveLength(1);
    expect([own.exitCode, own.words, own.listenerCount('message')]).toEqual([undefined, '', 0]);
    expect(waits).toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('pauses, goes on and stops as it is told', async () => {
    const { own, ended } = atWork('endless');
    await own.until(() => own.changes.some(({ step }) => step > 0));
    own.hear({ type: 'pause' });
    await own.until(() => own.changes.at(-1)?.status === 'paused');
    const { step } = own.changes.at(-1)!;
    own.hear({ type: 'resume' });
    await own.until(() => own.changes.at(-1)!.step > step);
    own.hear({ type: 'stop' });
    await ended;
    expect(own.sent.at(-1)).toMatchObject({ type: 'ended', summary: { status: 'stopped', message: null } });
  });

  it.each([
    ['message', { type: 'interrupt', message: 'The server ends.' }, 'The server ends.'],
    ['SIGTERM', 'SIGTERM', 'The trainer was told to end. Resume the run to go on from its last checkpoint.'],
    ['SIGUSR2', 'SIGUSR2', 'The trainer was told to end. Resume the run to go on from its last checkpoint.'],
  ])('ends with a checkpoint and why at the %s', async (event, value, message) => {
    const { own, ended } = atWork('endless');
    await own.until(() => own.changes.some(({ step }) => step > 0));
    own.emit(event, value);
    await ended;
    const last = own.sent.at(-1);
    expect(last).toMatchObject({ type: 'ended', summary: { status: 'interrupted', message } });
    if (last?.type === 'ended') expect(last.summary.checkpoints.at(-1)?.step).toBe(last.summary.step);
  });

  it('whose server went away saves its run, and asks for no answer', async () => {
    const { own, run } = atWork('endless');
    await own.until(() => own.changes.some(({ step }) => step > 0));
    own.connected = false;
    const closed = vi.spyOn(own, 'disconnect');
    const gone = Promise.withResolvers<undefined>();
    vi.spyOn(own, 'removeAllListeners').mockImplementation(() => {
      gone.resolve(undefined);
      return own;
    });
    const nSent = own.sent.length;
    own.emit('disconnect');
    await gone.promise;
    expect(own.sent).toHaveLength(nSent);
    expect(closed).not.toHaveBeenCalled();
    expect(fs.readdirSync(path.join(run.folder, 'checkpoints'))).not.toEqual([]);
  });

  it('leaves a terminal’s Ctrl+C, which reaches the whole group, to the server', async () => {
    const { own, ended } = atWork('endless');
    await own.until(() => own.changes.some(({ step }) => step > 0));
    expect(own.emit('SIGINT')).toBe(true);
    const { step } = own.changes.at(-1)!;
    await own.until(() => own.changes.at(-1)!.step > step);
    own.hear({ type: 'stop' });
    await ended;
    expect(own.sent.at(-1)).toMatchObject({ summary: { status: 'stopped' } });
  });

  it('says why the disk let it not begin', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const { own, ended } = trainer();
    const { writeSync } = fs;
    vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    own.hear({ type: 'begin', folder: run.folder, work: fromStart });
    await ended;
    expect(fs.writeSync).not.toBe(writeSync);
    const message = `The disk is full: ${logFile(run.folder, 0)} can't be written. Free some space, then resume the run.`;
    expect(own.sent).toEqual([{ type: 'ready' }, { type: 'refused', message }]);
    expect([own.words, own.exitCode]).toEqual([`${message}\n`, 1]);
  });

  it('whose run another has begun leaves it to that one, and says so to the log alone', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    begin(run.folder, 0, { status: 'training' });
    const { own, ended } = trainer();
    own.hear({ type: 'begin', folder: run.folder, work: fromStart });
    await ended;
    expect(own.sent).toEqual([{ type: 'ready' }]);
    expect(own.words).toMatch(/^Another process has begun work on \S+\. .*\n$/);
    expect(own.exitCode).toBe(1);
  });

  it('writes what only developers understand to the log', async () => {
    const { own, ended } = trainer(() => Promise.reject(new TypeError('x is not a function')));
    const run = createScriptedRun(scriptedPlan('steps'));
    own.hear({ type: 'begin', folder: run.folder, work: fromStart });
    await ended;
    expect(own.words).toMatch(/^TypeError: x is not a function\n {4}at /);
    expect(own.sent.at(-1)).toMatchObject({ type: 'ended', summary: { status: 'failed' } });
  });
});
