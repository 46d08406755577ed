// Panels that show an experiment's data set: one a file, read when it is opened and when somebody asks again.
import path from 'node:path';
import * as vscode from 'vscode';
import type { LookProgress } from '../../server/protocol/datasetLook.ts';
import { requestErrorCodes } from '../../server/protocol/errors.ts';
import type { FromDataset, ToDataset } from '../../server/protocol/panel.ts';
import { experimentDocument } from '../commands/experimentSource.ts';
import { issueSentence } from '../commands/issueSentence.ts';
import { RequestFailure } from '../connection/requestFailure.ts';
import { handOver } from './fileIntents.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { datasetViewType } from '../contributions.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface DatasetPanelsOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: Pick<ServerConnection, 'request' | 'onDatasetProgressed'>;
}

interface Shown {
  readonly panel: vscode.WebviewPanel;
  load(): void;
}

export class DatasetPanels implements vscode.Disposable {
  private readonly options: DatasetPanelsOptions;
  private readonly shown = new Map<string, Shown>();
  private nLooks = 0;

  constructor(options: DatasetPanelsOptions) {
    this.options = options;
  }

  /** @param argument a file, its address as text, or nothing for the active editor */
  async show(argument: unknown): Promise<void> {
    const document = await experimentDocument(argument, 'Show the data set of which experiment?');
    if (!document) return;
    const known = this.shown.get(document.uri.toString());
    if (!known) {
      this.open(document.uri);
      return;
    }
    known.panel.reveal();
    known.load();
  }

  dispose(): void {
    for (const { panel } of this.shown.values()) panel.dispose();
  }

  private open(uri: vscode.Uri): void {
    const { extensionUri } = this.options;
    const key = uri.toString();
    const title = `Data of ${path.posix.basename(uri.path)}`;
    const panel = vscode.window.createWebviewPanel(datasetViewType, title, vscode.ViewColumn.Active, {
      ...webviewOptions(extensionUri),
      enableFindWidget: true,
    });
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'extension', 'icons', 'dashboard.svg');
    // A page that was hidden is a new one, which is told again.
    let latest: ToDataset = { type: 'progress', progress: null };
    let reading: vscode.CancellationTokenSource | null = null;
    const post = (message: ToDataset): void => {
      latest = message;
      postEncoded(panel.webview, message);
    };
    const load = (): void => {
      reading?.cancel();
      const mine = new vscode.CancellationTokenSource();
      reading = mine;
      const tell = (message: ToDataset): void => {
        if (reading === mine) post(message);
      };
      tell({ type: 'progress', progress: null });
      void this.look(uri, mine.token, tell);
    };
    panel.webview.onDidReceiveMessage((message: FromDataset) => {
      if (message.type === 'cancel') reading?.cancel();
      else if (message.type === 'reload') load();
      else if (message.type === 'copy' || message.type === 'saveFile') void handOver(message);
      else postEncoded(panel.webview, latest);
    });
    panel.onDidDispose(() => {
      reading?.cancel();
      reading = null;
      this.shown.delete(key);
    });
    this.shown.set(key, { panel, load });
    load();
    showPage(panel.webview, 'dataset', title, extensionUri);
  }

  private async look(
    uri: vscode.Uri,
    token: vscode.CancellationToken,
    tell: (message: ToDataset) => void,
  ): Promise<void> {
    const { connection } = this.options;
    const lookId = `${process.pid}-${++this.nLooks}`;
    const listener = connection.onDatasetProgressed((progress: LookProgress) => {
      if (progress.lookId === lookId) tell({ type: 'progress', progress });
    });
    const file = uri.scheme === 'file' ? uri.fsPath : null;
    const isRestricted = !vscode.workspace.isTrusted;
    try {
      // As it stands in the editor by now.
      const text = (await vscode.workspace.openTextDocument(uri)).getText();
      const params = { text, file, lookId, isRestricted };
      tell({ type: 'look', look: await connection.request('dataset/look', params, token) });
    } catch (error) {
      tell(token.isCancellationRequested ? { type: 'cancelled' } : { type: 'failed', message: sentenceOf(error) });
    } finally {
      listener.dispose();
    }
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof RequestFailure && error.code === requestErrorCodes.badExperiment && error.issues[0]) {
    return issueSentence(error.issues[0]);
  }
  return error instanceof Error ? error.message : String(error);
}
