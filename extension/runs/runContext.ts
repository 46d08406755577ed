// Context keys by which package.json enables commands in the palette.
import * as vscode from 'vscode';
import { contextKeys } from '../contributions.ts';
import { canDo } from './runActions.ts';
import type { RunStore } from './runStore.ts';

export function keepContextKeys(store: RunStore): { dispose(): void } {
  const known = new Map<string, boolean>();
  return store.onDidChange(() => {
    const { runs } = store;
    const keys = {
      [contextKeys.hasRuns]: runs.length > 0,
      [contextKeys.hasPausableRun]: runs.some((run) => canDo('pause', run)),
      [contextKeys.hasResumableRun]: runs.some((run) => canDo('resume', run)),
      [contextKeys.hasLiveRun]: runs.some((run) => canDo('stop', run)),
      [contextKeys.hasEndedRun]: runs.some((run) => canDo('delete', run)),
      [contextKeys.hasEvaluableRun]: runs.some((run) => canDo('evaluate', run)),
    };
    for (const [key, value] of Object.entries(keys)) {
      if (known.get(key) === value) continue;
      known.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  });
}
