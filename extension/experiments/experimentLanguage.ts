// Starts the language server with the first experiment file that is opened.
import * as vscode from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import type { TextRange } from '../../server/protocol/issue.ts';
import {
  applyRatesRequest,
  dataPathRequest,
  placeRequest,
  trustedNotification,
} from '../../server/protocol/language.ts';
import type { RateEnds } from '../../server/protocol/panel.ts';
import { whenTrusted } from '../commands/workspaceTrust.ts';
import { experimentGlob } from '../contributions.ts';

const selector: vscode.DocumentSelector = { pattern: experimentGlob };

export interface ExperimentLanguage extends vscode.Disposable {
  /** Where a path of an experiment, such as `model.network.layers[3]`, stands in a document; its beginning where it has none. */
  placeOf(document: vscode.TextDocument, path: string): Promise<vscode.Range>;
  /** The document's text with these learning rates in its schedule. */
  withRates(document: vscode.TextDocument, rates: RateEnds): Promise<string>;
  /** The document's text with its data at a path. */
  withDataPath(document: vscode.TextDocument, path: string): Promise<string>;
  stop(): Promise<void>;
}

export function startLanguageClient(
  extensionUri: vscode.Uri,
  outputChannel: vscode.LogOutputChannel,
): ExperimentLanguage {
  const module = vscode.Uri.joinPath(extensionUri, 'dist', 'language.cjs').fsPath;
  // By default it would run in the workspace's folder.
  const options = { cwd: vscode.Uri.joinPath(extensionUri, 'dist').fsPath };
  const server = { module, transport: TransportKind.ipc, options };
  const client = new LanguageClient('kafscope', 'Kafscope', server, {
    documentSelector: [{ pattern: experimentGlob }],
    outputChannel,
  });
  const tellTrust = async (): Promise<void> => {
    if (vscode.workspace.isTrusted && client.isRunning()) await client.sendNotification(trustedNotification);
  };
  const startFor = (document: vscode.TextDocument): void => {
    if (!client.needsStart() || vscode.languages.match(selector, document) === 0) return;
    client
      .start()
      .then(tellTrust)
      .catch((error: unknown) => {
        outputChannel.error(`The language server did not start: ${String(error)}`);
      });
  };
  vscode.workspace.textDocuments.forEach(startFor);
  const listeners = [vscode.workspace.onDidOpenTextDocument(startFor), whenTrusted(() => void tellTrust())];
  return {
    dispose: () => {
      for (const listener of listeners) listener.dispose();
    },
    placeOf: async (document, path) => {
      const { start, end } = await client.sendRequest<TextRange>(placeRequest, { text: document.getText(), path });
      return new vscode.Range(start.line, start.character, end.line, end.character);
    },
    withRates: (document, rates) =>
      client.sendRequest<string>(applyRatesRequest, { text: document.getText(), ...rates }),
    withDataPath: (document, path) => client.sendRequest<string>(dataPathRequest, { text: document.getText(), path }),
    stop: async () => {
      if (client.needsStop()) await client.stop();
    },
  };
}
