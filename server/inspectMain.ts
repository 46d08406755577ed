// Entry of `dist/inspect.cjs READING ARGUMENTS`, forked by run/inspectProcess.ts: reads checkpoints and sends what was asked of them.
import { encode } from './protocol/codec.ts';
import { inspectCheckpoint } from './run/checkpointContents.ts';
import { compareCheckpoints } from './run/checkpointDifference.ts';
import type { Inspection, Readings } from './run/inspectProcess.ts';
import { readKernel } from './run/kernelPictures.ts';
import { ignoreDebuggerSignal } from './run/processSignals.ts';
import { BadCheckpointError } from './run/safetensors.ts';

const readings: {
  [Name in keyof Readings]: (
    ...args: Readings[Name]['args']
  ) => Promise<Readings[Name]['answer']> | Readings[Name]['answer'];
} = { inspect: inspectCheckpoint, compare: compareCheckpoints, kernel: readKernel };

ignoreDebuggerSignal();
process.once('disconnect', () => process.exit());
void main();

async function main(): Promise<void> {
  const [, , name, args] = process.argv;
  process.send?.(await attempt(name as keyof Readings, args ?? ''), undefined, undefined, () => {
    process.exit();
  });
}

async function attempt<Name extends keyof Readings>(name: Name, args: string): Promise<Inspection> {
  try {
    return { type: 'done', bytes: encode(await readings[name](...(JSON.parse(args) as Readings[Name]['args']))) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: error instanceof BadCheckpointError ? 'bad' : 'failed', message };
  }
}
