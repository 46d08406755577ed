// A process that does one piece of work each time it is asked, so that engines can alternate and none sees another's memory.
// The script reads lines and answers with lines of JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import type { Side } from './work.ts';

/** On a busy machine the processor time of all threads says more than the time on the clock. */
export interface WorkTime {
  readonly ms: number;
  readonly cpuMs: number;
  /** Bytes at most so far: of tensors for ours, of the whole process for PyTorch. */
  readonly peakBytes: number;
  /** Images, after a whole attack. */
  readonly stands?: number;
}

export interface EngineProcess {
  /** Version and device. */
  readonly about: string;
  work(): Promise<WorkTime>;
  close(): Promise<void>;
}

/** Starts the process and waits until it has warmed up (and, if so asked, compiled). @throws if it fails. */
export async function startEngine({ work, engine }: Side, python: string | undefined): Promise<EngineProcess> {
  const isOurs = engine.name === 'ours';
  if (!isOurs && !python) throw new Error('PyTorch needs --torch PYTHON');
  const ofTorch = work.kind === 'pgd-whole' || work.kind === 'autoattack' ? 'attackWork.py' : 'torchWork.py';
  const script = path.join(import.meta.dirname, isOurs ? 'ourWork.ts' : ofTorch);
  const command = isOurs ? process.execPath : python!;
  const child = spawn(command, [script, JSON.stringify({ ...work, ...engine })], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(isOurs ? {} : { OMP_NUM_THREADS: String(engine.threads) }) },
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${script} ended without an answer`);
    return JSON.parse(value) as Record<string, unknown>;
  };
  const ended = once(child, 'exit');
  const { about } = await read();
  return {
    about: String(about),
    work: async () => {
      child.stdin.write('work\n');
      return (await read()) as unknown as WorkTime;
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
