// Which of a run's checkpoints no rule of its plan keeps. Deletes nothing itself.
import { scoreOf, type Criterion } from '../protocol/choice.ts';
import type { CheckpointsPlan } from '../protocol/plan.ts';
import type { TestRecord } from '../protocol/records.ts';
import type { CheckpointSummary } from '../protocol/run.ts';

export interface PruneContext {
  /** The checkpoint's file that the run, as it is at work now, went on from; null where it began anew. */
  readonly resumedFrom: string | null;
  /** What the best is chosen by, on the samples kept back; absent for accuracy. */
  readonly chooseBy?: Criterion | undefined;
  /** The run's tests so far; the weights of a checkpoint are those that were tested after its step. */
  readonly tests: readonly Pick<TestRecord, 'step' | 'accuracy' | 'robustAccuracy' | 'validation'>[];
}

/**
 * The files to delete once the newest checkpoint, which is never among them, is whole on the disk.
 * @param checkpoints in any order
 */
export function checkpointsToPrune(
  checkpoints: readonly CheckpointSummary[],
  { keep }: CheckpointsPlan,
  { resumedFrom, chooseBy = 'accuracy', tests }: PruneContext,
): string[] {
  if (keep === 'all') return [];
  const newestFirst = [...checkpoints].sort((a, b) => b.step - a.step);
  const best = keep.best ? bestOf(newestFirst, tests, chooseBy) : undefined;
  return newestFirst
    .filter(
      (checkpoint, index) =>
        index >= Math.max(1, keep.last) &&
        checkpoint.file !== resumedFrom &&
        checkpoint !== best &&
        !endsKeptEpoch(checkpoint, keep.everyEpochs, newestFirst),
    )
    .map(({ file }) => file);
}

/** One made in the midst of an epoch, where a run was stopped, has the number of that epoch but isn't its end. */
function endsKeptEpoch(
  { step, epoch }: CheckpointSummary,
  everyEpochs: number,
  checkpoints: readonly CheckpointSummary[],
): boolean {
  if (everyEpochs === 0 || epoch === 0 || epoch % everyEpochs !== 0) return false;
  return !checkpoints.some((other) => other.epoch === epoch && other.step > step);
}

/** Of those equally good the newest; undefined where none was tested. */
function bestOf(
  newestFirst: readonly CheckpointSummary[],
  tests: PruneContext['tests'],
  chooseBy: Criterion,
): CheckpointSummary | undefined {
  const isAttacked = tests.some(({ robustAccuracy }) => robustAccuracy !== null);
  const scores = new Map(
    tests.flatMap(({ step, accuracy, robustAccuracy, validation }) => {
      // Samples kept back are there to choose by, so that the test samples choose nothing.
      const other = isAttacked ? robustAccuracy : accuracy;
      const score = validation ? scoreOf(validation, chooseBy) : other;
      return score === null || Number.isNaN(score) ? [] : [[step, score] as const];
    }),
  );
  let best: CheckpointSummary | undefined;
  let bestScore = -Infinity;
  for (const checkpoint of newestFirst) {
    const score = scores.get(checkpoint.step);
    if (score === undefined || score <= bestScore) continue;
    best = checkpoint;
    bestScore = score;
  }
  return best;
}
