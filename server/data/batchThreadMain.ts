// The thread that reads batches: answers each request in its order.
import { parentPort } from 'node:worker_threads';
import type { FromThread, ToThread } from './batchThread.ts';
import { RowReader, type Rows } from './rows.ts';

const reader = new RowReader();
const splits = new Map<number, Rows>();

parentPort!.on('message', (message: ToThread) => {
  if (message.type === 'split') {
    splits.set(message.split, message.rows);
    return;
  }
  try {
    const samples = reader.read(splits.get(message.split)!, message.indices);
    answer({ type: 'samples', samples }, [samples.values.buffer, samples.labels.buffer]);
  } catch (error) {
    answer({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});

function answer(message: FromThread, moved: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, [...moved]);
}
