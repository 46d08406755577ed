// Children that do only what a test has them do, for tests that mock `fork`.
import { EventEmitter } from 'node:events';
import { fork } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, vi } from 'vitest';

export class AnsweringChild<Answer> extends EventEmitter {
  readonly kill = vi.fn();

  async end(answer: Answer | null, how: [number | null, NodeJS.Signals | null] = [0, null]): Promise<void> {
    if (answer) this.emit('message', answer);
    this.emit('close', ...how);
    await nextTurn();
  }
}

/** Those that a test forks, in their order. */
export function forkAnsweringChildren<Answer>(): AnsweringChild<Answer>[] {
  const children: AnsweringChild<Answer>[] = [];
  beforeEach(() => {
    children.length = 0;
    vi.mocked(fork)
      .mockReset()
      .mockImplementation(() => {
        const child = new AnsweringChild<Answer>();
        children.push(child);
        return child as never;
      });
  });
  return children;
}
