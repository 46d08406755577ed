// Sweeps of scripted trainers, in this process: what a cell does follows from its plan's name.
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { planIdentity } from '../../server/experiment/planIdentity.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { TrainerListener } from '../../server/run/forkTrainer.ts';
import { RunControl } from '../../server/run/runControl.ts';
import { runPlan } from '../../server/run/runPlan.ts';
import type { ToTrainer } from '../../server/run/trainerMessages.ts';
import { makeSweep, writeCells, type StoredCell } from '../../server/sweep/sweepFolder.ts';
import { SweepQueue, type QueueOptions } from '../../server/sweep/sweepQueue.ts';
import type { SweepCell } from '../../server/protocol/sweep.ts';
import { openScriptedTrainer, scriptedPlan, type Script } from '../run/scriptedTrainer.ts';
import { scriptedClock, temporaryFolder } from '../run/scriptedRun.ts';

export const trainerFile = path.join(import.meta.dirname, '../run/scriptedTrainerMain.ts');

export function scriptedCells(scripts: readonly Script[], change: Partial<Plan> = {}): StoredCell[] {
  return scripts.map((script, seed) => {
    const plan = scriptedPlan(script, { seed, ...change });
    const values = { seed: String(seed) };
    return { name: `seed ${String(seed)}`, values, identity: planIdentity(plan), description: 'scripted', plan };
  });
}

export function cellSet(cells: readonly StoredCell[]) {
  return { experimentText: 'name: scripted', versions: { kafscope: '0.0.0-test' }, cells };
}

export function makeScriptedSweep(cells: readonly StoredCell[], runsFolder = temporaryFolder()): string {
  const folder = makeSweep(runsFolder, { name: 'Scripted', experimentFile: '/a/scripted.kaf.yaml', createdMs: 1 });
  writeCells(folder, cellSet(cells));
  return folder;
}

/** As forkTrainer, without a process. */
export function trainHere(_file: string, { onReady, onProgress, onGone }: TrainerListener): ChildProcess {
  const control = new RunControl();
  const work = async ({ folder, work: asked }: Extract<ToTrainer, { type: 'begin' }>) => {
    const end = await runPlan(asked, {
      ...{ folder, control, openTrainer: openScriptedTrainer, clock: scriptedClock() },
      ...{ log: () => {}, startHeartbeat: () => () => {} },
      onChange: (summary) => {
        if (isLive(summary.status)) onProgress(summary);
      },
    });
    onGone({ pid: process.pid, end, status: 'failed', text: 'ended', refusal: null, lastWords: '' });
  };
  const send = (message: ToTrainer) => {
    if (message.type === 'begin') void work(message);
    else if (message.type === 'pause') control.pause();
    else if (message.type === 'resume') control.resume();
    else if (message.type === 'interrupt') control.interrupt(message.message);
    else control.stop();
    return true;
  };
  setImmediate(onReady);
  return { connected: true, send } as unknown as ChildProcess;
}

export interface Working {
  readonly queue: SweepQueue;
  /** In the order in which they were told. */
  readonly told: SweepCell[];
  readonly lines: string[];
  /** Looks now, as it does now and then. */
  look(): void;
  /** Settles when a told cell, told from now on, is as wanted. */
  until(isWanted: (cell: SweepCell) => boolean): Promise<SweepCell>;
}

export function work(folder: string, change: Partial<QueueOptions> = {}): Working {
  const told: SweepCell[] = [];
  const lines: string[] = [];
  const waiting: { isWanted: (cell: SweepCell) => boolean; resolve: (cell: SweepCell) => void }[] = [];
  let look = () => {};
  const queue = new SweepQueue(folder, {
    ...{ trainerFile, atOnce: 2, threads: 1, fork: trainHere },
    log: (line) => lines.push(line),
    onCell: (cell) => {
      told.push(cell);
      for (const entry of waiting.filter(({ isWanted }) => isWanted(cell))) entry.resolve(cell);
    },
    every: (call) => {
      look = call;
      return () => {};
    },
    ...change,
  });
  const until = (isWanted: (cell: SweepCell) => boolean) => {
    const { promise, resolve } = Promise.withResolvers<SweepCell>();
    waiting.push({ isWanted, resolve });
    return promise;
  };
  return { queue, told, lines, look: () => look(), until };
}
