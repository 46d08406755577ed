// Context keys by which package.json enables commands in the palette.
import * as vscode from 'vscode';
import { contextKeys } from '../contributions.ts';
import { canDo } from './runActions.ts';
import type { RunStore } from './runStore.ts';
import type { RunsView } from './runsView.ts';

export function keepContextKeys(store: RunStore, view: RunsView): vscode.Disposable {
  const known = new Map<string, boolean>();
  const keep = (): void => {
    const { runs } = store;
    const keys = {
      [contextKeys.hasRuns]: runs.length > 0,
      [contextKeys.hasPausableRun]: runs.some((run) => canDo('pause', run)),
      [contextKeys.hasResumableRun]: runs.some((run) => canDo('resume', run)),
      [contextKeys.hasLiveRun]: runs.some((run) => canDo('stop', run)),
      [contextKeys.hasEndedRun]: runs.some((run) => canDo('delete', run)),
      [contextKeys.hasEvaluableRun]: runs.some((run) => canDo('evaluate', run)),
      [contextKeys.hasTrash]: runs.some((run) => canDo('restore', run)),
      [contextKeys.hasHiddenRun]: runs.some(({ mark }) => mark?.isHidden === true),
      [contextKeys.showsHidden]: view.choice.showsHidden,
      [contextKeys.showsBoxes]: view.choice.ticked !== null,
    };
    for (const [key, value] of Object.entries(keys)) {
      if (known.get(key) === value) continue;
      known.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  };
  return vscode.Disposable.from(store.onDidChange(keep), view.onDidChange(keep));
}
