// How far a run and its attacks are, in numbers and in words.
import { formatDuration } from '../../server/protocol/duration.ts';
import { isAttackQueued, isLive, isResumable, type RunStatus, type RunSummary } from '../../server/protocol/run.ts';
import { headlineStage, stagesOf, stageText } from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import type { ConnectionState } from '../../server/protocol/panel.ts';
import { formatBytes, formatCount, formatFraction } from '../text/numbers.ts';

export type Tone = 'go' | 'wait' | 'rest' | 'bad';

export function statusTone(status: RunStatus): Tone {
  switch (status) {
    case 'training':
    case 'evaluating':
      return 'go';
    case 'queued':
    case 'preparing':
    case 'paused':
      return 'wait';
    case 'waiting':
    case 'finished':
    case 'stopped':
      return 'rest';
    case 'interrupted':
    case 'diverged':
    case 'failed':
    case 'damaged':
      return 'bad';
    default:
      return status satisfies never;
  }
}

/** `1 h 12 min left`, or nothing where that is unknown or over. */
export function remainingText(run: RunSummary, milliseconds: number): string {
  return run.status === 'training' && Number.isFinite(milliseconds) ? `${formatDuration(milliseconds)} left` : '';
}

/** `1,300 of 4,692 steps · 8 min left`; of a run whose weights are attacked, or are about to be, which. */
export function progressText(run: RunSummary, milliseconds: number): string {
  if (run.status === 'evaluating' || isAttackQueued(run)) return `weights of step ${formatCount(run.step)}`;
  const steps = `${formatCount(run.step)} of ${formatCount(run.steps)} steps`;
  return [steps, remainingText(run, milliseconds)].filter((text) => text !== '').join(' · ');
}

/** `memory 14.0 MB · peak 612 MB`, or nothing before it is known. */
export function memoryText({ memory }: RunSummary): string {
  return memory ? `memory ${formatBytes(memory.usedBytes)} · peak ${formatBytes(memory.peakBytes)}` : '';
}

/** What can be asked of a run now. */
export function allowedIntents(
  run: RunSummary,
  connection: ConnectionState,
): { pause: boolean; resume: boolean; stop: boolean; evaluate: boolean } {
  const isConnected = connection.status === 'connected';
  return {
    pause: isConnected && run.status === 'training',
    resume: isConnected && (run.status === 'paused' || isResumable(run)),
    stop: isConnected && isLive(run.status),
    evaluate: isConnected && !isLive(run.status) && run.checkpoints.length > 0,
  };
}

/** `restart 3 of 10 · 256 of 1,000 images`; after the end, how many images passed every stage. */
export function attackProgressText({ started, restarts, finished }: EvaluationView): string {
  if (finished && !finished.isPartial) return '';
  if (finished && finished.samples > 0) return `stopped after ${formatCount(finished.samples)} images`;
  if (finished && restarts.length === 0) return 'stopped before the first restart was over';
  const ending = finished ? 'stopped at ' : '';
  const stages = stagesOf(started.plan);
  const first = restarts[0]?.samples ?? 0;
  // Whole stages one after another, or every stage on one batch after another: the trainer may do either.
  const caughtUp = restarts.filter((restart) => restart.samples === first).length;
  const at = Math.min(caughtUp, stages.length - 1);
  const samples = first < started.samples ? first : (restarts[at]?.samples ?? 0);
  const stage = stages[at];
  const runs = stages.filter(({ attack, epsilon }) => attack === stage?.attack && epsilon === stage.epsilon);
  const which = stage ? `${stageText(started.plan, stage, formatFraction)} of ${runs.length.toString()} · ` : '';
  return `${ending}${which}${formatCount(samples)} of ${formatCount(started.samples)} images`;
}

/** Counts of the deepest stage at the plan's own ε: the worst case so far. */
export function worstCase(view: EvaluationView): { samples: number; robust: Int32Array } | null {
  const headline = headlineStage(view.started.plan);
  return view.restarts.slice(0, headline + 1).findLast((restart) => restart.samples > 0) ?? null;
}
