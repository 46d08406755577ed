// Runs with the scripted trainer in folders that a test may spoil.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import type { Row } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { RunControl } from '../../server/run/runControl.ts';
import { createRun } from '../../server/run/runFolder.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { newestLog } from '../../server/run/logFile.ts';
import { runPlan } from '../../server/run/runPlan.ts';
import type { RunPlanOptions, Work } from '../../server/run/runPlan.ts';
import type { Clock } from '../../server/run/runRecorder.ts';
import type { FromTrainer, ToTrainer } from '../../server/run/trainerMessages.ts';
import { openScriptedTrainer } from './scriptedTrainer.ts';

export const everyRow = { maxRows: 1_000_000, maxBytes: Infinity };

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-run-'));
  onTestFinished(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Ten milliseconds pass at each look; timers never fire. */
export function scriptedClock(startMs = 1_000_000): Clock {
  let nowMs = startMs;
  return { now: () => (nowMs += 10), every: () => () => {} };
}

export function createScriptedRun(plan: Plan, runsFolder = temporaryFolder()): RunSummary {
  const versions = { kafscope: '0.0.0-test', node: '24' };
  const run = { plan, description: 'scripted', experimentText: 'name: scripted', experimentFile: null, versions };
  return createRun(runsFolder, run, Date.UTC(2026, 10, 23, 3, 45, 1));
}

export const fromStart: Work = { type: 'train', incarnation: 0 };

/** Goes on where the run ended. */
export function goOn(folder: string): Work {
  return { type: 'train', incarnation: newestLog(folder) + 1 };
}

export interface ScriptedRun {
  readonly control: RunControl;
  /** Every summary that was announced. */
  readonly summaries: RunSummary[];
  readonly ended: Promise<RunSummary>;
}

export function startScriptedRun(
  folder: string,
  work: Work = fromStart,
  change: Partial<RunPlanOptions> = {},
): ScriptedRun {
  const control = new RunControl();
  const summaries: RunSummary[] = [];
  const ended = runPlan(work, {
    folder,
    clock: scriptedClock(),
    control,
    openTrainer: openScriptedTrainer,
    log: () => {},
    startHeartbeat: () => () => {},
    onChange: (summary) => summaries.push(summary),
    ...change,
  });
  return { control, summaries, ended };
}

/** Trains to the end in one go. */
export async function trainScripted(plan: Plan): Promise<RunSummary> {
  const run = createScriptedRun(plan);
  return startScriptedRun(run.folder).ended;
}

export function readRows(folder: string): Row[] {
  const history = new RunHistory(folder);
  try {
    return history.rows(0, everyRow);
  } finally {
    history.close();
  }
}

export function statuses(summaries: readonly RunSummary[]): string[] {
  return summaries.map((summary) => summary.status).filter((status, index, all) => status !== all[index - 1]);
}

/** Names and contents, so that a test can say that nothing was written. */
export function filesOf(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => fs.statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, fs.readFileSync(path.join(folder, name)).toString('base64')]));
}

/** Of what is opened from now on, and of what is closed, the numbers. */
export function watchFiles() {
  const opened = vi.spyOn(fs, 'openSync');
  const closed = vi.spyOn(fs, 'closeSync');
  onTestFinished(() => {
    opened.mockRestore();
    closed.mockRestore();
  });
  return () => ({
    opened: opened.mock.results.map(({ value }) => value as number).toSorted((a, b) => a - b),
    closed: closed.mock.calls.map(([descriptor]) => descriptor).toSorted((a, b) => a - b),
  });
}

/** Trains in a process of its own, which is killed once that step is on the disk. */
export async function killTrainerAt(folder: string, step: number): Promise<void> {
  const child = fork(path.join(import.meta.dirname, 'scriptedTrainerMain.ts'), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('message', (message: FromTrainer) => {
    if (message.type === 'ready') child.send({ type: 'begin', folder, work: goOn(folder) } satisfies ToTrainer);
    if (message.type === 'changed' && message.summary.step >= step) child.kill('SIGKILL');
  });
  await once(child, 'close');
}
