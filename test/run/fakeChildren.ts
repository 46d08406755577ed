// Supervisors whose trainer processes are children that do only what the test has them do. A test file mocks `fork` itself.
import { EventEmitter } from 'node:events';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';
import { newestLog } from '../../server/run/logFile.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunSupervisor } from '../../server/run/runSupervisor.ts';
import type { SupervisorOptions } from '../../server/run/runSupervisor.ts';
import type { FromTrainer, ToTrainer } from '../../server/run/trainerMessages.ts';
import { begin } from './handMadeLog.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { temporaryFolder } from './scriptedRun.ts';

export class FakeChild extends EventEmitter {
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

/** Of the test at hand, in the order in which they were forked. */
export const children: FakeChild[] = [];

/** Lets `fork`, which the test file has mocked, give such children in each of its tests. */
export function forkFakeChildren(): void {
  beforeEach(() => {
    children.length = 0;
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
}

const versions = { kafscope: '0.0.0-test', node: '24' };
export const newRun = {
  plan: scriptedPlan('steps'),
  description: 'd',
  experimentText: '',
  experimentFile: null,
  versions,
};

export function supervise(runsFolder = temporaryFolder(), change: Partial<SupervisorOptions> = {}) {
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

export function withCheckpoint(folder: string, step: number): RunSummary['checkpoints'] {
  const file = `step-${String(step)}.safetensors`;
  fs.writeFileSync(path.join(checkpointsFolder(folder), file), '');
  return [{ file, step, epoch: 1 }];
}
