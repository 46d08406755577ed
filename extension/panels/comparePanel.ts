// Panels that compare a set of runs: one a set, brought back after a reload of the window. What a page is told is in compareSession.ts.
import * as vscode from 'vscode';
import type { FromCompare, ToCompare } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { compareViewType } from '../contributions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { handOver } from './fileIntents.ts';
import { CompareSession } from './compareSession.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface ComparePanelsOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly openDashboard: (runId: string) => void;
  readonly workspaceState: vscode.Memento;
}

const viewKey = 'compare.view';

export class ComparePanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly options: ComparePanelsOptions;
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(options: ComparePanelsOptions) {
    this.options = options;
  }

  open(runIds: readonly string[]): void {
    const panel = this.panels.get(keyOf(runIds));
    if (panel) panel.reveal();
    else {
      const { extensionUri } = this.options;
      const made = vscode.window.createWebviewPanel(compareViewType, 'Compare', vscode.ViewColumn.Active, {
        ...webviewOptions(extensionUri),
        enableFindWidget: true,
      });
      this.fill(made, runIds);
    }
  }

  /** @param state what the page saved: `{runIds}` */
  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const runIds = runIdsIn(state);
    if (runIds.length === 0 || this.panels.has(keyOf(runIds))) panel.dispose();
    else this.fill(panel, runIds);
    return Promise.resolve();
  }

  dispose(): void {
    for (const panel of this.panels.values()) panel.dispose();
  }

  private fill(panel: vscode.WebviewPanel, runIds: readonly string[]): void {
    const { extensionUri, connection, store, openDashboard, workspaceState } = this.options;
    const { webview } = panel;
    const key = keyOf(runIds);
    this.panels.set(key, panel);
    webview.options = webviewOptions(extensionUri);
    panel.title = `Compare ${runIds.length} runs`;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'extension', 'icons', 'dashboard.svg');
    const session = new CompareSession({
      ...{ runIds, connection, store },
      keptView: () => workspaceState.get(viewKey) ?? null,
      post: (message: ToCompare) => {
        postEncoded(webview, message);
      },
    });
    const listeners = [
      session,
      webview.onDidReceiveMessage((message: FromCompare) => {
        switch (message.type) {
          case 'ready':
            void session.ready();
            return;
          case 'askSeries':
            void session.answerSeries(message);
            return;
          case 'keepView':
            void workspaceState.update(viewKey, message.view);
            return;
          case 'copy':
          case 'saveFile':
            void handOver(message);
            return;
          case 'openDashboard':
            openDashboard(message.runId);
            return;
          default:
            message satisfies never;
        }
      }),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) session.hide();
      }),
    ];
    panel.onDidDispose(() => {
      this.panels.delete(key);
      for (const listener of listeners) listener.dispose();
    });
    showPage(webview, 'compare', panel.title, extensionUri, { runIds: JSON.stringify(runIds) });
  }
}

function keyOf(runIds: readonly string[]): string {
  return [...runIds].sort().join('\0');
}

function runIdsIn(state: unknown): string[] {
  if (typeof state !== 'object' || state === null || !('runIds' in state) || !Array.isArray(state.runIds)) return [];
  return state.runIds.filter((id): id is string => typeof id === 'string');
}
