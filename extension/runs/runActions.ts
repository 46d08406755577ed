// What can be done with a run in its present status: one table for menus, quick picks and enablement.
import type { RunSummary } from '../../server/protocol/run.ts';
import { isLive, isResumable } from '../../server/protocol/run.ts';

export type RunAction = (typeof runActions)[number];

export const runActions = ['pause', 'resume', 'stop', 'evaluate', 'trash', 'restore', 'delete'] as const;

export function canDo(action: RunAction, run: RunSummary): boolean {
  const isTrashed = run.mark?.isTrashed === true;
  switch (action) {
    case 'pause':
      return run.status === 'training';
    case 'resume':
      return !isTrashed && (run.status === 'paused' || isResumable(run));
    case 'stop':
      return isLive(run.status);
    case 'evaluate':
      return !isTrashed && !isLive(run.status) && run.checkpoints.length > 0;
    case 'trash':
      return !isTrashed && !isLive(run.status);
    case 'restore':
      return isTrashed;
    case 'delete':
      return !isLive(run.status);
    default:
      return action satisfies never;
  }
}

/** Whether the run can be one of several that are looked at together. */
export function canCompare({ status, mark }: RunSummary): boolean {
  return status !== 'damaged' && mark?.isTrashed !== true;
}

/** Value of `viewItem` for `when` clauses such as `viewItem =~ /\bcanPause\b/`. */
export function runContextValue(run: RunSummary, { without = [] }: { without?: readonly RunAction[] } = {}): string {
  const { isPinned = false, isHidden = false, isTrashed = false } = run.mark ?? {};
  const allowed = runActions.filter((action) => canDo(action, run) && !without.includes(action));
  const marks = isTrashed ? ['isTrashed'] : [isPinned ? 'canUnpin' : 'canPin', isHidden ? 'canShow' : 'canHide'];
  const plan = run.status === 'damaged' ? [] : ['hasPlan'];
  return [
    'run',
    ...allowed.map((action) => `can${action.charAt(0).toUpperCase()}${action.slice(1)}`),
    ...marks,
    ...plan,
  ].join(' ');
}

/** A checkpoint's: from one of a run at rest another may go on. */
export function checkpointContextValue(run: RunSummary): string {
  return canDo('evaluate', run) ? 'checkpoint canEvaluate' : 'checkpoint';
}
