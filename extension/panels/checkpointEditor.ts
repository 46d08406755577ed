// The read-only editor of `.safetensors` files: asks the server what is in the file, again when the file changes.
import path from 'node:path';
import * as vscode from 'vscode';
import type { CheckpointPlace, FromCheckpoint, ToCheckpoint } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { canDo } from '../runs/runActions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface CheckpointEditorOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: ServerConnection;
  readonly store: Pick<RunStore, 'runs' | 'onDidChange'>;
  readonly openRun: (runId: string) => void;
  /** From a checkpoint of a run, by the name of its file. */
  readonly evaluate: (runId: string, file: string) => void;
  readonly fork: (runId: string, file: string) => void;
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
    const { extensionUri, store, openRun, openAsExperiment, evaluate, fork } = this.options;
    const { webview } = panel;
    webview.options = webviewOptions(extensionUri);
    const post = (message: ToCheckpoint): void => {
      postEncoded(webview, message);
    };
    /** The file that is looked at: that of the editor, or another of its run. */
    let shown = uri;
    let placeSaid = '';
    const tellPlace = (): void => {
      const place = placeOf(uri, store);
      const text = JSON.stringify(place);
      if (text !== placeSaid) post({ type: 'place', place });
      placeSaid = text;
    };
    let latest: vscode.CancellationTokenSource | null = null;
    const load = async (): Promise<void> => {
      // Of a file that is written to again and again only the last reading is of use.
      latest?.cancel();
      const reading = new vscode.CancellationTokenSource();
      latest = reading;
      const message = await this.inspect(shown, reading.token);
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
      store.onDidChange(tellPlace),
      webview.onDidReceiveMessage((message: FromCheckpoint) => {
        switch (message.type) {
          case 'openRun':
            openRun(message.runId);
            return;
          case 'show':
            // A file's name, never a path: what a page says leads nowhere else.
            shown = vscode.Uri.file(path.join(folder.fsPath, path.basename(message.file)));
            void load();
            return;
          case 'evaluate':
            evaluate(message.runId, path.basename(message.file));
            return;
          case 'fork':
            fork(message.runId, path.basename(message.file));
            return;
          case 'openAsExperiment':
            openAsExperiment(message.name, message.text);
            return;
          case 'ready':
          case 'reload':
            placeSaid = '';
            tellPlace();
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

function placeOf(uri: vscode.Uri, { runs }: Pick<RunStore, 'runs'>): CheckpointPlace | null {
  if (uri.scheme !== 'file') return null;
  const [folder, name] = [path.dirname(uri.fsPath), path.basename(uri.fsPath)];
  const run = runs.find((one) => path.join(one.folder, 'checkpoints') === folder);
  if (!run?.checkpoints.some(({ file }) => file === name)) return null;
  const checkpoints = [...run.checkpoints].sort((a, b) => a.step - b.step);
  return { runId: run.id, checkpoints, canEvaluate: canDo('evaluate', run) };
}
