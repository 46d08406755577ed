// What the page that compares runs is told: the set once it says ready, then what changes of it, and the series that it asks for. Knows no
// `vscode`.
import type { Disposable } from 'vscode-jsonrpc/node';
import type { OutcomesIntent, SeriesIntent, ToCompare } from '../../server/protocol/panel.ts';
import { countCells, type SweepSummary } from '../../server/protocol/sweep.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { answerOutcomes } from './answerOutcomes.ts';
import { answerSeries } from './answerSeries.ts';
import type { ComparedSet } from './comparedSets.ts';

export interface CompareSessionOptions {
  readonly set: ComparedSet;
  readonly connection: Pick<ServerConnection, 'request' | 'state' | 'onDidChangeState' | 'onSeriesProgressed'>;
  readonly store: Pick<RunStore, 'onDidChangeRun'>;
  /** How the set was looked at last, or else another of this workspace. */
  readonly keptView: () => { readonly view: unknown; readonly isOwnView: boolean };
  readonly post: (message: ToCompare) => void;
}

export class CompareSession implements Disposable {
  private readonly options: CompareSessionOptions;
  private readonly listeners: readonly Disposable[];
  private isShown = false;
  private hasRuns = false;
  /** What the page has been told of the sweep, and of which of its runs. */
  private told = { sweep: '', runs: '' };
  private disk = { bytes: null as number | null, of: '' };

  constructor(options: CompareSessionOptions) {
    this.options = options;
    const { connection, store, set, post } = options;
    this.listeners = [
      connection.onDidChangeState((state) => {
        if (!this.isShown) return;
        post({ type: 'connection', connection: state });
        if (state.status === 'connected' && !this.hasRuns) void this.load();
      }),
      connection.onSeriesProgressed((progress) => {
        if (this.isShown && set.runIds().includes(progress.runId)) post({ type: 'reading', ...progress });
      }),
      store.onDidChangeRun(({ run, isDeleted }) => {
        if (this.isShown && set.runIds().includes(run.id)) post({ type: 'run', run, isDeleted });
      }),
      ...(set.sweep ? [set.sweep.onDidChange(() => this.followSweep())] : []),
    ];
  }

  async ready(): Promise<void> {
    this.isShown = true;
    this.told = { sweep: '', runs: '' };
    this.options.post({ type: 'connection', connection: this.options.connection.state });
    await this.load();
  }

  answerSeries(intent: SeriesIntent): Promise<void> {
    return answerSeries(this.options.connection, intent, this.options.post);
  }

  answerOutcomes(intent: OutcomesIntent): Promise<void> {
    return answerOutcomes(this.options.connection, intent, this.options.post);
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

  private async load(): Promise<void> {
    const { set, keptView, post } = this.options;
    try {
      const runs = await set.load();
      this.hasRuns = true;
      this.tellSweep();
      this.told.runs = set.runIds().join();
      post({ type: 'runs', runs, ...keptView() });
    } catch (error) {
      post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  private followSweep(): void {
    if (!this.isShown || !this.hasRuns) return;
    this.tellSweep();
    if (this.options.set.runIds().join() !== this.told.runs) void this.load();
  }

  private tellSweep(): void {
    const sweep = this.options.set.sweep?.get();
    if (!sweep) return;
    void this.countBytes(sweep);
    const text = JSON.stringify([sweep, this.disk.bytes]);
    if (text === this.told.sweep) return;
    this.told.sweep = text;
    this.options.post({ type: 'sweep', sweep, bytes: this.disk.bytes });
  }

  /** Anew when a cell has come to its end: every file of every run is looked at. Where it fails, the page says nothing of the disk. */
  private async countBytes({ cells }: SweepSummary): Promise<void> {
    const { finished, failed } = countCells(cells);
    const of = `${finished} ${failed}`;
    if (of === this.disk.of) return;
    this.disk = { bytes: this.disk.bytes, of };
    const bytes = await this.options.set.sweep?.countBytes().catch(() => null);
    this.disk = { bytes: bytes ?? null, of };
    if (this.isShown && this.hasRuns) this.tellSweep();
  }
}
