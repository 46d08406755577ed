// Panels that find a learning rate for an experiment: one a file, the sweep a process of its own. What is chosen goes into the file's
// editor, where it can be undone.
import path from 'node:path';
import * as vscode from 'vscode';
import type { FromLearningRate, RateEnds, ToLearningRate } from '../../server/protocol/panel.ts';
import { experimentDocument } from '../commands/experimentSource.ts';
import { machineOverrides } from '../commands/machineOverrides.ts';
import { isTrusted } from '../commands/workspaceTrust.ts';
import { nodeEnvironment } from '../connection/serverProcess.ts';
import { learningRateViewType } from '../contributions.ts';
import { replaceText } from '../experiments/replaceText.ts';
import { attempt } from '../showFailure.ts';
import { handOver } from './fileIntents.ts';
import { postEncoded } from './postEncoded.ts';
import { beginning, runSweep } from './sweep.ts';
import { showPage, webviewOptions } from './webviewPage.ts';

export interface LearningRatePanelsOptions {
  readonly extensionUri: vscode.Uri;
  /** Where libraries are looked for, as the server is told. */
  readonly variables: () => Promise<Readonly<Record<string, string>>>;
  readonly withRates: (document: vscode.TextDocument, rates: RateEnds) => Promise<string>;
}

interface Shown {
  readonly panel: vscode.WebviewPanel;
  sweep(): void;
}

export class LearningRatePanels implements vscode.Disposable {
  private readonly options: LearningRatePanelsOptions;
  private readonly shown = new Map<string, Shown>();

  constructor(options: LearningRatePanelsOptions) {
    this.options = options;
  }

  /** @param argument a file, its address as text, or nothing for the active editor */
  async show(argument: unknown): Promise<void> {
    if (!isTrusted('train')) return;
    const document = await experimentDocument(argument, 'Find a learning rate for which experiment?');
    if (!document) return;
    if (document.uri.scheme !== 'file') throw new Error('The experiment is no file yet. Save it, then ask again.');
    const known = this.shown.get(document.uri.toString());
    if (!known) {
      this.open(document.uri);
      return;
    }
    known.panel.reveal();
    known.sweep();
  }

  dispose(): void {
    for (const { panel } of this.shown.values()) panel.dispose();
  }

  private open(uri: vscode.Uri): void {
    const { extensionUri } = this.options;
    const key = uri.toString();
    const name = path.basename(uri.fsPath);
    const title = `Learning rate of ${name}`;
    const panel = vscode.window.createWebviewPanel(learningRateViewType, title, vscode.ViewColumn.Active, {
      ...webviewOptions(extensionUri),
    });
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'extension', 'icons', 'dashboard.svg');
    // A page that was hidden is a new one, which is told again.
    let view: ToLearningRate = beginning(name);
    let atWork: AbortController | null = null;
    const tell = (next: ToLearningRate): void => {
      view = next;
      postEncoded(panel.webview, view);
    };
    const sweep = (): void => {
      atWork?.abort();
      const mine = new AbortController();
      atWork = mine;
      tell(beginning(name));
      void this.sweep(uri, name, mine.signal, (next) => {
        if (atWork === mine) tell(next);
      });
    };
    panel.webview.onDidReceiveMessage((message: FromLearningRate) => {
      switch (message.type) {
        case 'copy':
        case 'saveFile':
          void handOver(message);
          return;
        case 'ready':
          postEncoded(panel.webview, view);
          return;
        case 'cancel':
          atWork?.abort();
          return;
        case 'again':
          sweep();
          return;
        case 'apply': {
          const { min, max } = message;
          void attempt('write the learning rate', async () => {
            await this.apply(uri, { min, max });
            tell({ ...view, applied: { min, max } });
          });
          return;
        }
        default:
          message satisfies never;
      }
    });
    panel.onDidDispose(() => {
      atWork?.abort();
      atWork = null;
      this.shown.delete(key);
    });
    this.shown.set(key, { panel, sweep });
    sweep();
    showPage(panel.webview, 'learning-rate', title, extensionUri);
  }

  private async sweep(
    uri: vscode.Uri,
    name: string,
    signal: AbortSignal,
    tell: (view: ToLearningRate) => void,
  ): Promise<void> {
    try {
      // The process reads the file as it is on the disk.
      const document = await vscode.workspace.openTextDocument(uri);
      if (document.isDirty && !(await document.save())) throw new Error(`${name} could not be saved.`);
      const commandLine = vscode.Uri.joinPath(this.options.extensionUri, 'dist', 'cli.cjs').fsPath;
      const { runtime, threads } = machineOverrides();
      const command = {
        file: process.execPath,
        args: [
          ...[commandLine, 'lr-find', uri.fsPath, '--json'],
          ...(runtime === undefined ? [] : ['--runtime', runtime]),
          ...(threads === undefined ? [] : ['--threads', String(threads)]),
        ],
        env: { ...nodeEnvironment(), ...(await this.options.variables()) },
      };
      await runSweep(command, { name, signal, tell });
    } catch (error) {
      tell({ ...beginning(name), status: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Into the editor, not onto the disk. */
  private async apply(uri: vscode.Uri, rates: RateEnds): Promise<void> {
    const document = await vscode.workspace.openTextDocument(uri);
    await replaceText(document, await this.options.withRates(document, rates));
  }
}
