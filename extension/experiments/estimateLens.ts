// Above an experiment: how long its runs will take, how much they will write and how much memory they need, as the server knows it from its
// plan and from runs before.
import * as vscode from 'vscode';
import type { RunStore } from '../runs/runStore.ts';
import type { SweepStore } from '../sweeps/sweepStore.ts';
import { machineOverrides } from '../commands/machineOverrides.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { estimateText } from './estimateText.ts';

export class EstimateLens implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly connection: Pick<ServerConnection, 'request' | 'state' | 'onDidChangeState'>;
  private readonly log: (line: string) => void;
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly subscriptions: readonly { dispose(): void }[];
  readonly onDidChangeCodeLenses = this.changeEmitter.event;

  constructor(
    connection: Pick<ServerConnection, 'request' | 'state' | 'onDidChangeState'>,
    sweeps: Pick<SweepStore, 'onDidChange'>,
    store: Pick<RunStore, 'runs' | 'onDidChange'>,
    log: (line: string) => void,
  ) {
    this.connection = connection;
    this.log = log;
    const changed = (): void => {
      this.changeEmitter.fire();
    };
    // Runs change ten times a second; what one took is known at its end.
    const countFinished = () => store.runs.filter(({ status }) => status === 'finished').length;
    let nFinished = countFinished();
    const runsChanged = (): void => {
      const before = nFinished;
      nFinished = countFinished();
      if (nFinished !== before) changed();
    };
    this.subscriptions = [
      connection.onDidChangeState(changed),
      sweeps.onDidChange(changed),
      store.onDidChange(runsChanged),
    ];
  }

  /** None where no server is at work, which is not started for this. */
  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    if (this.connection.state.status !== 'connected') return [];
    try {
      const file = document.uri.scheme === 'file' ? document.uri.fsPath : null;
      const asked = { text: document.getText(), file, overrides: { ...machineOverrides() } };
      const estimate = await this.connection.request('experiment/estimate', asked);
      if (!estimate) return [];
      const line = new vscode.Range(0, 0, 0, 0);
      return [new vscode.CodeLens(line, { title: estimateText(estimate), command: '' })];
    } catch (error) {
      this.log(`No estimate of an experiment: ${String(error)}`);
      return [];
    }
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
  }
}
