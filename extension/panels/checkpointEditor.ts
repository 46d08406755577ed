// The read-only editor of `.safetensors` files: asks the server what is in the file, again when the file changes.
import path from 'node:path';
import * as vscode from 'vscode';
import type { FromCheckpoint, ToCheckpoint } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface CheckpointEditorOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: ServerConnection;
  readonly openRun: (runId: string) => void;
  readonly openAsExperiment: (name: string, text: string) => void;
}

export class CheckpointEditor implements vscode.CustomReadonlyEditorProvider {
  private readonly options: CheckpointEditorOptions;

  constructor(options: CheckpointEditorOptions) {
    this.options = options;
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { extensionUri, openRun, openAsExperiment } = this.options;
    const { webview } = panel;
    webview.options = webviewOptions(extensionUri);
    const post = (message: ToCheckpoint): void => {
      postEncoded(webview, message);
    };
    let latest: vscode.CancellationTokenSource | null = null;
    const load = async (): Promise<void> => {
      // Of a file that is written to again and again only the last reading is of use.
      latest?.cancel();
      const reading = new vscode.CancellationTokenSource();
      latest = reading;
      const message = await this.inspect(uri, reading.token);
      if (!reading.token.isCancellationRequested) post(message);
    };
    const folder = vscode.Uri.file(path.dirname(uri.fsPath));
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(folder, path.basename(uri.fsPath).replace(/[[\]{}*?]/g, '[$&]')),
    );
    const listeners = [
      watcher,
      watcher.onDidChange(load),
      watcher.onDidCreate(load),
      webview.onDidReceiveMessage((message: FromCheckpoint) => {
        switch (message.type) {
          case 'openRun':
            openRun(message.runId);
            return;
          case 'openAsExperiment':
            openAsExperiment(message.name, message.text);
            return;
          case 'ready':
          case 'reload':
            void load();
            return;
          default:
            message satisfies never;
        }
      }),
    ];
    panel.onDidDispose(() => {
      latest?.cancel();
      for (const listener of listeners) listener.dispose();
    });
    showPage(webview, 'checkpoint', path.basename(uri.fsPath), extensionUri);
  }

  private async inspect(uri: vscode.Uri, token: vscode.CancellationToken): Promise<ToCheckpoint> {
    if (uri.scheme !== 'file') {
      return { type: 'failed', message: `Kafscope inspects files on disk, not ones from "${uri.scheme}:".` };
    }
    try {
      const contents = await this.options.connection.request('checkpoint/inspect', { file: uri.fsPath }, token);
      return { type: 'contents', contents };
    } catch (error) {
      return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }
}
