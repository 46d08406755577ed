import { describe, expect, it, vi } from 'vitest';
import { onInterrupt } from '../../server/terminal/interrupt.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';

describe('a command that is told to end', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const)('by %s ends in order, once', (signal) => {
    const before = process.listenerCount(signal);
    const end = vi.fn();
    const error = vi.fn();
    const giveBack = onInterrupt({ error } as unknown as Terminal, end);
    process.emit(signal, signal);
    process.emit(signal, signal); // the same press, passed on by the parent
    giveBack();
    expect(end).toHaveBeenCalledOnce();
    expect(error).toHaveBeenCalledOnce();
    expect(process.listenerCount(signal)).toBe(before);
  });
});
