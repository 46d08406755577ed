// What can be done with a run in its present status: one table for menus, quick picks and enablement.
import type { RunSummary } from '../../server/protocol/run.ts';
import { isLive, isResumable } from '../../server/protocol/run.ts';

export type RunAction = 'pause' | 'resume' | 'stop' | 'delete' | 'evaluate';

export const runActions = ['pause', 'resume', 'stop', 'delete', 'evaluate'] as const satisfies RunAction[];

export function canDo(action: RunAction, run: RunSummary): boolean {
  switch (action) {
    case 'pause':
      return run.status === 'training';
    case 'resume':
      return run.status === 'paused' || isResumable(run);
    case 'stop':
      return isLive(run.status);
    case 'delete':
      return !isLive(run.status);
    case 'evaluate':
      return !isLive(run.status) && run.checkpoints.length > 0;
    default:
      return action satisfies never;
  }
}

/** Value of `viewItem` for `when` clauses such as `viewItem =~ /\bcanPause\b/`. */
export function runContextValue(run: RunSummary): string {
  const allowed = runActions.filter((action) => canDo(action, run));
  return ['run', ...allowed.map((action) => `can${action.charAt(0).toUpperCase()}${action.slice(1)}`)].join(' ');
}
