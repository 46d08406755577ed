// Above an experiment with a matrix: how long its sweep will take and how much it will write, as the server knows it from runs before.
import * as vscode from 'vscode';
import { hasMatrix } from '../../server/protocol/sweep.ts';
import { machineOverrides } from '../commands/machineOverrides.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { estimateText } from './estimateText.ts';
import type { SweepStore } from './sweepStore.ts';

export class SweepLens implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly connection: Pick<ServerConnection, 'request' | 'state' | 'onDidChangeState'>;
  private readonly log: (line: string) => void;
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly subscriptions: readonly { dispose(): void }[];
  readonly onDidChangeCodeLenses = this.changeEmitter.event;

  constructor(
    connection: Pick<ServerConnection, 'request' | 'state' | 'onDidChangeState'>,
    sweeps: Pick<SweepStore, 'onDidChange'>,
    log: (line: string) => void,
  ) {
    this.connection = connection;
    this.log = log;
    const changed = (): void => {
      this.changeEmitter.fire();
    };
    this.subscriptions = [connection.onDidChangeState(changed), sweeps.onDidChange(changed)];
  }

  /** None where no server is at work, which is not started for this. */
  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const text = document.getText();
    if (!hasMatrix(text) || this.connection.state.status !== 'connected') return [];
    try {
      const file = document.uri.scheme === 'file' ? document.uri.fsPath : null;
      const asked = { text, file, overrides: { ...machineOverrides() } };
      const estimate = await this.connection.request('sweep/estimate', asked);
      if (!estimate) return [];
      const line = new vscode.Range(0, 0, 0, 0);
      return [new vscode.CodeLens(line, { title: estimateText(estimate), command: '' })];
    } catch (error) {
      this.log(`No estimate of a sweep: ${String(error)}`);
      return [];
    }
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changeEmitter.dispose();
  }
}
