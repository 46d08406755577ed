// The two signals that are left to programs. Schedulers of clusters send them to whole jobs, and anyone of the same user may.

/** Checkpoint and end, wanting more: ends a run as SIGTERM does, so that it can be resumed. */
export const wantingMore = 'SIGUSR2';

/** At SIGUSR1 Node opens its debugger, which runs whatever it is told; a listener takes its place. Call it first. */
export function ignoreDebuggerSignal(): void {
  process.on('SIGUSR1', () => {});
}
