// Data that an experiment names and the disk does not have, as a diagnostic, and what can be done: choose where it lies, or fetch it.
import path from 'node:path';
import { CodeActionKind, DiagnosticSeverity } from 'vscode-languageserver';
import type { CodeAction, Diagnostic } from 'vscode-languageserver';
import { datasetIn, type CompileOptions } from '../experiment/compileExperiment.ts';
import { datasetDeclaration, type DatasetName } from '../protocol/datasets.ts';

/** What a diagnostic carries for its quick fixes. */
export interface MissingData {
  readonly name: DatasetName;
  /** Absolute. */
  readonly path: string;
}

/** A warning, since another machine may have it; null where the data is there, made, or swept. */
export function missingData(
  text: string,
  options: CompileOptions,
  exists: (path: string) => boolean,
): Diagnostic | null {
  const found = datasetIn(text, options);
  if (!found || !('path' in found.dataset) || exists(found.dataset.path)) return null;
  const { name, path: place } = found.dataset;
  const { title, path: declared, download } = datasetDeclaration(name);
  const fetch = download ? `, or download it (${download.sizeText})` : '';
  return {
    range: found.range,
    severity: DiagnosticSeverity.Warning,
    source: 'kafscope',
    code: 'dataset.path',
    message: `${title} is not at ${place} on this machine (${declared?.description ?? 'its data'}). Choose where it lies${fetch}.`,
    data: { missing: { name, path: place } satisfies MissingData },
  };
}

export function missingDataFixes(
  uri: string,
  diagnostic: Diagnostic,
  { name, path: place }: MissingData,
): CodeAction[] {
  const action = (title: string, command: string, ...args: unknown[]): CodeAction => ({
    title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnostic],
    command: { title, command, arguments: args },
  });
  const { title, download } = datasetDeclaration(name);
  const isFile = path.extname(place) !== '';
  const choose = action(`Choose where ${title} lies…`, 'kafscope.chooseData', uri, { isFile });
  const folder = isFile ? path.dirname(place) : place;
  const fetch =
    download &&
    action(`Download ${title} (${download.sizeText}) into ${folder}`, 'kafscope.downloadDataset', { name, folder });
  return fetch ? [choose, fetch] : [choose];
}
