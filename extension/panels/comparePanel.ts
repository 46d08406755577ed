// Panels that compare a set of runs, or show a sweep: one a set, brought back after a reload of the window. What a page is told is in
// compareSession.ts.
import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import type { FromCompare, ToCompare } from '../../server/protocol/panel.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import { compareViewType } from '../contributions.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { SweepCommands } from '../sweeps/sweepCommands.ts';
import type { SweepStore } from '../sweeps/sweepStore.ts';
import { comparedSet, comparedSourceIn, type ComparedSource } from './comparedSets.ts';
import { CompareSession } from './compareSession.ts';
import { handOver } from './fileIntents.ts';
import { KeptViews } from './keptViews.ts';
import { postEncoded } from './postEncoded.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface ComparePanelsOptions {
  readonly extensionUri: vscode.Uri;
  readonly connection: ServerConnection;
  readonly store: RunStore;
  readonly sweeps: SweepStore;
  readonly askSweep: SweepCommands['askOf'];
  readonly openDashboard: (runId: string) => void;
  readonly openExperiment: (file: string) => void;
  readonly workspaceState: vscode.Memento;
}

export class ComparePanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly options: ComparePanelsOptions;
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(options: ComparePanelsOptions) {
    this.options = options;
  }

  open(source: ComparedSource): void {
    const panel = this.panels.get(keyOf(source));
    if (panel) panel.reveal();
    else {
      const { extensionUri } = this.options;
      const made = vscode.window.createWebviewPanel(compareViewType, 'Compare', vscode.ViewColumn.Active, {
        ...webviewOptions(extensionUri),
        enableFindWidget: true,
      });
      this.fill(made, source);
    }
  }

  /** @param state what the page saved */
  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const source = comparedSourceIn(state);
    if (!source || this.panels.has(keyOf(source))) panel.dispose();
    else this.fill(panel, source);
    return Promise.resolve();
  }

  dispose(): void {
    for (const panel of this.panels.values()) panel.dispose();
  }

  private fill(panel: vscode.WebviewPanel, source: ComparedSource): void {
    const { extensionUri, connection, store, sweeps, askSweep, openDashboard, openExperiment, workspaceState } =
      this.options;
    const { webview } = panel;
    const key = keyOf(source);
    const views = new KeptViews(workspaceState, 'sweepId' in source ? 'sweep.views' : 'compare.views');
    const viewKey = shortOf(key);
    const set = comparedSet(source, { connection, store, sweeps });
    this.panels.set(key, panel);
    webview.options = webviewOptions(extensionUri);
    panel.title = 'sweepId' in source ? `Sweep ${source.sweepId}` : `Compare ${source.runIds.length} runs`;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'extension', 'icons', 'dashboard.svg');
    const session = new CompareSession({
      ...{ set, connection, store },
      keptView: () => ({ view: views.of(viewKey), isOwnView: views.has(viewKey) }),
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
          case 'askOutcomes':
            void session.answerOutcomes(message);
            return;
          case 'keepView':
            views.keep(viewKey, message.view);
            return;
          case 'copy':
          case 'saveFile':
            void handOver(message);
            return;
          case 'openDashboard':
            openDashboard(message.runId);
            return;
          case 'askSweep':
            if ('sweepId' in source) void askSweep(source.sweepId, message.ask);
            return;
          case 'openExperiment': {
            const file = set.sweep?.get()?.experimentFile;
            if (file) openExperiment(file);
            return;
          }
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
    showPage(webview, 'compare', panel.title, extensionUri, {
      compared: JSON.stringify(source),
    });
  }
}

function keyOf(source: ComparedSource): string {
  return 'sweepId' in source ? `sweep\0${source.sweepId}` : [...source.runIds].sort().join('\0');
}

/** The ids of hundreds of runs would fill what the workspace remembers. */
function shortOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 16);
}
