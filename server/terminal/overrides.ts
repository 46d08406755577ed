// What the command line may change about work on a plan that is frozen already: where it is computed, and where its data is.
import fs from 'node:fs';
import path from 'node:path';
import { parseNumber } from '../experiment/parseNumber.ts';
import { withDataFolder } from '../experiment/withDataFolder.ts';
import type { Plan, RuntimeChoice } from '../protocol/plan.ts';
import type { OpenTrainer } from '../run/trainer.ts';
import { UsageError } from './terminal.ts';

export interface WorkOptions {
  readonly runtime: RuntimeChoice | null;
  /** A number as typed. */
  readonly threads: string | null;
  /** A folder as typed. */
  readonly data: string | null;
}

/** Opens trainers of plans with these changes; the run keeps its plan. @throws UsageError at once for what can't be. */
export function openerWith(options: WorkOptions, openTrainer: OpenTrainer): OpenTrainer {
  const change = planChange(options);
  return (plan) => openTrainer(change(plan));
}

/** @throws UsageError; so does the change itself, where the plan's data is in no folder. */
export function planChange({ runtime, threads, data }: WorkOptions): (plan: Plan) => Plan {
  const changes = {
    ...(runtime === null ? {} : { runtime }),
    ...(threads === null ? {} : { threads: threadCount(threads) }),
  };
  const folder = data === null ? null : dataFolder(data);
  return (plan) => {
    try {
      return withDataFolder({ ...plan, ...changes }, folder);
    } catch (error) {
      throw new UsageError(`--data: ${(error as Error).message}`, { cause: error });
    }
  };
}

/** How work that did not find its data is done where that lies now. `command` is what the user would type again. */
export function dataAdvice(command: string): string {
  return `If the data lies elsewhere now, name its place: kafscope ${command} --data FOLDER`;
}

/** @throws UsageError where a run that has begun is asked to become another. */
export function refuseChanges(run: string, { file, set }: { file: string | null; set: readonly string[] }): void {
  if (file !== null) {
    throw new UsageError(
      `--resume ${run} goes on with a run as it was begun, so ${file} would not be read. Leave the file out, or leave out --resume to start a new run.`,
    );
  }
  if (set.length === 0) return;
  throw new UsageError(
    `--set can't change a run that has begun: ${set.join(', ')}. Leave it out, or start a new run from the experiment's file.`,
  );
}

/** Whether the two runtimes are not the same for certain; `auto` may be any. `device` is that of a run: `wasm · 1 thread`. */
export function isOtherRuntime(runtime: RuntimeChoice | null, device: string | null): boolean {
  return runtime !== null && device !== null && runtime !== 'auto' && !device.startsWith(`${runtime} · `);
}

function threadCount(text: string): number {
  const value = parseNumber(text);
  if (value === undefined || !Number.isInteger(value) || value < 1 || value > 256)
    throw new UsageError(`--threads ${text}: expected an integer in [1, 256].`);
  return value;
}

function dataFolder(given: string): string {
  const folder = path.resolve(given);
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--data ${given}: there is no folder ${folder}. Name the folder that the data lies in now.`);
  }
  return folder;
}
