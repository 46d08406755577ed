// Dashboards: one editor panel a run, made or revealed, and brought back after a reload of the window. What a panel is told is
// in dashboardSession.ts; how it looks is in webview/dashboard.
import * as vscode from 'vscode';
import { dashboardViewType } from '../contributions.ts';
import type { FromDashboard, ToDashboard } from '../../server/protocol/panel.ts';
import { runTitle } from '../../server/protocol/run.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { RunStore } from '../runs/runStore.ts';
import { handOver } from './fileIntents.ts';
import { DashboardSession } from './dashboardSession.ts';
import type { KeptViews } from './keptViews.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface DashboardsOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly views: KeptViews;
  readonly onIntent: (
    intent: Exclude<
      FromDashboard,
      { type: 'ready' | 'keepView' | 'showAttackedImages' | 'askSeries' | 'copy' | 'saveFile' }
    >,
  ) => void;
}

export class Dashboards implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly options: DashboardsOptions;
  private readonly panels = new Map<string, vscode.WebviewPanel>();
  /** Tabs that pages are to show once they are there, by run. */
  private readonly asked = new Map<string, 'robustness'>();

  constructor(options: DashboardsOptions) {
    this.options = options;
  }

  /** @param tab to be in front; without one, that which was */
  open(runId: string, tab?: 'robustness'): void {
    const panel = this.panels.get(runId);
    // A page that is not in view has gone, and says `ready` when it is back.
    if (tab && panel?.visible) postEncoded(panel.webview, { type: 'showTab', tab });
    else if (tab) this.asked.set(runId, tab);
    if (panel) panel.reveal();
    else this.fill(this.newPanel(), runId);
  }

  /** Whether it is in view, be it beside others. */
  isShown(runId: string): boolean {
    return this.panels.get(runId)?.visible === true;
  }

  /** @param state what the page saved: `{runId}` and whatever else it keeps */
  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const runId = runIdIn(state);
    if (runId === null || this.panels.has(runId)) panel.dispose();
    else this.fill(panel, runId);
    return Promise.resolve();
  }

  dispose(): void {
    for (const panel of this.panels.values()) panel.dispose();
  }

  private newPanel(): vscode.WebviewPanel {
    return vscode.window.createWebviewPanel(dashboardViewType, 'Kafscope', vscode.ViewColumn.Active, {
      ...webviewOptions(this.options.extensionUri),
      enableFindWidget: true,
    });
  }

  private fill(panel: vscode.WebviewPanel, runId: string): void {
    const { extensionUri, connection, store, views, onIntent } = this.options;
    const { webview } = panel;
    this.panels.set(runId, panel);
    webview.options = webviewOptions(extensionUri);
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'extension', 'icons', 'dashboard.svg');
    const session = new DashboardSession({
      runId,
      connection,
      store,
      post: (message: ToDashboard) => {
        if (message.type === 'snapshot') panel.title = runTitle(message.snapshot.run);
        postEncoded(webview, message);
      },
    });
    const listeners = [
      session,
      webview.onDidReceiveMessage((message: FromDashboard) => {
        if (message.type === 'ready') {
          postEncoded(webview, { type: 'view', runId, view: views.of(runId) });
          void session.ready();
          const tab = this.asked.get(runId);
          if (tab && this.asked.delete(runId)) postEncoded(webview, { type: 'showTab', tab });
        } else if (message.type === 'keepView') views.keep(runId, message.view);
        else if (message.type === 'showAttackedImages') void session.showImages(message);
        else if (message.type === 'askSeries') void session.answerSeries(message);
        else if (message.type === 'copy' || message.type === 'saveFile') void handOver(message);
        else onIntent(message);
      }),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) session.hide();
      }),
    ];
    panel.onDidDispose(() => {
      this.panels.delete(runId);
      for (const listener of listeners) listener.dispose();
    });
    const run = store.get(runId);
    if (run) panel.title = runTitle(run);
    showPage(webview, 'dashboard', panel.title, extensionUri, { runId });
  }
}

function runIdIn(state: unknown): string | null {
  if (typeof state !== 'object' || state === null || !('runId' in state)) return null;
  return typeof state.runId === 'string' ? state.runId : null;
}
