// The schedulers that a sweep can be given to. Without one of them it is worked on by processes of its own (sweepQueue.ts).
import type { Scheduler } from './scheduler.ts';
import { makeSlurm } from './slurm.ts';

/** Of this host. */
export function schedulers(env: NodeJS.ProcessEnv = process.env): readonly Scheduler[] {
  return [makeSlurm({ env })] as readonly Scheduler[];
}

export const schedulerNames = schedulers({}).map(({ name }) => name);

export function schedulerNamed(name: string, env: NodeJS.ProcessEnv = process.env): Scheduler {
  const found = schedulers(env).find((one) => one.name === name);
  if (!found) throw new Error(`There is no scheduler ${name}.`);
  return found;
}
