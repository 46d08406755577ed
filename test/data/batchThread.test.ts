import type { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { BatchThread } from '../../server/data/batchThread.ts';
import { memoryRows } from '../../server/data/rows.ts';

interface ScriptedWorker extends EventEmitter {
  /** Whether it keeps its process alive. */
  readonly keepsAlive: boolean;
  end(): void;
}

const workers = vi.hoisted(() => [] as ScriptedWorker[]);

vi.mock('node:worker_threads', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class Worker extends Emitter {
    keepsAlive = true;
    end: () => void = () => {};

    constructor() {
      super();
      workers.push(this);
    }

    postMessage(): void {}
    ref(): void {
      this.keepsAlive = true;
    }
    unref(): void {
      this.keepsAlive = false;
    }
    terminate(): Promise<void> {
      return new Promise((resolve) => {
        this.end = resolve;
      });
    }
  }
  return { Worker };
});

it('a thread that is closed keeps its process alive until it has ended, whatever it still answers', async () => {
  const thread = new BatchThread('');
  const [worker] = workers;
  expect(worker!.keepsAlive).toBe(false);
  const reading = thread.split(memoryRows(Float32Array.of(1), new Uint16Array(1), 1)).read(Uint32Array.of(0));
  const closing = thread.close();
  worker!.emit('message', { type: 'samples', samples: { values: Float32Array.of(1), labels: Int32Array.of(0) } });
  expect((await reading).values[0]).toBe(1);
  expect(worker!.keepsAlive).toBe(true);
  worker!.end();
  await closing;
});
