// How often a run's changes are said.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunStatus, RunSummary } from '../../server/protocol/run.ts';
import { Announcer } from '../../server/run/announcer.ts';

const at = (step: number, status: RunStatus = 'training') => ({ step, status }) as RunSummary;

function announcing() {
  const said: number[] = [];
  const announcer = new Announcer(({ step }) => said.push(step));
  return { announcer, said };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('changes of a run', () => {
  it('are said at once up to ten a second; then the latest, when a second after the tenth last is over', () => {
    const { announcer, said } = announcing();
    for (let step = 1; step <= 10; step++) {
      announcer.announce(at(step));
      vi.advanceTimersByTime(10);
    }
    expect(said).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const step of [11, 12, 13]) announcer.announce(at(step));
    vi.advanceTimersByTime(899);
    expect(said).toHaveLength(10);
    vi.advanceTimersByTime(1);
    expect(said.slice(10)).toEqual([13]);
    // The second was said 10 ms after the first, so there is room for one more 10 ms later.
    announcer.announce(at(14));
    expect(said).toHaveLength(11);
    vi.advanceTimersByTime(10);
    expect(said.slice(10)).toEqual([13, 14]);
  });

  it('wait no longer than there is reason to: exactly a second after the tenth last one is said at once', () => {
    const { announcer, said } = announcing();
    for (let step = 1; step <= 10; step++) announcer.announce(at(step));
    vi.advanceTimersByTime(1000);
    announcer.announce(at(11));
    expect(said.at(-1)).toBe(11);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of status never wait, and take the place of what waits', () => {
    const { announcer, said } = announcing();
    for (let step = 1; step <= 11; step++) announcer.announce(at(step));
    announcer.announce(at(11, 'evaluating'));
    expect(said.at(-1)).toBe(11);
    expect(said).toHaveLength(11);
    expect(vi.getTimerCount()).toBe(0); // nor does one hold up a process that ends
    vi.advanceTimersByTime(5000);
    expect(said).toHaveLength(11);
  });
});
