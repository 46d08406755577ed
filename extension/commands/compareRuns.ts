// Which runs are compared: those chosen in the tree, the runs of an experiment there, those that are ticked, or those picked from a list.
import * as vscode from 'vscode';
import { runTitle } from '../../server/protocol/run.ts';
import { canCompare } from '../runs/runActions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { isListed } from '../runs/runsModel.ts';
import { isFound, type RunsView } from '../runs/runsView.ts';
import { runDescription } from '../runs/runText.ts';
import { mostRuns } from '../panels/answerSeries.ts';
import { runIdsOf } from './compareIds.ts';

export interface CompareRunsParts {
  readonly store: Pick<RunStore, 'runs'>;
  readonly view: Pick<RunsView, 'choice'>;
  readonly open: (runIds: readonly string[]) => void;
}

/** @param argument the tree's node that was clicked @param chosen all that are chosen in the tree */
export async function compareRuns(parts: CompareRunsParts, argument: unknown, chosen: unknown): Promise<void> {
  const nodes =
    Array.isArray(chosen) && chosen.length > 0 ? (chosen as unknown[]) : argument === undefined ? [] : [argument];
  let runIds = nodes.length > 0 ? runIdsOf(nodes) : tickedIn(parts);
  if (runIds.length < 2) runIds = await pickRuns(parts, runIds);
  if (runIds.length > 0) parts.open(runIds.slice(0, mostRuns));
}

/** Without those that are gone or in the trash. */
function tickedIn({ store, view }: CompareRunsParts): string[] {
  const ticked = new Set(view.choice.ticked);
  return store.runs.filter((run) => ticked.has(run.id) && canCompare(run)).map(({ id }) => id);
}

/** Those that the view's filter finds are picked already. */
async function pickRuns({ store, view }: CompareRunsParts, picked: readonly string[]): Promise<string[]> {
  const { choice } = view;
  const runs = store.runs.filter((run) => canCompare(run) && isListed(run, choice));
  if (runs.length === 0) {
    void vscode.window.showInformationMessage('There is no run to compare. Train an experiment first.');
    return [];
  }
  const isFiltered = picked.length === 0 && choice.filter.trim() !== '';
  const items = runs.map((run) => ({
    ...{ label: runTitle(run), description: runDescription(run), runId: run.id },
    picked: isFiltered ? isFound(run, choice.filter) : picked.includes(run.id),
  }));
  const title = 'Compare which runs?';
  const chosen = await vscode.window.showQuickPick(items, { title, canPickMany: true, matchOnDescription: true });
  return (chosen ?? []).map(({ runId }) => runId);
}
