// What one dashboard is told about its run: a whole snapshot whenever its page says ready, then what changes. Holds no history
// itself: the page may vanish at any moment and is rebuilt from the server. Knows no `vscode`.
import type { Disposable } from 'vscode-jsonrpc/node';
import type { AttackedImagesIntent, SeriesIntent, ToDashboard } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { answerSeries } from './answerSeries.ts';
import type { RunChange, RunStore } from '../runs/runStore.ts';

export interface DashboardSessionOptions {
  readonly runId: string;
  readonly connection: Pick<
    ServerConnection,
    'request' | 'subscribe' | 'state' | 'onDidChangeState' | 'onSeriesProgressed'
  >;
  readonly store: Pick<RunStore, 'onDidChangeRun'>;
  readonly post: (message: ToDashboard) => void;
}

export class DashboardSession implements Disposable {
  private readonly options: DashboardSessionOptions;
  private readonly listeners: readonly Disposable[];
  private rows: Disposable | null = null;
  /** Counts the pages and reloads; an answer for an earlier one is dropped. */
  private generation = 0;
  private isShown = false;
  private hasSnapshot = false;

  constructor(options: DashboardSessionOptions) {
    this.options = options;
    this.listeners = [
      options.connection.onDidChangeState((connection) => {
        if (!this.isShown) return;
        options.post({ type: 'connection', connection });
        if (connection.status === 'connected' && !this.hasSnapshot) void this.load();
      }),
      options.connection.onSeriesProgressed((progress) => {
        if (this.isShown && progress.runId === options.runId) options.post({ type: 'reading', ...progress });
      }),
      options.store.onDidChangeRun((change) => {
        if (change.run.id === options.runId) this.onRunChange(change);
      }),
    ];
  }

  /** The page is there and knows nothing. */
  async ready(): Promise<void> {
    this.isShown = true;
    this.options.post({ type: 'connection', connection: this.options.connection.state });
    await this.load();
  }

  /** Images of an evaluation, or why there are none. */
  async showImages({ runId, evaluation, step, first, count }: AttackedImagesIntent): Promise<void> {
    const { connection, post } = this.options;
    try {
      const images = await connection.request('evaluation/images', { runId, evaluation, step, first, count });
      post({ type: 'attackedImages', evaluation, images });
    } catch (error) {
      post({ type: 'noAttackedImages', evaluation, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** What a chart shows, or why there is nothing to show. */
  answerSeries(intent: SeriesIntent): Promise<void> {
    return answerSeries(this.options.connection, intent, this.options.post);
  }

  /** The page is gone until it says ready again. */
  hide(): void {
    this.isShown = false;
    this.forget();
  }

  dispose(): void {
    this.hide();
    for (const listener of this.listeners) listener.dispose();
  }

  private async load(): Promise<void> {
    this.forget();
    const { connection, runId, post } = this.options;
    const generation = this.generation;
    try {
      const snapshot = await connection.request('run/snapshot', { runId });
      if (generation !== this.generation) return;
      this.hasSnapshot = true;
      post({ type: 'snapshot', snapshot });
      this.rows = connection.subscribe(runId, snapshot.cursor, (rows) => {
        post({ type: 'rows', runId, rows });
      });
    } catch (error) {
      if (generation !== this.generation) return;
      post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  private forget(): void {
    this.generation++;
    this.hasSnapshot = false;
    this.rows?.dispose();
    this.rows = null;
  }

  private onRunChange({ run, before, isDeleted }: RunChange): void {
    if (isDeleted) {
      this.forget();
      if (this.isShown) this.options.post({ type: 'runGone', runId: run.id });
      return;
    }
    if (!this.isShown) return;
    this.options.post({ type: 'run', run });
    // A run that goes on from a checkpoint begins anew there: rows may come again under positions already seen.
    if (before && run.incarnation > before.incarnation) void this.load();
  }
}
