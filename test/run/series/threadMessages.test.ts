// What the desk of series says to its thread and hears from it, with one that says what a test has it say.
import { EventEmitter } from 'node:events';
import { beforeEach, expect, it, vi } from 'vitest';
import { SeriesThread, type FromSeriesThread, type ToSeriesThread } from '../../../server/run/series/seriesThread.ts';

class ScriptedWorker extends EventEmitter {
  readonly heard: (ToSeriesThread | 'unref' | 'terminate')[] = [];

  constructor() {
    super();
    workers.push(this);
  }

  postMessage(message: ToSeriesThread): void {
    this.heard.push(message);
  }

  unref(): void {
    this.heard.push('unref');
  }

  terminate(): Promise<number> {
    this.heard.push('terminate');
    return Promise.resolve(1);
  }

  say(message: FromSeriesThread): void {
    this.emit('message', message);
  }

  /** Of the question that it heard last. */
  get id(): number {
    const question = this.heard.findLast((one) => typeof one === 'object' && 'question' in one);
    return (question as { id: number }).id;
  }
}

let workers: ScriptedWorker[] = [];

vi.mock('node:worker_threads', () => ({
  Worker: class {
    constructor() {
      return new ScriptedWorker();
    }
  },
}));

beforeEach(() => {
  workers = [];
});

const run = { id: 'a', folder: '/runs/a' };
const progress = { runId: 'a', doneBytes: 1, totalBytes: 2 };

function asking() {
  const told: unknown[] = [];
  const thread = new SeriesThread('/dist/series.cjs', '/cache');
  const controller = new AbortController();
  const ask = () => thread.outcomes([run], { signal: controller.signal, onProgress: (one) => told.push(one) });
  const answer = ask();
  return { thread, told, controller, ask, answer, worker: workers[0]! };
}

it('keeps no process alive, and tells how far a question is until it is answered', async () => {
  const { told, answer, worker, controller } = asking();
  const { id } = worker;
  expect(worker.heard).toEqual(['unref', { id, question: { type: 'outcomes', runs: [run] } }]);
  worker.say({ id: id + 1, progress });
  worker.say({ id, progress });
  expect(told).toEqual([progress]);
  worker.say({ id, answer: 'all' });
  worker.say({ id, progress });
  expect(await answer).toBe('all');
  expect(told).toEqual([progress]);
  controller.abort();
  expect(worker.heard).toHaveLength(2);
});

it('tells the thread what is not wanted any more, and hears no more of it', async () => {
  const { told, answer, worker, controller } = asking();
  controller.abort(new Error('not wanted'));
  await expect(answer).rejects.toThrow('not wanted');
  expect(worker.heard.at(-1)).toEqual({ abort: worker.id });
  worker.say({ id: worker.id, progress });
  expect(told).toEqual([]);
});

it('fails what was asked of a thread that fell, and of no other', async () => {
  const { told, answer, ask, worker } = asking();
  const { id } = worker;
  worker.emit('error', new Error('out of memory'));
  await expect(answer).rejects.toThrow('out of memory');
  worker.say({ id, progress });
  expect(told).toEqual([]);
  const again = ask();
  worker.emit('exit', 1);
  const [, second] = workers;
  second!.say({ id: second!.id, answer: 'again' });
  expect(await again).toBe('again');
  const last = ask();
  second!.emit('exit', 0);
  await expect(last).rejects.toThrow('has ended');
  expect(workers).toHaveLength(2);
});

it('ends the thread once it has closed what it had open, or could not', async () => {
  const { thread, answer, worker } = asking();
  worker.say({ id: worker.id, answer: 1 });
  await answer;
  for (const end of [{ answer: null }, { failure: { isOfStorage: true, message: 'no space' } }]) {
    const closed = thread.close();
    expect(worker.heard.at(-1)).toEqual({ id: worker.id, question: { type: 'close' } });
    worker.say({ id: worker.id, ...end });
    await closed;
    expect(worker.heard.at(-1)).toBe('terminate');
  }
  await new SeriesThread('/dist/series.cjs', '/cache').close();
  expect(workers).toHaveLength(1);
});
