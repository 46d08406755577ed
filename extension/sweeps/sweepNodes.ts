// Sweeps in the Runs tree: of an experiment that is one, how far it is, its runs by the names of their cells, those that failed first.
import { allowedAsks, cellGroup, countCells, type SweepSummary } from '../../server/protocol/sweep.ts';
import type { ExperimentNode, RunNode } from '../runs/runsModel.ts';
import { runDescription } from '../runs/runText.ts';

/** The nodes, of sweeps as such; what is chosen of the view's order holds among runs that failed, and among the others. */
export function withSweeps<Other extends { readonly type: string }>(
  forest: readonly (ExperimentNode | Other)[],
  sweeps: readonly SweepSummary[],
): readonly (ExperimentNode | Other)[] {
  const byRun = new Map(
    sweeps.flatMap((sweep) =>
      sweep.cells.flatMap((cell) => (cell.runId === null ? [] : [[cell.runId, { sweep, cell }] as const])),
    ),
  );
  return forest.map((node) => {
    if (!isExperiment(node)) return node;
    const sweep = node.runs.map(({ run }) => byRun.get(run.id)?.sweep).find((found) => found !== undefined);
    if (!sweep) return node;
    const runs = node.runs.map((one) => {
      const found = byRun.get(one.run.id);
      if (found?.sweep !== sweep) return one;
      const label = one.run.mark?.title ? one.label : found.cell.name;
      const waits = found.cell.job?.waits ?? null;
      return { ...one, label, ...(waits !== null && waiting(one, waits)) };
    });
    const hasFailed = ({ run }: RunNode) => Number(cellGroup(run.status) !== 'failed');
    const ordered = runs.toSorted((a, b) => hasFailed(a) - hasFailed(b));
    return { ...node, sweep, description: sweepDescription(sweep), runs: ordered };
  });
}

/** Its run has not begun, or rests, as far as its folder says. */
function waiting({ run, description }: RunNode, waits: string): Pick<RunNode, 'waits' | 'description'> {
  return { waits, description: description.replace(runDescription(run), () => `waits: ${waits}`) };
}

function isExperiment(node: { readonly type: string }): node is ExperimentNode {
  return node.type === 'experiment';
}

/** `sweep · 1 failed · 2 at work · 12 of 54 done` */
export function sweepDescription({ status, cells }: SweepSummary): string {
  const waits = waitingText(cells);
  const { failed, finished, working } = countCells(cells);
  return [
    status === 'paused' ? 'sweep, paused' : 'sweep',
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(working > 0 ? [`${working} at work`] : []),
    `${finished} of ${cells.length} done`,
    ...(waits === null ? [] : [waits]),
  ].join(' · ');
}

/** How many cells wait at a cluster's scheduler, and why most of them do; null where none does. */
function waitingText(cells: SweepSummary['cells']): string | null {
  const reasons = cells.flatMap(({ job }) => job?.waits ?? []);
  if (reasons.length === 0) return null;
  const counted = Map.groupBy(reasons, (reason) => reason);
  const [most] = [...counted].sort(([, a], [, b]) => b.length - a.length);
  return `${reasons.length} ${reasons.length === 1 ? 'waits' : 'wait'}: ${most![0]}`;
}

/** Value of `viewItem` for `when` clauses. */
export function sweepContextValue(sweep: SweepSummary): string {
  const names = { pause: 'canPauseSweep', 'go-on': 'canResumeSweep', stop: 'canStopSweep', again: 'canRepeatSweep' };
  return ['sweep', ...allowedAsks(sweep).map((ask) => names[ask])].join(' ');
}
