// A sign of life beside a run's log: a file that grows by a byte every few seconds, written by a thread of its own, since a long step
// holds up the trainer's. What it means is said in lifeWatch.ts.
import { Worker } from 'node:worker_threads';

export const heartbeatMs = 5000;

/** Runs without an event loop: it sleeps until it is told to stop. The file was made by whoever starts it. */
const source = `
const fs = require('node:fs');
const { workerData: { file, everyMs, isStopped } } = require('node:worker_threads');
const { O_WRONLY, O_APPEND, O_NOFOLLOW = 0 } = fs.constants;
while (Atomics.wait(isStopped, 0, 0, everyMs) === 'timed-out') {
  try {
    const descriptor = fs.openSync(file, O_WRONLY | O_APPEND | O_NOFOLLOW);
    fs.writeSync(descriptor, '.');
    fs.closeSync(descriptor);
  } catch {
    // A full disk or a moved folder: the next beat may get through, and the log's own growth counts as well.
  }
}`;

/** Beats until the returned function is called or the process ends. */
export type StartHeartbeat = (file: string, everyMs?: number) => () => void;

export const startHeartbeat: StartHeartbeat = (file, everyMs = heartbeatMs) => {
  const isStopped = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(source, {
    eval: true,
    execArgv: [],
    workerData: { file, everyMs, isStopped },
  });
  worker.unref();
  // A thread that can't be had (memory, limits) costs the sign of life, not the run.
  worker.on('error', () => {});
  return () => {
    Atomics.store(isStopped, 0, 1);
    Atomics.notify(isStopped, 0);
  };
};
