// Which runs are compared: those chosen in the tree, the runs of an experiment there, or those picked from a list.
import * as vscode from 'vscode';
import { runTitle, type RunSummary } from '../../server/protocol/run.ts';
import type { RunStore } from '../runs/runStore.ts';
import { runDescription } from '../runs/runText.ts';
import { mostRuns } from '../panels/answerSeries.ts';
import { runIdsOf } from './compareIds.ts';

/** @param argument the tree's node that was clicked @param chosen all that are chosen in the tree */
export async function compareRuns(
  store: Pick<RunStore, 'runs'>,
  open: (runIds: readonly string[]) => void,
  argument: unknown,
  chosen: unknown,
): Promise<void> {
  const nodes =
    Array.isArray(chosen) && chosen.length > 0 ? (chosen as unknown[]) : argument === undefined ? [] : [argument];
  let runIds = runIdsOf(nodes);
  if (runIds.length < 2) runIds = await pickRuns(store.runs, runIds);
  if (runIds.length > 0) open(runIds.slice(0, mostRuns));
}

async function pickRuns(runs: readonly RunSummary[], picked: readonly string[]): Promise<string[]> {
  const readable = runs.filter(({ status }) => status !== 'damaged');
  if (readable.length === 0) {
    void vscode.window.showInformationMessage('There is no run to compare. Train an experiment first.');
    return [];
  }
  const items = readable.map((run) => ({
    ...{ label: runTitle(run), description: runDescription(run), runId: run.id },
    picked: picked.includes(run.id),
  }));
  const title = 'Compare which runs?';
  const choice = await vscode.window.showQuickPick(items, { title, canPickMany: true, matchOnDescription: true });
  return (choice ?? []).map(({ runId }) => runId);
}
