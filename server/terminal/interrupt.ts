// Ctrl+C in a terminal, and the signals of those who end processes: the first asks for an orderly end, the second ends at once.
import { wantingMore } from '../run/processSignals.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** In which one Ctrl+C may arrive twice; on a busy machine the parent's copy is late. */
const onePressMs = 1000;

/** Returns what gives the signals back. */
export function onInterrupt(terminal: Terminal, end: () => void): () => void {
  let askedMs: number | null = null;
  const handle = () => {
    const now = performance.now();
    if (askedMs !== null) {
      // One Ctrl+C may arrive twice: from the terminal, and passed on by a parent process.
      if (now - askedMs > onePressMs) process.exit(exitCodes.interrupted);
      return;
    }
    askedMs = now;
    terminal.error('Ending after the current step; press Ctrl+C again to end at once.');
    end();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', wantingMore] as const;
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
