// What is said when a sweep has nothing left to do. Its runs are not told of one by one. Once for each end; `vscode` shows it elsewhere.
import { countCells, type SweepSummary } from '../../server/protocol/sweep.ts';
import { plainLabel } from '../runs/runText.ts';

export interface SweepToast {
  readonly sweep: SweepSummary;
  readonly text: string;
  readonly severity: 'information' | 'warning';
}

export class SweepEnds {
  private readonly atWork = new Set<string>();

  /** The ends since the last look. Who stops or pauses a sweep knows: cells are left. */
  see(sweeps: readonly SweepSummary[]): SweepToast[] {
    return sweeps.flatMap((sweep) => {
      if (sweep.status !== 'resting') this.atWork.add(sweep.id);
      else if (this.atWork.delete(sweep.id)) return toast(sweep);
      return [];
    });
  }
}

function toast(sweep: SweepSummary): SweepToast[] {
  const { failed, finished, working, left } = countCells(sweep.cells);
  if (working + left > 0) return [];
  const ending = failed > 0 ? `${failed} failed, ${finished} of ${sweep.cells.length} done` : `${finished} runs done`;
  const text = plainLabel(`The sweep ${sweep.name} has ended: ${ending}.`);
  return [{ sweep, text, severity: failed > 0 ? 'warning' : 'information' }];
}
