// A Python process that makes PyTorch's steps one at a time, so that they can alternate with ours.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StepTime } from './trainingStep.ts';

export interface TorchOptions {
  readonly mode: 'eager' | 'compiled';
  readonly threads: number;
  readonly method: 'standard' | 'fgsm-rs';
  readonly activation: 'kaf' | 'swish' | 'relu';
}

export interface TorchProcess {
  readonly version: string;
  /** Makes and times one step. */
  step(): Promise<StepTime>;
  close(): Promise<void>;
}

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'torchSteps.py');

/** Starts the process and waits until it has made (and, if so asked, compiled) its first step. @throws if Python fails. */
export async function startTorch(python: string, options: TorchOptions): Promise<TorchProcess> {
  const child = spawn(python, [script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: String(options.threads) },
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} ${script} ended without an answer`);
    return JSON.parse(value) as Record<string, unknown>;
  };
  const ended = once(child, 'exit');
  const { torch } = await read();
  return {
    version: String(torch),
    step: async () => {
      child.stdin.write('step\n');
      const { ms, cpuMs } = await read();
      return { ms: Number(ms), cpuMs: Number(cpuMs) };
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
