// The buttons above an experiment's first line and its data set. The extension registers their commands.
import type { CodeLens } from 'vscode-languageserver';
import { compileInTurns } from '../experiment/compileExperiment.ts';
import { asksForSweep, hasMatrix, nCellsOf } from '../protocol/sweep.ts';

/**
 * Train and train one epoch, or of a matrix start its sweep; find a learning rate; show the data set. Each command takes the file's
 * URI.
 * @throws the signal's reason
 */
export async function codeLenses(uri: string, text: string, signal?: AbortSignal): Promise<CodeLens[]> {
  const lens = (line: number, title: string, command: string): CodeLens => ({
    range: { start: { line, character: 0 }, end: { line, character: 0 } },
    command: { title, command, arguments: [uri] },
  });
  // Where it is not a line's key, the first line is as good a place.
  const datasetLine = text.split('\n').findIndex((line) => /^dataset\s*:/.test(line));
  const place = { file: null, homeFolder: '' };
  const { cells } = asksForSweep(text) ? await compileInTurns(text, place, signal) : { cells: [] };
  const nCells = cells.reduce((sum, { plan }) => sum + nCellsOf(plan), 0);
  const train = [lens(0, '▶ Train', 'kafscope.train'), lens(0, 'Train one epoch', 'kafscope.trainOneEpoch')];
  return [
    ...(nCells > 1 || (hasMatrix(text) && nCells > 0)
      ? [lens(0, `▶ Start sweep of ${String(nCells)} runs`, 'kafscope.startSweep')]
      : []),
    ...(hasMatrix(text) && nCells > 0 ? [] : train),
    lens(0, 'Find learning rate', 'kafscope.findLearningRate'),
    lens(Math.max(0, datasetLine), 'Show dataset', 'kafscope.showDataset'),
  ];
}
