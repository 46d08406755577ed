// Asks a process of its own what TensorFlow computes on: the library is large, stays loaded for good, and one that is broken
// may end its process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { tensorflowVariables } from '../../protocol/tensorflowVariables.ts';

/** Sent by server/tensorflowProbeMain.ts. */
export type ProbeResult =
  { readonly device: string; readonly reason: '' } | { readonly device: null; readonly reason: string };

const timeoutMs = 60_000;

/**
 * `assetsFolder` holds `tensorflowProbe.cjs`; `place` is looked at instead of the usual ones. Where no device comes back, the
 * reason is one sentence.
 */
export async function probeTensorflow(assetsFolder: string, place?: string): Promise<ProbeResult> {
  const child = fork(path.join(assetsFolder, 'tensorflowProbe.cjs'), [], {
    env: place === undefined ? process.env : { ...process.env, [tensorflowVariables.chosen]: place },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: timeoutMs,
  });
  let words = '';
  const results: ProbeResult[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-2000)));
  child.on('message', (message) => results.push(message as ProbeResult));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const [result] = results;
  if (result) return result;
  const end = signal ? `was ended by ${signal}` : `ended with code ${String(code)}`;
  const lastWords = words.trim().split('\n').at(-1);
  return {
    device: null,
    reason: `The process that loads TensorFlow ${end}.${lastWords ? ` Its last words: ${lastWords}` : ''}`,
  };
}
