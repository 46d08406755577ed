// Which cells of a sweep begin from what others leave: those of one training from the weights of the first of them, and an evaluation that
// is cut by images from its parts.
import { trainingIdentity } from '../experiment/planIdentity.ts';
import { isLive } from '../protocol/run.ts';
import type { SweepCell } from '../protocol/sweep.ts';
import type { StoredCell } from './sweepFolder.ts';

type State = Pick<SweepCell, 'status' | 'runId' | 'step' | 'steps'>;
type StateOf = (cell: StoredCell) => State;

/** `now`, behind the training of another cell, or behind the parts of its evaluation, which are behind a training themselves. */
export type Turn = 'now' | 'trained' | 'parts';

export class CellOrder {
  readonly cells: readonly StoredCell[];
  readonly #parts: ReadonlyMap<string | undefined, readonly StoredCell[]>;
  readonly #byIdentity: ReadonlyMap<string, StoredCell>;
  #byTraining: ReadonlyMap<string, readonly StoredCell[]> | null = null;
  readonly #trainings = new Map<StoredCell, string>();

  constructor(cells: readonly StoredCell[]) {
    this.cells = cells;
    this.#parts = Map.groupBy(cells, ({ whole }) => whole);
    this.#byIdentity = new Map(cells.map((cell) => [cell.identity, cell]));
  }

  /** In the order of the images; none of an evaluation that is not cut. */
  partsOf({ identity }: StoredCell): readonly StoredCell[] {
    return this.#parts.get(identity) ?? [];
  }

  /** What it is a part of; null for nothing. */
  wholeOf({ whole }: StoredCell): StoredCell | null {
    return (whole !== undefined && this.#byIdentity.get(whole)) || null;
  }

  /** Of the same training. */
  othersOf(cell: StoredCell): readonly StoredCell[] {
    return this.#withTrainingOf(cell).filter((other) => other !== cell);
  }

  /** A part of what has come to its end has, too, whoever did it. */
  isDone(part: StoredCell, stateOf: StateOf): boolean {
    const whole = this.wholeOf(part);
    return whole !== null && stateOf(whole).status === 'finished';
  }

  /** What a cell that is to be done begins behind. */
  turnOf(cell: StoredCell, stateOf: StateOf): Turn {
    if (this.partsOf(cell).some((part) => stateOf(part).status !== 'finished')) return 'parts';
    if (stateOf(cell).runId !== null) return 'now';
    const states = this.othersOf(cell).map(stateOf);
    if (states.some(isTrained)) return 'now';
    // What diverged would do so again.
    if (states.some(({ status }) => status === 'diverged')) return 'trained';
    const all = this.#withTrainingOf(cell);
    const before = all.slice(0, all.indexOf(cell)).filter((other) => this.partsOf(other).length === 0);
    return before.every((other) => ['failed', 'damaged'].includes(stateOf(other).status)) ? 'now' : 'trained';
  }

  /** With itself, in their order. */
  #withTrainingOf(cell: StoredCell): readonly StoredCell[] {
    this.#byTraining ??= Map.groupBy(this.cells, (one) => this.#trainingOf(one));
    return this.#byTraining.get(this.#trainingOf(cell))!;
  }

  #trainingOf(cell: StoredCell): string {
    const training = this.#trainings.get(cell) ?? trainingIdentity(cell.plan);
    this.#trainings.set(cell, training);
    return training;
  }
}

/** Whether its weights are those of the training's end, and written down: behind the last step one that trains is still tested. */
function isTrained({ status, runId, step, steps }: State): boolean {
  if (runId === null) return false;
  return status === 'finished' || status === 'evaluating' || (!isLive(status) && step > 0 && step >= steps);
}
