// Inspects checkpoints in processes of their own: a large file holds nobody up, and one that exhausts the memory ends only its process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { CheckpointContents, CheckpointDifference, KernelPictures } from '../protocol/checkpoint.ts';
import { EncodedValue } from '../protocol/codec.ts';
import type { KernelQuestion } from './kernelPictures.ts';
import { BadCheckpointError } from './safetensors.ts';
import { takeTurns } from './takeTurns.ts';

/** What the process sends: contents as codec.ts encodes them, so that who asked can be sent them without a long turn of this process. */
export type Inspection =
  { readonly type: 'done'; readonly bytes: Uint8Array } | { readonly type: 'bad' | 'failed'; readonly message: string };

/** What a process can be asked, by name: its arguments, and what it answers. */
export interface Readings {
  inspect: { args: [file: string]; answer: CheckpointContents };
  compare: { args: [file: string, other: string]; answer: CheckpointDifference };
  kernel: { args: [file: string, question: KernelQuestion]; answer: KernelPictures };
}

/** Aborted, a reading ends at once, with the signal's reason. */
export type Inspector = {
  readonly [Name in keyof Readings]: (
    args: Readings[Name]['args'],
    signal?: AbortSignal,
  ) => Promise<EncodedValue<Readings[Name]['answer']>>;
};

const maxProcesses = 2;

/**
 * Reads at most two at a time; others wait for their turn.
 * @param entryFile absolute; `inspect.cjs`
 */
export function makeInspector(entryFile: string): Inspector {
  const takeTurn = takeTurns(maxProcesses);
  return {
    inspect: (args, signal) => takeTurn(() => readApart(entryFile, 'inspect', args, signal), signal),
    compare: (args, signal) => takeTurn(() => readApart(entryFile, 'compare', args, signal), signal),
    kernel: (args, signal) => takeTurn(() => readApart(entryFile, 'kernel', args, signal), signal),
  };
}

/** @throws BadCheckpointError as the reading itself, also where the process ended without an answer */
async function readApart<Name extends keyof Readings>(
  entryFile: string,
  name: Name,
  args: Readings[Name]['args'],
  signal?: AbortSignal,
): Promise<EncodedValue<Readings[Name]['answer']>> {
  const [file] = args;
  const child = fork(entryFile, [name, JSON.stringify(args)], {
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
