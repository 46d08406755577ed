// The sweeps as this window knows them: the server's list, asked for again where runs changed. No `vscode`.
import { Emitter } from 'vscode-jsonrpc/node';
import type { Disposable, Event } from 'vscode-jsonrpc/node';
import { countCells, type SweepSummary } from '../../server/protocol/sweep.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';

type Connection = Pick<ServerConnection, 'request' | 'onRunChanged' | 'onDidChangeState'>;

/** A cluster's scheduler is asked no more often by the server; its answers come with the next list. */
const schedulerMs = 20_000;

/** Runs change ten times a second; how many of a sweep are done does not. */
const pauseMs = 2000;

export class SweepStore implements Disposable {
  private readonly connection: Connection;
  private readonly log: (line: string) => void;
  private readonly changeEmitter = new Emitter<void>();
  private readonly subscriptions: readonly Disposable[];
  private timer: { readonly handle: NodeJS.Timeout; readonly ms: number } | null = null;
  private known: readonly SweepSummary[] = [];

  constructor(connection: Connection, log: (line: string) => void) {
    this.connection = connection;
    this.log = log;
    this.subscriptions = [
      connection.onRunChanged(() => {
        this.refreshSoon();
      }),
      connection.onDidChangeState(({ status }) => {
        if (status === 'connected') void this.refresh();
      }),
    ];
  }

  readonly onDidChange: Event<void> = this.changeEmitter.event;

  get sweeps(): readonly SweepSummary[] {
    return this.known;
  }

  get(id: string): SweepSummary | undefined {
    return this.known.find((sweep) => sweep.id === id);
  }

  /** Whether a run is of a sweep; a sweep at work may have got it since its list was asked for. */
  async hasRun(runId: string): Promise<boolean> {
    const has = () => this.known.some(({ cells }) => cells.some((cell) => cell.runId === runId));
    if (!has() && this.known.some(({ status }) => status !== 'resting')) await this.refresh();
    return has();
  }

  /** Takes a summary that an answer brought. */
  apply(sweep: SweepSummary): void {
    this.known = [...this.known.filter(({ id }) => id !== sweep.id), sweep];
    this.changeEmitter.fire();
  }

  async refresh(): Promise<void> {
    try {
      const { sweeps } = await this.connection.request('sweep/list', {});
      // A tree that is drawn anew under the pointer may lose a click.
      const isAsBefore = JSON.stringify(sweeps) === JSON.stringify(this.known);
      this.known = sweeps;
      if (!isAsBefore) this.changeEmitter.fire();
    } catch (error) {
      this.log(`No list of sweeps: ${String(error)}`);
    }
    if (this.known.some(waitsForScheduler)) this.refreshSoon(schedulerMs);
  }

  private refreshSoon(ms = pauseMs): void {
    if (this.timer && ms >= this.timer.ms) return;
    if (this.timer) clearTimeout(this.timer.handle);
    const handle = setTimeout(() => {
      this.timer = null;
      void this.refresh();
    }, ms);
    this.timer = { handle, ms };
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer.handle);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
  }
}

/** Given to a cluster, with cells that are not at their end: what becomes of them no run tells. */
function waitsForScheduler({ scheduler, cells }: SweepSummary): boolean {
  const { working, left } = countCells(cells);
  return scheduler !== undefined && working + left > 0;
}
