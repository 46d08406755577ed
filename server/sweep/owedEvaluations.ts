// What the run of a cell has still to go through where it was made for another experiment with the same training (findRuns.ts).
import { isDeepStrictEqual } from 'node:util';
import { isSameAttack } from '../protocol/attackFigures.ts';
import { isAttackPlan, type AttackPlan } from '../protocol/evaluationPlan.ts';
import type { RunGlance } from '../run/runGlance.ts';
import type { Work } from '../run/runPlan.ts';
import type { StoredCell } from './sweepFolder.ts';

/** Attacks of the cell that its run, which has come to its end, does not name itself and that its last weights have not been through. */
export function owedEvaluations({ origin, summary }: RunGlance, { plan }: Pick<StoredCell, 'plan'>): AttackPlan[] {
  if (summary.status !== 'finished' || isDeepStrictEqual(plan.evaluation, origin.plan.evaluation)) return [];
  const done = (summary.figures ?? []).filter(({ step, isPartial }) => step === summary.step && isPartial !== true);
  return plan.evaluation
    .filter(isAttackPlan)
    .filter((one) => !origin.plan.evaluation.some((own) => isDeepStrictEqual(own, one)))
    .filter((one) => !done.some((figure) => isSameAttack(figure.plan, one)));
}

export type CellTask =
  { readonly type: 'train' } | Pick<Extract<Work, { wanted: unknown }>, 'type' | 'checkpoint' | 'wanted'>;

/** What is to be done for the cell: its attacks where its run has come to its end and owes them, else its training. */
export function cellTask(run: RunGlance, cell: Pick<StoredCell, 'plan'>): CellTask {
  const wanted = owedEvaluations(run, cell);
  const last = run.summary.checkpoints.findLast(({ step }) => step === run.summary.step);
  return wanted.length > 0 && last ? { type: 'evaluate', checkpoint: last.file, wanted } : { type: 'train' };
}
