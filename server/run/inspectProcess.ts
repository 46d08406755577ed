// Inspects checkpoints in processes of their own: a large file holds nobody up, and one that exhausts the memory ends only its process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { CheckpointContents } from '../protocol/checkpoint.ts';
import { EncodedValue } from '../protocol/codec.ts';
import { BadCheckpointError } from './safetensors.ts';
import { takeTurns } from './takeTurns.ts';

/** What the process sends: contents as codec.ts encodes them, so that who asked can be sent them without a long turn of this process. */
export type Inspection =
  { readonly type: 'done'; readonly bytes: Uint8Array } | { readonly type: 'bad' | 'failed'; readonly message: string };

export type InspectCheckpoint = (file: string, signal?: AbortSignal) => Promise<EncodedValue<CheckpointContents>>;

const maxProcesses = 2;

/**
 * Inspects at most two files at a time; others wait for their turn. An aborted inspection ends at once, with the signal's reason.
 * @param entryFile absolute; `inspect.cjs`
 */
export function makeInspector(entryFile: string): InspectCheckpoint {
  const takeTurn = takeTurns(maxProcesses);
  return (file, signal) => takeTurn(() => inspectApart(entryFile, file, signal), signal);
}

/** @throws BadCheckpointError as `inspectCheckpoint`, also where the process ended without an answer */
async function inspectApart(
  entryFile: string,
  file: string,
  signal?: AbortSignal,
): Promise<EncodedValue<CheckpointContents>> {
  const child = fork(entryFile, [file], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  const end = () => void child.kill('SIGKILL');
  signal?.addEventListener('abort', end);
  const sent: Inspection[] = [];
  child.on('message', (message) => sent.push(message as Inspection));
  let how: [number | null, NodeJS.Signals | null];
  try {
    how = (await once(child, 'close')) as typeof how;
  } finally {
    signal?.removeEventListener('abort', end);
  }
  const answer = sent[0];
  if (answer?.type === 'done') return new EncodedValue(answer.bytes);
  signal?.throwIfAborted();
  if (answer?.type === 'bad') throw new BadCheckpointError(answer.message);
  if (answer) throw new Error(answer.message);
  const [code, ended] = how;
  throw new BadCheckpointError(
    `${file} can't be inspected: the process that read it ${ended ? `was ended by ${ended}` : `ended with code ${String(code)}`}, as it does where memory runs out. Close other programs, or try a smaller file.`,
  );
}
