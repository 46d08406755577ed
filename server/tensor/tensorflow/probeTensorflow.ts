// Asks a process of its own what TensorFlow computes on: the library is large, stays loaded for good, and one that is broken
// may end its process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Sent by server/tensorflowProbeMain.ts. */
export type ProbeResult =
  { readonly device: string; readonly reason: '' } | { readonly device: null; readonly reason: string };

const timeoutMs = 60_000;

/** `assetsFolder` holds `tensorflowProbe.cjs`. Where no device comes back, the reason is one sentence. */
export async function probeTensorflow(assetsFolder: string): Promise<ProbeResult> {
  const child = fork(path.join(assetsFolder, 'tensorflowProbe.cjs'), [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: timeoutMs,
  });
  let words = '';
  let result: ProbeResult | null = null;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-2000)));
  child.on('message', (message) => (result = message as ProbeResult));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (result) return result;
  const end = signal ? `was ended by ${signal}` : `ended with code ${String(code)}`;
  const lastWords = words.trim().split('\n').at(-1);
  return {
    device: null,
    reason: `The process that loads TensorFlow ${end}.${lastWords ? ` Its last words: ${lastWords}` : ''}`,
  };
}
