// Runs that there are already for the cells of a sweep, whoever made them.
import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { planIdentity, trainingIdentity } from '../experiment/planIdentity.ts';
import type { Turns } from '../experiment/turns.ts';
import { isAttackPlan, isDetectorPlan } from '../protocol/evaluationPlan.ts';
import type { Plan } from '../protocol/plan.ts';
import type { RunSummary } from '../protocol/run.ts';
import type { LifeWatch } from '../run/lifeWatch.ts';
import { listRunFolders, readOrigin } from '../run/runFolder.ts';
import { glance, judged } from '../run/runGlance.ts';
import type { StoredCell } from './sweepFolder.ts';

interface Trained {
  readonly run: RunSummary;
  readonly plan: Plan;
}

/**
 * Of several runs of one plan one that is finished, else the newest. A run that its maker had no time to note is found so, too. A cell
 * whose plan has none gets a run of the same training, so that an experiment to which an evaluation is added is not trained again.
 */
export function* findRuns(
  runsFolder: string,
  cells: readonly StoredCell[],
  watch: LifeWatch,
): Turns<Map<string, string>> {
  const wanted = new Set(cells.map(({ identity }) => identity));
  const trainings = new Map<StoredCell, string>();
  for (const cell of cells) {
    yield;
    trainings.set(cell, trainingIdentity(cell.plan));
  }
  const wantedTrainings = new Set(trainings.values());
  const found = new Map<string, RunSummary>();
  const trained = new Map<string, Trained[]>();
  for (const folder of listRunFolders(runsFolder)) {
    yield;
    if (fs.lstatSync(folder).isSymbolicLink()) continue;
    try {
      const { plan } = readOrigin(folder);
      const [identity, training] = [planIdentity(plan), trainingIdentity(plan)];
      if (!wanted.has(identity) && !wantedTrainings.has(training)) continue;
      const run = judged(glance(folder), watch).summary;
      if (wanted.has(identity) && isBetter(run, found.get(identity))) found.set(identity, run);
      trained.set(training, [...(trained.get(training) ?? []), { run, plan }]);
    } catch {
      // A run that can't be read is nobody's: its own list tells.
    }
  }
  return new Map(
    cells.flatMap((cell) => {
      const run = found.get(cell.identity) ?? trainedFor(cell.plan, trained.get(trainings.get(cell)!) ?? []);
      return run ? [[cell.identity, run.id] as const] : [];
    }),
  );
}

function isBetter(run: RunSummary, other: RunSummary | undefined): boolean {
  return !other || (other.status !== 'finished' && (run.status === 'finished' || run.createdMs >= other.createdMs));
}

/**
 * One that is finished and has its last weights, else one that was cut off and would do nothing at its end that the cell does not want.
 * What it lacks must be attacks, of which a run's summary tells; and no detector, which is tried against the attacks that its own run's
 * experiment names.
 */
function trainedFor({ evaluation }: Plan, trained: readonly Trained[]): RunSummary | undefined {
  if (evaluation.some(isDetectorPlan)) return undefined;
  const has = (all: Plan['evaluation'], one: Plan['evaluation'][number]) =>
    all.some((other) => isDeepStrictEqual(one, other));
  const fitting = trained.filter(({ run, plan }) => {
    if (!evaluation.every((one) => isAttackPlan(one) || has(plan.evaluation, one))) return false;
    return run.status === 'finished'
      ? run.checkpoints.some(({ step }) => step === run.step)
      : ['interrupted', 'stopped'].includes(run.status) && plan.evaluation.every((one) => has(evaluation, one));
  });
  return fitting.reduce<RunSummary | undefined>((best, { run }) => (isBetter(run, best) ? run : best), undefined);
}
