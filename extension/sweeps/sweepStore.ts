// The sweeps as this window knows them: the server's list, asked for again where runs changed. No `vscode`.
import { Emitter } from 'vscode-jsonrpc/node';
import type { Disposable, Event } from 'vscode-jsonrpc/node';
import type { SweepSummary } from '../../server/protocol/sweep.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';

type Connection = Pick<ServerConnection, 'request' | 'onRunChanged' | 'onDidChangeState'>;

/** Runs change ten times a second; how many of a sweep are done does not. */
const pauseMs = 2000;

export class SweepStore implements Disposable {
  private readonly connection: Connection;
  private readonly log: (line: string) => void;
  private readonly changeEmitter = new Emitter<void>();
  private readonly subscriptions: readonly Disposable[];
  private timer: NodeJS.Timeout | null = null;
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
  }

  private refreshSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.refresh();
    }, pauseMs);
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
  }
}
