// What the Monitor view is told: one whole state after each change, at most a few a second. Knows no `vscode`.
import type { Disposable } from 'vscode-jsonrpc/node';
import type { ToMonitor } from '../../server/protocol/panel.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { RunTails } from './monitorModel.ts';
import { extendTails, monitoredRun, monitoredRuns, tailsOf, Throughputs } from './monitorModel.ts';

export interface MonitorSessionOptions {
  readonly connection: Pick<ServerConnection, 'request' | 'subscribe' | 'state' | 'onDidChangeState'>;
  readonly store: Pick<RunStore, 'runs' | 'onDidChange' | 'onDidChangeRun'>;
  readonly post: (message: ToMonitor) => void;
  readonly log: (line: string) => void;
  /** Shortest pause between two states. */
  readonly intervalMs: number;
}

interface Followed {
  tails: RunTails | undefined;
  rows: Disposable | undefined;
}

export class MonitorSession implements Disposable {
  private readonly options: MonitorSessionOptions;
  private readonly listeners: readonly Disposable[];
  private readonly followed = new Map<string, Followed>();
  private readonly throughputs = new Throughputs();
  private timer: NodeJS.Timeout | null = null;
  private isShown = false;

  constructor(options: MonitorSessionOptions) {
    this.options = options;
    this.listeners = [
      options.connection.onDidChangeState(() => {
        this.update();
      }),
      options.store.onDidChange(() => {
        this.update();
      }),
      options.store.onDidChangeRun(({ run, before, isDeleted }) => {
        // The log of a run that goes on was cut back to its checkpoint, so its curves are taken anew.
        if (before && run.incarnation > before.incarnation) this.unfollow(run.id);
        if (isDeleted) this.throughputs.forget(run.id);
        else this.throughputs.note(run);
      }),
    ];
  }

  ready(): void {
    this.isShown = true;
    this.update();
    this.send();
  }

  hide(): void {
    this.isShown = false;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    for (const runId of [...this.followed.keys()]) this.unfollow(runId);
  }

  dispose(): void {
    this.hide();
    for (const listener of this.listeners) listener.dispose();
  }

  private update(): void {
    if (!this.isShown) return;
    const shown = monitoredRuns(this.options.store.runs);
    const ids = new Set(shown.map((run) => run.id));
    for (const runId of [...this.followed.keys()]) if (!ids.has(runId)) this.unfollow(runId);
    for (const run of shown) if (!this.followed.has(run.id)) void this.follow(run);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.send();
    }, this.options.intervalMs);
  }

  private send(): void {
    const { connection, store, post } = this.options;
    const runs = monitoredRuns(store.runs).map((run) =>
      monitoredRun(run, this.followed.get(run.id)?.tails, this.throughputs.of(run.id)),
    );
    post({ type: 'state', connection: connection.state, runs });
  }

  private async follow(run: RunSummary): Promise<void> {
    const { connection, log } = this.options;
    const followed: Followed = { tails: undefined, rows: undefined };
    this.followed.set(run.id, followed);
    try {
      const snapshot = await connection.request('run/snapshot', { runId: run.id });
      if (this.followed.get(run.id) !== followed) return;
      const tails = tailsOf(snapshot);
      followed.tails = tails;
      followed.rows = connection.subscribe(run.id, snapshot.cursor, (rows) => {
        extendTails(tails, rows);
        this.update();
      });
      this.update();
    } catch (error) {
      log(`No curves of run ${run.id}: ${String(error)}`);
      if (this.followed.get(run.id) === followed) this.followed.delete(run.id); // the next change tries again
    }
  }

  private unfollow(runId: string): void {
    this.followed.get(runId)?.rows?.dispose();
    this.followed.delete(runId);
  }
}
