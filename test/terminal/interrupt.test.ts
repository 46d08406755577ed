import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { onInterrupt } from '../../server/terminal/interrupt.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';

/** Signals come to this process at the times that the test says. */
function told(signal: NodeJS.Signals) {
  let nowMs = 5000;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const [end, error] = [vi.fn(), vi.fn()];
  const giveBack = onInterrupt({ error } as unknown as Terminal, end);
  const after = (ms: number) => {
    nowMs += ms;
    process.emit(signal, signal);
  };
  return { after, giveBack, end, error, exit };
}

describe('a command that is told to end', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const)('by %s ends in order, once', (signal) => {
    const before = process.listenerCount(signal);
    const { after, giveBack, end, error, exit } = told(signal);
    after(0);
    after(1000); // the same press, passed on late by a parent on a busy machine
    giveBack();
    expect(end).toHaveBeenCalledOnce();
    expect(error).toHaveBeenCalledOnce();
    expect(exit).not.toHaveBeenCalled();
    expect(process.listenerCount(signal)).toBe(before);
  });

  it('a second time ends at once', () => {
    const { after, giveBack, end, exit } = told('SIGINT');
    after(0);
    after(1001);
    giveBack();
    expect(end).toHaveBeenCalledOnce();
    expect(exit).toHaveBeenCalledWith(130);
  });
});
