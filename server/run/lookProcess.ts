// Looks at data sets in processes of their own: reading a folder of pictures for the first time takes minutes, and holds nobody up.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { EncodedValue } from '../protocol/codec.ts';
import type { DatasetLook, LookProgress } from '../protocol/datasetLook.ts';
import type { DatasetPlan } from '../protocol/plan.ts';
import { takeTurns } from './takeTurns.ts';

/** What the process sends: how far it is, then one answer, the look as codec.ts encodes it. */
export type LookMessage =
  | { readonly type: 'progress'; readonly progress: Omit<LookProgress, 'lookId'> }
  | { readonly type: 'done'; readonly bytes: Uint8Array }
  | { readonly type: 'bad' | 'failed'; readonly message: string };

/** The data set can't be shown; the message says where and what to do. */
export class BadDatasetError extends Error {
  override readonly name = 'BadDatasetError';
}

interface LookOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Omit<LookProgress, 'lookId'>) => void;
}

interface LookFiles {
  /** Absolute; `look.cjs`. */
  readonly entryFile: string;
  /** As `ReaderSurroundings` has it. */
  readonly assetsFolder: string;
}

export type LookAtDataset = (plan: DatasetPlan, options: LookOptions) => Promise<EncodedValue<DatasetLook>>;

const maxProcesses = 2;

/**
 * Looks at two data sets at a time; others wait for their turn. An aborted look ends at once, with the signal's reason: what it has
 * read so far is not kept.
 */
export function makeLooker(files: LookFiles): LookAtDataset {
  const takeTurn = takeTurns(maxProcesses);
  return (plan, options) => takeTurn(() => lookApart(files, plan, options), options.signal);
}

/** @throws BadDatasetError with the sentence of the DataError, also where the process ended without an answer */
async function lookApart(
  { entryFile, assetsFolder }: LookFiles,
  plan: DatasetPlan,
  { signal, onProgress }: LookOptions,
): Promise<EncodedValue<DatasetLook>> {
  const child = fork(entryFile, [JSON.stringify(plan), assetsFolder], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  const end = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', end);
  let answer: Exclude<LookMessage, { type: 'progress' }> | undefined;
  child.on('message', (message: LookMessage) => {
    if (message.type !== 'progress') answer = message;
    else if (!signal.aborted) onProgress(message.progress);
  });
  let how: [number | null, NodeJS.Signals | null];
  try {
    how = (await once(child, 'close')) as typeof how;
  } finally {
    signal.removeEventListener('abort', end);
  }
  if (answer?.type === 'done') return new EncodedValue(answer.bytes);
  signal.throwIfAborted();
  if (answer?.type === 'bad') throw new BadDatasetError(answer.message);
  if (answer) throw new Error(answer.message);
  const [code, ended] = how;
  throw new BadDatasetError(
    `The data set can't be shown: the process that read it ${ended ? `was ended by ${ended}` : `ended with code ${String(code)}`}, as it does where memory runs out. Close other programs, or lower dataset.trainSamples.`,
  );
}
