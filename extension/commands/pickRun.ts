// Which run a command is about: the tree's item or the id that it was given, else the only run that fits, else a quick pick.
import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/run.ts';
import { runTitle } from '../../server/protocol/run.ts';
import type { RunStore } from '../runs/runStore.ts';
import { plainLabel, runDescription, shortTime } from '../runs/runText.ts';
import { statusIcon } from '../runs/runsTree.ts';

/** Undefined when nothing was picked, or nothing fits (which is said). */
export async function pickRun(
  store: RunStore,
  argument: unknown,
  options: { fits: (run: RunSummary) => boolean; title: string; nothing: string },
): Promise<RunSummary | undefined> {
  const runId = runIdOf(argument);
  if (runId !== null) return store.get(runId);
  const fitting = store.runs.filter(options.fits).sort((a, b) => b.createdMs - a.createdMs);
  if (fitting.length === 0) {
    void vscode.window.showInformationMessage(options.nothing);
    return undefined;
  }
  if (fitting.length === 1) return fitting[0];
  const items = fitting.map((run) => ({
    run,
    label: plainLabel(runTitle(run)),
    description: plainLabel(runDescription(run)),
    detail: `${plainLabel(run.description)} · ${shortTime(run.createdMs)}`,
    iconPath: statusIcon(run.status),
  }));
  const picked = await vscode.window.showQuickPick(items, { title: options.title, matchOnDescription: true });
  return picked?.run;
}

/**
 * The runs that a command of the tree is about: VS Code gives the row that was clicked and all that are chosen, of which the row may be
 * none. Else one is asked for.
 */
export async function pickRuns(
  store: RunStore,
  [clicked, chosen]: readonly unknown[],
  options: { fits: (run: RunSummary) => boolean; title: string; nothing: string },
): Promise<readonly RunSummary[]> {
  const id = runIdOf(clicked);
  const ids = new Set((Array.isArray(chosen) ? chosen : []).map(runIdOf).filter((one) => one !== null));
  if (ids.size > 1 && (id === null || ids.has(id))) return [...ids].flatMap((one) => store.get(one) ?? []);
  const run = await pickRun(store, clicked, options);
  return run ? [run] : [];
}

/** The argument may be a run's id or a node of the Runs tree that belongs to a run. */
function runIdOf(argument: unknown): string | null {
  if (typeof argument === 'string') return argument;
  if (typeof argument !== 'object' || argument === null || !('run' in argument)) return null;
  const { run } = argument;
  return typeof run === 'object' && run !== null && 'id' in run && typeof run.id === 'string' ? run.id : null;
}

/** The argument may be a node of the Runs tree that is a checkpoint; null for any other. */
export function checkpointIn(
  argument: unknown,
): { readonly run: { readonly id: string }; readonly file: string } | null {
  const id = runIdOf(argument);
  if (id === null || typeof argument !== 'object' || argument === null || !('checkpoint' in argument)) return null;
  const { checkpoint } = argument;
  if (typeof checkpoint !== 'object' || checkpoint === null || !('file' in checkpoint)) return null;
  return typeof checkpoint.file === 'string' ? { run: { id }, file: checkpoint.file } : null;
}
