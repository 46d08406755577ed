// The Monitor view of the activity bar. What it is told is in monitorSession.ts; how it looks is in webview/monitor.
import type * as vscode from 'vscode';
import { isLive } from '../../server/protocol/run.ts';
import type { FromMonitor } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { MonitorSession } from './monitorSession.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface MonitorViewOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly log: (line: string) => void;
  readonly onIntent: (intent: Exclude<FromMonitor, { type: 'ready' }>) => void;
}

const intervalMs = 200;

export class MonitorView implements vscode.WebviewViewProvider {
  private readonly options: MonitorViewOptions;

  constructor(options: MonitorViewOptions) {
    this.options = options;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const { extensionUri, connection, store, log, onIntent } = this.options;
    const { webview } = view;
    webview.options = webviewOptions(extensionUri);
    const session = new MonitorSession({
      connection,
      store,
      log,
      intervalMs,
      post: (message) => {
        postEncoded(webview, message);
      },
    });
    const showBadge = (): void => {
      const live = store.runs.filter((run) => isLive(run.status)).length;
      view.badge =
        live === 0 ? undefined : { value: live, tooltip: live === 1 ? '1 run is live' : `${live} runs are live` };
    };
    const listeners = [
      session,
      store.onDidChange(showBadge),
      webview.onDidReceiveMessage((message: FromMonitor) => {
        if (message.type === 'ready') session.ready();
        else onIntent(message);
      }),
      view.onDidChangeVisibility(() => {
        if (!view.visible) session.hide();
      }),
    ];
    view.onDidDispose(() => {
      for (const listener of listeners) listener.dispose();
    });
    showBadge();
    showPage(webview, 'monitor', 'Monitor', extensionUri);
  }
}
