// What the page that compares runs is told: the set once it says ready, then what changes of it, and the series that it asks for. Knows no
// `vscode`.
import type { Disposable } from 'vscode-jsonrpc/node';
import type { SeriesIntent, ToCompare } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { answerSeries } from './answerSeries.ts';

export interface CompareSessionOptions {
  readonly runIds: readonly string[];
  readonly connection: Pick<ServerConnection, 'request' | 'state' | 'onDidChangeState' | 'onSeriesProgressed'>;
  readonly store: Pick<RunStore, 'get' | 'refresh' | 'onDidChangeRun'>;
  /** How the sets of this workspace were looked at last. */
  readonly keptView: () => unknown;
  readonly post: (message: ToCompare) => void;
}

export class CompareSession implements Disposable {
  private readonly options: CompareSessionOptions;
  private readonly listeners: readonly Disposable[];
  private isShown = false;
  private hasRuns = false;

  constructor(options: CompareSessionOptions) {
    this.options = options;
    const { connection, store, runIds, post } = options;
    this.listeners = [
      connection.onDidChangeState((state) => {
        if (!this.isShown) return;
        post({ type: 'connection', connection: state });
        if (state.status === 'connected' && !this.hasRuns) void this.load();
      }),
      connection.onSeriesProgressed((progress) => {
        if (this.isShown && runIds.includes(progress.runId)) post({ type: 'reading', ...progress });
      }),
      store.onDidChangeRun(({ run, isDeleted }) => {
        if (this.isShown && runIds.includes(run.id)) post({ type: 'run', run, isDeleted });
      }),
    ];
  }

  async ready(): Promise<void> {
    this.isShown = true;
    this.options.post({ type: 'connection', connection: this.options.connection.state });
    await this.load();
  }

  answerSeries(intent: SeriesIntent): Promise<void> {
    return answerSeries(this.options.connection, intent, this.options.post);
  }

  /** The page is gone until it says ready again. */
  hide(): void {
    this.isShown = false;
    this.hasRuns = false;
  }

  dispose(): void {
    this.hide();
    for (const listener of this.listeners) listener.dispose();
  }

  /** Runs that are gone by now are left out. */
  private async load(): Promise<void> {
    const { connection, store, runIds, keptView, post } = this.options;
    try {
      // After a reload of the window the page may be there before the list.
      if (runIds.some((runId) => !store.get(runId))) await store.refresh();
      const runs = runIds.flatMap((runId) => store.get(runId) ?? []);
      if (runs.length === 0) throw new Error('None of these runs is there any more.');
      const { settings } = await connection.request('run/settings', { runIds: runs.map(({ id }) => id) });
      this.hasRuns = true;
      post({
        type: 'runs',
        runs: runs.map((run, index) => ({ run, settings: settings[index] ?? null })),
        view: keptView(),
      });
    } catch (error) {
      post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
}
