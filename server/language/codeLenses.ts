// The buttons above an experiment's first line. The extension registers their commands.
import type { CodeLens } from 'vscode-languageserver';

const firstLine = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** Train, and train one epoch to try it out; each command takes the file's URI. */
export function codeLenses(uri: string): CodeLens[] {
  return [
    { range: firstLine, command: { title: '▶ Train', command: 'kafscope.train', arguments: [uri] } },
    { range: firstLine, command: { title: 'Train one epoch', command: 'kafscope.trainOneEpoch', arguments: [uri] } },
  ];
}
