// Wires the language features to a connection. All decisions are in the pure functions it calls.
import { CodeActionKind, ErrorCodes, ResponseError, TextDocuments, TextDocumentSyncKind } from 'vscode-languageserver';
import type { Connection, Diagnostic, TextDocumentPositionParams } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { fileURLToPath } from 'node:url';
import { rangeIn } from '../experiment/compileExperiment.ts';
import { applyLearningRate, type LearningRates } from '../experiment/applyLearningRate.ts';
import { withValue } from '../experiment/withValue.ts';
import { applyRatesRequest, dataPathRequest, placeRequest, trustedNotification } from '../protocol/language.ts';
import { codeLenses } from './codeLenses.ts';
import { complete } from './complete.ts';
import { diagnose, quickFixes } from './diagnose.ts';
import type { Disk } from './disk.ts';
import { documentSymbols } from './documentSymbols.ts';
import { hover } from './hover.ts';
import { missingData, type MissingData } from './missingData.ts';
import { anchorAt, AnchorNameError, renameAnchor } from './renameAnchor.ts';

declare const __KAFSCOPE_VERSION__: string;

/** Answers on the connection until it ends. Every opened document is taken for an experiment: the client selects them. */
export function serveLanguage(
  connection: Connection,
  options: { readonly homeFolder: string; readonly disk: Disk },
): void {
  const documents = new TextDocuments(TextDocument);
  const textOf = (uri: string) => documents.get(uri)?.getText() ?? '';
  const at =
    <T>(answer: (text: string, position: TextDocumentPositionParams['position']) => T) =>
    ({ textDocument, position }: TextDocumentPositionParams) =>
      answer(textOf(textDocument.uri), position);

  connection.onInitialize(() => ({
    serverInfo: { name: 'kafscope', version: __KAFSCOPE_VERSION__ },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: [' ', ':', '{', '[', ','] },
      hoverProvider: true,
      codeLensProvider: {},
      documentSymbolProvider: true,
      renameProvider: { prepareProvider: true },
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    },
  }));
  connection.onCompletion(at(complete));
  connection.onHover(at(hover));
  connection.onCodeLens(async ({ textDocument: { uri } }, token) => {
    const controller = new AbortController();
    const listener = token.onCancellationRequested(() => {
      controller.abort();
    });
    if (token.isCancellationRequested) controller.abort();
    try {
      return await unlessAborted(codeLenses(uri, textOf(uri), controller.signal), controller.signal);
    } finally {
      listener.dispose();
    }
  });
  connection.onDocumentSymbol(({ textDocument }) => documentSymbols(textOf(textDocument.uri)));
  connection.onPrepareRename(at((text, position) => anchorAt(text, position)?.range ?? null));
  connection.onRenameRequest(({ textDocument, position, newName }) => {
    try {
      const edits = renameAnchor(textOf(textDocument.uri), position, newName);
      return edits && { changes: { [textDocument.uri]: edits } };
    } catch (cause) {
      if (cause instanceof AnchorNameError) return new ResponseError(ErrorCodes.InvalidParams, cause.message);
      throw cause;
    }
  });
  connection.onCodeAction(({ textDocument, context }) => quickFixes(textDocument.uri, context.diagnostics));

  connection.onRequest(placeRequest, ({ text, path }: { text: string; path: string }) => rangeIn(text, path));
  connection.onRequest(applyRatesRequest, ({ text, ...rates }: { text: string } & LearningRates) =>
    applyLearningRate(text, rates),
  );
  connection.onRequest(dataPathRequest, ({ text, path }: { text: string; path: string }) =>
    withValue(text, { path: ['dataset', 'path'], tag: 'name', what: 'The place of the data' }, path),
  );

  const publish = async (document: TextDocument, diagnostics: Awaited<ReturnType<typeof diagnose>>) => {
    try {
      await connection.sendDiagnostics({ uri: document.uri, version: document.version, diagnostics });
    } catch (cause) {
      connection.console.error(`Could not send diagnostics: ${String(cause)}`);
    }
  };
  /** Of each document the look at its newest text. */
  const looks = new Map<string, AbortController>();
  const look = async (document: TextDocument) => {
    const controller = new AbortController();
    looks.get(document.uri)?.abort();
    looks.set(document.uri, controller);
    const { signal } = controller;
    const place = { homeFolder: options.homeFolder, file: filePath(document.uri) };
    const found = await unlessAborted(diagnose(document.getText(), place, signal), signal);
    if (!found || signal.aborted) return;
    const missing = isTrusted ? missingData(document.getText(), place, options.disk.exists) : null;
    watchFor(document, missing);
    await publish(document, missing ? [...found, missing] : found);
  };
  let isTrusted = false;
  connection.onNotification(trustedNotification, () => {
    isTrusted = true;
    for (const document of documents.all()) void look(document);
  });
  /** Of each document the end of waiting for its data. */
  const waits = new Map<string, () => void>();
  const watchFor = (document: TextDocument, missing: Diagnostic | null) => {
    waits.get(document.uri)?.();
    waits.delete(document.uri);
    if (!missing) return;
    const { path } = (missing.data as { missing: MissingData }).missing;
    waits.set(
      document.uri,
      options.disk.watch(path, () => void look(document)),
    );
  };
  documents.onDidChangeContent(({ document }) => void look(document));
  documents.onDidClose(({ document }) => {
    looks.get(document.uri)?.abort();
    looks.delete(document.uri);
    watchFor(document, null);
    void publish(document, []);
  });

  documents.listen(connection);
  connection.listen();
}

/** Null where it ends because it is not wanted any more. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  try {
    return await work;
  } catch (cause) {
    if (signal.aborted) return null;
    throw cause;
  }
}

/** Null for a document that is no file here (untitled, or on another host). */
function filePath(uri: string): string | null {
  if (!uri.startsWith('file:///')) return null;
  try {
    return fileURLToPath(uri);
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof URIError) return null;
    throw cause;
  }
}
