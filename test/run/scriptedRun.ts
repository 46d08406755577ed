// Runs with the scripted trainer in folders that a test may spoil.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import type { Row } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { RunControl } from '../../server/run/runControl.ts';
import { RunDatabase } from '../../server/run/runDatabase.ts';
import { createRun, databaseFile } from '../../server/run/runFolder.ts';
import { runPlan } from '../../server/run/runPlan.ts';
import type { RunPlanOptions, Work } from '../../server/run/runPlan.ts';
import type { Clock } from '../../server/run/runRecorder.ts';
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
export function scriptedClock(): Clock {
  let nowMs = 1_000_000;
  return { now: () => (nowMs += 10), every: () => () => {} };
}

export function createScriptedRun(plan: Plan, runsFolder = temporaryFolder()): RunSummary {
  const versions = { kafscope: '0.0.0-test', node: '24' };
  const run = { plan, description: 'scripted', experimentText: 'name: scripted', experimentFile: null, versions };
  return createRun(runsFolder, run, Date.UTC(2026, 10, 23, 3, 45, 1));
}

export const fromStart: Work = { type: 'train', checkpoint: null };

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
  const database = RunDatabase.open(databaseFile(folder), 'read');
  try {
    return database.readRows(0, everyRow);
  } finally {
    database.close();
  }
}

export function statuses(summaries: readonly RunSummary[]): string[] {
  return summaries.map((summary) => summary.status).filter((status, index, all) => status !== all[index - 1]);
}
