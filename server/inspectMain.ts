// Entry of `dist/inspect.cjs <file>`, forked by run/inspectProcess.ts: reads the checkpoint and sends what is in it.
import { encode } from './protocol/codec.ts';
import { inspectCheckpoint } from './run/checkpointContents.ts';
import type { Inspection } from './run/inspectProcess.ts';
import { ignoreDebuggerSignal } from './run/processSignals.ts';
import { BadCheckpointError } from './run/safetensors.ts';

ignoreDebuggerSignal();
process.once('disconnect', () => process.exit());
void main();

async function main(): Promise<void> {
  process.send?.(await attempt(process.argv[2] ?? ''), undefined, undefined, () => {
    process.exit();
  });
}

async function attempt(file: string): Promise<Inspection> {
  try {
    return { type: 'done', bytes: encode(await inspectCheckpoint(file)) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: error instanceof BadCheckpointError ? 'bad' : 'failed', message };
  }
}
