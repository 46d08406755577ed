// What a client that follows runs is sent: by hand-made rows, with timers that the test turns.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Row } from '../../server/protocol/records.ts';
import { Subscriptions } from '../../server/rpc/subscriptions.ts';

const allowedBytes = 16 * 1024 * 1024;

function follow() {
  const state = { last: 0, backlogBytes: 0, isBroken: false };
  const sent: number[] = [];
  const log: string[] = [];
  const subscriptions = new Subscriptions({
    read: (_runId, cursor) => {
      if (state.isBroken) throw new Error('no such disk');
      const end = Math.min(state.last, cursor + 3); // a page
      return Array.from({ length: Math.max(0, end - cursor) }, (_, index) => ({ seq: cursor + 1 + index }) as Row);
    },
    lastSeq: () => {
      if (state.isBroken) throw new Error('no such disk');
      return state.last;
    },
    backlogBytes: () => state.backlogBytes,
    send: (_runId, rows) => sent.push(...rows.map(({ seq }) => seq)),
    log: (line) => log.push(line),
  });
  return { state, sent, log, subscriptions };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(1000); // a clock at 0 would look like one on which something was just sent
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a followed run', () => {
  it('sends nothing to a client for whom more than 16 MiB wait, and all of it once they are taken', () => {
    const { state, sent, subscriptions } = follow();
    state.last = 5;
    state.backlogBytes = allowedBytes + 1;
    subscriptions.add('a', 0);
    vi.advanceTimersByTime(10_000);
    expect(sent).toEqual([]);
    state.backlogBytes = allowedBytes;
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([1, 2, 3, 4, 5]);
    subscriptions.close();
  });

  it('sends again the rows that come anew after its log was cut, and none that it still has', () => {
    const { state, sent, subscriptions } = follow();
    state.last = 6;
    subscriptions.add('a', 0);
    vi.advanceTimersByTime(1000);
    state.last = 4;
    subscriptions.cut('a');
    subscriptions.cut('unknown');
    state.last = 7;
    subscriptions.progressed('a');
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([1, 2, 3, 4, 5, 6, 5, 6, 7]);
    // A cut behind what the client has is none to it.
    state.last = 9;
    subscriptions.cut('a');
    subscriptions.progressed('a');
    vi.advanceTimersByTime(1000);
    expect(sent.slice(-2)).toEqual([8, 9]);
    subscriptions.close();
  });

  it('sends the reply to a subscription first, then a page at a time, a tenth of a second apart', () => {
    const { state, sent, subscriptions } = follow();
    state.last = 7;
    subscriptions.add('a', 0);
    expect(sent).toEqual([]);
    subscriptions.progressed('a');
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(sent).toHaveLength(3);
    vi.advanceTimersByTime(98);
    expect(sent).toHaveLength(3);
    vi.advanceTimersByTime(2);
    expect(sent).toHaveLength(6);
    vi.advanceTimersByTime(100);
    expect(sent).toEqual([1, 2, 3, 4, 5, 6, 7]);
    subscriptions.close();
  });

  it('is silent once it is given up, alone or with all, and begins anew after another cursor', () => {
    const { state, sent, subscriptions } = follow();
    state.last = 1;
    subscriptions.add('a', 0);
    subscriptions.remove('a');
    subscriptions.add('b', 0);
    subscriptions.close();
    vi.advanceTimersByTime(1000);
    subscriptions.progressed('a');
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([]);
    subscriptions.add('a', 0);
    state.last = 9;
    subscriptions.add('a', 8);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([9]);
    subscriptions.remove('a'); // while it is at rest
    state.last = 10;
    subscriptions.progressed('a');
    expect(vi.getTimerCount()).toBe(0);
    subscriptions.close();
  });

  it('that can not be read is said once, and goes on by itself when it can', () => {
    const { state, sent, log, subscriptions } = follow();
    state.last = 1;
    state.isBroken = true;
    subscriptions.add('a', 0);
    vi.advanceTimersByTime(10_000);
    expect(log).toEqual(["a can't be read: no such disk"]);
    state.isBroken = false;
    vi.advanceTimersByTime(2000);
    expect(sent).toEqual([1]);
    state.isBroken = true;
    state.last = 2;
    subscriptions.progressed('a');
    vi.advanceTimersByTime(1000);
    expect(log).toHaveLength(2);
    subscriptions.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('whose end can not be read when its log was cut is sent whole', () => {
    const { state, sent, subscriptions } = follow();
    state.last = 3;
    subscriptions.add('a', 0);
    vi.advanceTimersByTime(1000);
    state.isBroken = true;
    subscriptions.cut('a');
    state.isBroken = false;
    subscriptions.progressed('a');
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([1, 2, 3, 1, 2, 3]);
    subscriptions.close();
  });
});
