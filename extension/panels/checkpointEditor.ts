// The read-only editor of `.safetensors` files: asks the server what is in the file, again when the file changes.
import path from 'node:path';
import * as vscode from 'vscode';
import type { FromCheckpoint } from '../../server/protocol/panel.ts';
import { askForFile } from '../commands/inspectCheckpoint.ts';
import { CheckpointSession, type CheckpointSessionOptions } from './checkpointSession.ts';
import { handOver } from './fileIntents.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface CheckpointEditorOptions extends Pick<CheckpointSessionOptions, 'connection' | 'store'> {
  readonly extensionUri: vscode.Uri;
  readonly openRun: (runId: string) => void;
  /** From a checkpoint of a run, by the name of its file. */
  readonly evaluate: (runId: string, file: string) => void;
  readonly fork: (runId: string, file: string) => void;
  readonly resume: (runId: string) => void;
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
    const { extensionUri, store, openRun, openAsExperiment, evaluate, fork, resume, connection } = this.options;
    const { webview } = panel;
    webview.options = webviewOptions(extensionUri);
    const session = new CheckpointSession({
      ...{ uri, store, connection },
      post: (message) => {
        postEncoded(webview, message);
      },
    });
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(
        vscode.Uri.file(path.dirname(uri.fsPath)),
        path.basename(uri.fsPath).replace(/[[\]{}*?]/g, '[$&]'),
      ),
    );
    const changed = (): void => {
      session.load();
    };
    const listeners = [
      session,
      watcher,
      watcher.onDidChange(changed),
      watcher.onDidCreate(changed),
      webview.onDidReceiveMessage((message: FromCheckpoint) => {
        switch (message.type) {
          case 'openRun':
            openRun(message.runId);
            return;
          case 'evaluate':
            evaluate(message.runId, path.basename(message.file));
            return;
          case 'fork':
            fork(message.runId, path.basename(message.file));
            return;
          case 'resume':
            resume(message.runId);
            return;
          case 'openAsExperiment':
            openAsExperiment(message.name, message.text);
            return;
          case 'copy':
          case 'saveFile':
            void handOver(message);
            return;
          case 'show':
            session.show(message.file);
            return;
          case 'compare':
            session.compareWith(message.file);
            return;
          case 'compareWithFile':
            void askForFile('Compare With', 'Compare').then((chosen) => {
              if (chosen) session.compare(chosen);
            });
            return;
          case 'askKernel':
            session.readKernel(message);
            return;
          case 'ready':
          case 'reload':
            session.ready();
            return;
          default:
            message satisfies never;
        }
      }),
    ];
    panel.onDidDispose(() => {
      for (const listener of listeners) listener.dispose();
    });
    showPage(webview, 'checkpoint', path.basename(uri.fsPath), extensionUri);
  }
}
