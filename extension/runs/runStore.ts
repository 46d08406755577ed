// The runs as this window knows them: the server's list, kept fresh by its notifications. No history of a run, and no `vscode`.
import { Emitter } from 'vscode-jsonrpc/node';
import type { Disposable, Event } from 'vscode-jsonrpc/node';
import type { RunSummary } from '../../server/protocol/run.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';

export interface RunChange {
  readonly run: RunSummary;
  /** Null for a run that was not known before. */
  readonly before: RunSummary | null;
  readonly isDeleted: boolean;
}

type Connection = Pick<ServerConnection, 'request' | 'onRunChanged' | 'onDidChangeState'>;

export class RunStore implements Disposable {
  private readonly connection: Connection;
  private readonly dress: (run: RunSummary) => RunSummary;
  private readonly runsById = new Map<string, RunSummary>();
  private readonly changeEmitter = new Emitter<void>();
  private readonly runChangeEmitter = new Emitter<RunChange>();
  private readonly subscriptions: readonly Disposable[];

  /** @param dress puts over a run what this window alone knows of it */
  constructor(connection: Connection, log: (line: string) => void, dress = (run: RunSummary): RunSummary => run) {
    this.connection = connection;
    this.dress = dress;
    this.subscriptions = [
      connection.onRunChanged(({ run, isDeleted }) => {
        this.apply(run, { isDeleted });
      }),
      connection.onDidChangeState((state) => {
        if (state.status !== 'connected') return;
        this.refresh().catch((error: unknown) => {
          log(`No list of runs: ${String(error)}`);
        });
      }),
    ];
  }

  get runs(): readonly RunSummary[] {
    return [...this.runsById.values()];
  }

  get(runId: string): RunSummary | undefined {
    return this.runsById.get(runId);
  }

  /** Anything changed: the list, or a run in it. */
  readonly onDidChange: Event<void> = this.changeEmitter.event;
  readonly onDidChangeRun: Event<RunChange> = this.runChangeEmitter.event;

  /** Takes the server's list anew, so that what was missed while disconnected is made good. */
  async refresh(): Promise<void> {
    const { runs } = await this.connection.request('run/list', {});
    const known = new Set(runs.map((run) => run.id));
    for (const run of this.runs) if (!known.has(run.id)) this.apply(run, { isDeleted: true });
    // What another server said before, or this one before it was started anew, is older whatever its count.
    for (const run of runs) this.take(run, { isDeleted: false });
    this.changeEmitter.fire();
  }

  /** Takes a summary that an answer or a notification brought. An older one than we have changes nothing. */
  apply(run: RunSummary, { isDeleted }: { isDeleted: boolean }): void {
    const before = this.runsById.get(run.id);
    if (!isDeleted && before && before.revision > run.revision) return;
    this.take(run, { isDeleted });
  }

  private take(given: RunSummary, { isDeleted }: { isDeleted: boolean }): void {
    const run = this.dress(given);
    const before = this.runsById.get(run.id) ?? null;
    if (isDeleted) this.runsById.delete(run.id);
    else this.runsById.set(run.id, run);
    this.runChangeEmitter.fire({ run, before, isDeleted });
    this.changeEmitter.fire();
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
    this.runChangeEmitter.dispose();
  }
}
