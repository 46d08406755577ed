// Cells of a sweep as lines.
import { cellGroup, type SweepCell, type SweepCounts } from '../protocol/sweep.ts';
import { percent } from './reportEvaluation.ts';

export function countsText({ failed, finished, working, left }: SweepCounts): string {
  const parts = [
    `${String(finished)} finished`,
    ...(failed > 0 ? [`${String(failed)} failed`] : []),
    ...(working > 0 ? [`${String(working)} at work`] : []),
    ...(left > 0 ? [`${String(left)} left`] : []),
  ];
  return parts.join(' · ');
}

export function cellLine(cell: SweepCell): string {
  const { name, status, step, steps, cleanAccuracy, robustAccuracy, message } = cell;
  const accuracies = [
    ...(cleanAccuracy === null ? [] : [`clean ${percent(cleanAccuracy)}`]),
    ...(robustAccuracy === null ? [] : [`robust ${percent(robustAccuracy)}`]),
  ];
  const isUnderWay = cellGroup(status) !== 'finished' && step > 0;
  const progress = isUnderWay ? [`step ${String(step)}/${String(steps)}`] : [];
  const reason = cellGroup(status) === 'failed' && message !== null ? [message] : [];
  const place =
    cell.job === undefined ? [] : [`${cell.job.place}${cell.job.waits === null ? '' : `: ${cell.job.waits}`}`];
  return [name, status === 'waiting' ? 'not started' : status, ...place, ...progress, ...accuracies, ...reason].join(
    ' · ',
  );
}
