// What is said when a run or its attack has come to an end while nobody looks. Once for each end; `vscode` shows it elsewhere.
import { figureName, figureText } from '../../server/protocol/attackFigures.ts';
import { isLive, runTitle, type RunStatus, type RunSummary } from '../../server/protocol/run.ts';
import type { RunChange } from './runStore.ts';
import { count, percent, plainLabel } from './runText.ts';

export interface EndToast {
  readonly runId: string;
  readonly text: string;
  readonly severity: 'information' | 'warning';
  /** Whether half the learning rate may help. */
  readonly isDiverged: boolean;
}

/** At which the setting `kafscope.tellEnds` says that one wants to hear. */
export type WhenToTell = 'away' | 'always' | 'never';

/** Whether the end is said, by the setting and by what is seen of the run. */
export function isTold(when: WhenToTell, seen: { readonly isFocused: boolean; readonly isShown: boolean }): boolean {
  return when === 'always' || (when === 'away' && !(seen.isFocused && seen.isShown));
}

/** A person who stops a run, or takes it from the queue, knows; who comes to a run that had ended before is told by the list. */
const ends: ReadonlySet<RunStatus> = new Set<RunStatus>(['finished', 'diverged', 'failed', 'interrupted']);

export class Ends {
  private readonly told = new Set<string>();

  /** Null where nothing has ended, or it was told before. */
  see({ run, before, isDeleted }: RunChange): EndToast | null {
    if (isDeleted || !before || !isLive(before.status) || before.status === 'queued' || !ends.has(run.status))
      return null;
    const end = `${run.id}\n${String(run.incarnation)}`;
    if (this.told.has(end)) return null;
    this.told.add(end);
    const isDiverged = run.status === 'diverged';
    const severity = run.status === 'finished' && run.message === null ? 'information' : 'warning';
    return { runId: run.id, text: plainLabel(endText(run, before)), severity, isDiverged };
  }
}

function endText(run: RunSummary, before: RunSummary): string {
  const title = runTitle(run);
  if (run.status === 'diverged') return `${title} diverged at step ${count(run.step)}. ${run.message ?? ''}`.trim();
  if (run.message !== null)
    return `${title}: ${run.status === 'finished' ? 'the attack failed' : run.status}. ${run.message}`;
  if (run.status !== 'finished') return `${title}: ${run.status}.`;
  const [figure] = run.figures ?? [];
  const figures = [
    ...(run.cleanAccuracy === null ? [] : [`clean ${percent(run.cleanAccuracy)}`]),
    ...(figure ? [`${figureName(figure, run.step)} ${figureText(figure, run.figures ?? [])}`] : []),
  ].join(', ');
  const what = before.status === 'evaluating' ? 'has been attacked' : 'has finished';
  return `${title} ${what}${figures === '' ? '.' : `: ${figures}.`}`;
}
