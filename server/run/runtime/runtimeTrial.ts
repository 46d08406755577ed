// Tries a runtime in a process of its own: a library that crashes or hangs takes nobody with it, and one process can't load
// TensorFlow twice. What is tried, server/trainer/selfTest.ts says.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { RuntimeName } from '../../protocol/plan.ts';

export interface RuntimeTrial {
  readonly runtime: RuntimeName;
  /** For example `2 threads · relaxed SIMD`; empty where it did not open. */
  readonly device: string;
  /** Null where it opened and computed right, else a sentence. */
  readonly fault: string | null;
  /** Milliseconds of the self-test's training step; null where there is a fault. */
  readonly stepMs: number | null;
  /** Those of NVIDIA that it could compute on, like `cuda:1`. */
  readonly gpus: readonly string[];
}

/** A guard against hanging alone. How slow a runtime is decides nothing here: beside a busy load every one of them is. */
const guardMs = 600_000;

/**
 * @param assetsFolder absolute; holds `runtimeTrial.cjs`
 * @param env in which the process runs
 * @param timeoutMs after which it is taken to hang, and is ended
 */
export async function tryRuntime(
  runtime: RuntimeName,
  assetsFolder: string,
  env: NodeJS.ProcessEnv = process.env,
  timeoutMs: number = guardMs,
): Promise<RuntimeTrial> {
  const child = fork(path.join(assetsFolder, 'runtimeTrial.cjs'), [runtime], {
    env,
    cwd: assetsFolder,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let words = '';
  const sent: RuntimeTrial[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-2000)));
  child.on('message', (message) => sent.push(message as RuntimeTrial));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (sent[0]) return sent[0];
  const end = child.killed
    ? `was still at it after ${timeoutMs / 1000} s and was ended`
    : signal
      ? `was ended by ${signal}`
      : `ended with code ${String(code)}`;
  const lastWords = words.trim().split('\n').at(-1);
  const fault = `The process that tried ${runtime} ${end}.${lastWords ? ` Its last words: ${lastWords}` : ''}`;
  return { runtime, device: '', fault, stepMs: null, gpus: [] };
}
