// Starts the language server with the first experiment file that is opened.
import * as vscode from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import { experimentGlob } from '../contributions.ts';

const selector: vscode.DocumentSelector = { pattern: experimentGlob };

export function startLanguageClient(
  extensionUri: vscode.Uri,
  outputChannel: vscode.LogOutputChannel,
): vscode.Disposable & { stop(): Promise<void> } {
  const module = vscode.Uri.joinPath(extensionUri, 'dist', 'language.cjs').fsPath;
  // By default it would run in the workspace's folder.
  const options = { cwd: vscode.Uri.joinPath(extensionUri, 'dist').fsPath };
  const server = { module, transport: TransportKind.ipc, options };
  const client = new LanguageClient('kafscope', 'Kafscope', server, {
    documentSelector: [{ pattern: experimentGlob }],
    outputChannel,
  });
  const startFor = (document: vscode.TextDocument): void => {
    if (!client.needsStart() || vscode.languages.match(selector, document) === 0) return;
    client.start().catch((error: unknown) => {
      outputChannel.error(`The language server did not start: ${String(error)}`);
    });
  };
  vscode.workspace.textDocuments.forEach(startFor);
  const listener = vscode.workspace.onDidOpenTextDocument(startFor);
  return {
    dispose: () => {
      listener.dispose();
    },
    stop: async () => {
      if (client.needsStop()) await client.stop();
    },
  };
}
