// The two signals that are left to programs. Schedulers of clusters send them to whole jobs, and anyone of the same user may.

/** Checkpoint and end, wanting more: ends a run as SIGTERM does, so that it can be resumed. */
export const wantingMore = 'SIGUSR2';

/** For the Node of a process that is started: keeps the debugger shut while its code loads, where this Node knows how to. */
export const noDebugger = process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : [];

/** At SIGUSR1 Node opens its debugger, which runs whatever it is told; a listener takes its place. Call it first. */
export function ignoreDebuggerSignal(): void {
  process.on('SIGUSR1', () => {});
}
