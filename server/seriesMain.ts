// Entry of `dist/series.cjs`, a thread of the server (run/series/seriesThread.ts): answers by the series of runs, one question beside the other.
import { parentPort, workerData } from 'node:worker_threads';
import { SeriesDesk } from './run/series/seriesDesk.ts';
import type { FromSeriesThread, SeriesQuestion, ToSeriesThread } from './run/series/seriesThread.ts';
import type { SeriesOptions } from './run/series/seriesDesk.ts';
import { StorageError } from './run/storageError.ts';

/** Progress is told no more often. */
const shortestGapMs = 100;

const desk = new SeriesDesk((workerData as { cacheFolder: string }).cacheFolder);
const atWork = new Map<number, AbortController>();

parentPort!.on('message', (message: ToSeriesThread) => {
  if ('abort' in message) atWork.get(message.abort)?.abort();
  else void answer(message.id, message.question);
});

async function answer(id: number, question: SeriesQuestion): Promise<void> {
  const controller = new AbortController();
  atWork.set(id, controller);
  let toldMs = -Infinity;
  const options: SeriesOptions = {
    signal: controller.signal,
    onProgress: (progress) => {
      if (performance.now() - toldMs < shortestGapMs) return;
      toldMs = performance.now();
      send({ id, progress });
    },
  };
  try {
    send({ id, answer: await answered(question, options) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    send({ id, failure: { isOfStorage: error instanceof StorageError, message } });
  } finally {
    atWork.delete(id);
  }
}

function answered(question: SeriesQuestion, options: SeriesOptions): Promise<unknown> {
  switch (question.type) {
    case 'snapshot':
      return desk.snapshot(question.run, options);
    case 'read':
      return desk.read(question.runs, question.query, options);
    case 'outcomes':
      return desk.outcomes(question.runs, options);
    case 'forget':
      return desk.forget(question.run);
    case 'close':
      return desk.close();
    default:
      return question satisfies never;
  }
}

function send(message: FromSeriesThread): void {
  parentPort!.postMessage(message);
}
