// Runs that there are already for the cells of a sweep, whoever made them, and those that have weights from which a cell may begin.
import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { planIdentity, trainingIdentity } from '../experiment/planIdentity.ts';
import type { Turns } from '../experiment/turns.ts';
import { isAttackPlan, isDetectorPlan } from '../protocol/evaluationPlan.ts';
import type { Plan } from '../protocol/plan.ts';
import { isLive, type RunSummary } from '../protocol/run.ts';
import type { LifeWatch } from '../run/lifeWatch.ts';
import { listRunFolders, readOrigin } from '../run/runFolder.ts';
import { glance, judged } from '../run/runGlance.ts';
import type { StoredCell } from './sweepFolder.ts';

interface Trained {
  readonly run: RunSummary;
  readonly plan: Plan;
}

export interface FoundRuns {
  /** Run ids by the identities of cells that have one. */
  readonly own: ReadonlyMap<string, string>;
  /** Of the other cells, runs of the same training. */
  readonly trained: ReadonlyMap<string, readonly string[]>;
}

/**
 * Of several runs of one plan one that is finished, else the newest. A run that its maker had no time to note is found so, too. A cell
 * whose plan has none gets a run of the same training, so that an experiment to which an evaluation is added is not trained again.
 */
export function* findRuns(runsFolder: string, cells: readonly StoredCell[], watch: LifeWatch): Turns<FoundRuns> {
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
  const runsOf = (cell: StoredCell) => trained.get(trainings.get(cell)!) ?? [];
  const own = new Map(
    cells.flatMap((cell) => {
      const run = found.get(cell.identity) ?? takenFor(cell.plan, runsOf(cell));
      return run ? [[cell.identity, run.id] as const] : [];
    }),
  );
  const others = cells.filter(({ identity }) => !own.has(identity));
  return { own, trained: new Map(others.map((cell) => [cell.identity, runsOf(cell).map(({ run }) => run.id)])) };
}

export interface Beginning {
  readonly folder: string;
  /** The name of its last checkpoint. */
  readonly file: string;
}

/** Of runs of one training the one that has come furthest and whose weights nobody is changing; null for none. */
export function beginningAmong(folders: readonly string[], watch: LifeWatch): Beginning | null {
  let most: (Beginning & { readonly step: number }) | null = null;
  for (const folder of folders) {
    const { status, checkpoints } = judged(glance(folder), watch).summary;
    const last = checkpoints.at(-1);
    const isResting = status === 'evaluating' || (!isLive(status) && status !== 'diverged');
    if (last && isResting && last.step > (most?.step ?? 0)) most = { folder, ...last };
  }
  return most;
}

function isBetter(run: RunSummary, other: RunSummary | undefined): boolean {
  return !other || (other.status !== 'finished' && (run.status === 'finished' || run.createdMs >= other.createdMs));
}

/**
 * One that is finished and has its last weights, else one that was cut off and would do nothing at its end that the cell does not want.
 * What it lacks must be attacks, of which a run's summary tells; and no detector, which is tried against the attacks that its own run's
 * experiment names.
 */
function takenFor({ evaluation, part }: Plan, trained: readonly Trained[]): RunSummary | undefined {
  if (evaluation.some(isDetectorPlan) || part) return undefined;
  const has = (all: Plan['evaluation'], one: Plan['evaluation'][number]) =>
    all.some((other) => isDeepStrictEqual(one, other));
  const fitting = trained.filter(({ run, plan }) => {
    if (plan.part) return false;
    if (!evaluation.every((one) => isAttackPlan(one) || has(plan.evaluation, one))) return false;
    return run.status === 'finished'
      ? run.checkpoints.some(({ step }) => step === run.step)
      : ['interrupted', 'stopped'].includes(run.status) && plan.evaluation.every((one) => has(evaluation, one));
  });
  return fitting.reduce<RunSummary | undefined>((best, { run }) => (isBetter(run, best) ? run : best), undefined);
}
