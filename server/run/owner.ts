// Which process writes a run, told so that another process, container or host can say whether it still lives. A process id means
// something on its own boot and in its own namespace only; anywhere else a heartbeat decides (lifeWatch.ts).
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { z } from 'zod';

export const ownerSchema = z.object({
  host: z.string().max(255),
  /** Of the running kernel, new at each start of the machine; empty where the system tells none. */
  boot: z.string().max(100),
  pid: z.int().min(1),
  /** When the process began, in the system's own words; empty where it tells none. Tells a process from a later one of its id. */
  pidStart: z.string().max(100),
  /** Of the process ids, as containers have their own; empty where the system has none. */
  pidNamespace: z.string().max(100),
  /** Random, of this one piece of work. */
  incarnation: z.string().regex(/^[0-9a-f]{32}$/),
  /** Of a cluster's queue, like `slurm 1234_5`; null outside of one. */
  job: z.string().max(200).nullable(),
});
export type Owner = z.infer<typeof ownerSchema>;

export function thisProcess(): Owner {
  return { ...identity(), pid: process.pid, incarnation: randomBytes(16).toString('hex'), job: jobOf(process.env) };
}

/** `unknown` where only its heartbeat can tell. */
export function lifeOf(owner: Pick<Owner, 'boot' | 'pid' | 'pidStart' | 'pidNamespace'>): 'alive' | 'dead' | 'unknown' {
  const here = identity();
  if (owner.boot === '' || owner.boot !== here.boot || owner.pidNamespace !== here.pidNamespace) return 'unknown';
  if (owner.pidStart === '') return exists(owner.pid) ? 'unknown' : 'dead';
  return startOf(owner.pid) === owner.pidStart ? 'alive' : 'dead';
}

let known: Pick<Owner, 'host' | 'boot' | 'pidStart' | 'pidNamespace'> | null = null;

function identity() {
  known ??= { host: os.hostname(), boot: bootOf(), pidStart: startOf(process.pid), pidNamespace: namespaceOf() };
  return known;
}

/** Of this start of the machine. */
export function bootOf(): string {
  try {
    if (process.platform === 'linux') return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    if (process.platform === 'darwin') {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
    }
  } catch {
    // Hidden by a sandbox: then heartbeats decide.
  }
  return '';
}

function namespaceOf(): string {
  if (process.platform !== 'linux') return '';
  try {
    return fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    return ''; // hidden by a sandbox
  }
}

/** Empty where there is no such process, where it has ended and only its parent has not looked, or where the system does not tell. */
function startOf(pid: number): string {
  if (process.platform !== 'linux') return '';
  try {
    // "pid (name) state ppid …": the name may hold blanks and parentheses; the 22nd field is the start in ticks since boot.
    const text = fs.readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function jobOf({ SLURM_JOB_ID, SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID }: NodeJS.ProcessEnv): string | null {
  if (!SLURM_JOB_ID) return null;
  const isElement = SLURM_ARRAY_JOB_ID !== undefined && SLURM_ARRAY_TASK_ID !== undefined;
  return `slurm ${isElement ? `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}` : SLURM_JOB_ID}`.slice(0, 200);
}
