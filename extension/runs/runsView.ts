// What of the runs the view shows, and in which order: chosen by the person, kept for the workspace. Pure but for where it is kept.
import { Emitter } from 'vscode-jsonrpc/node';
import type { Event } from 'vscode-jsonrpc/node';
import { statusText, type RunSummary } from '../../server/protocol/run.ts';

export const runOrders = {
  newest: 'Newest first',
  name: 'By name and seed',
  clean: 'By clean accuracy',
  robust: 'By accuracy under attack',
  loss: 'By loss',
} as const;

export type RunOrder = keyof typeof runOrders;

export interface RunsChoice {
  /** Words that a run must have, all of them; `-word` for one that it must not. */
  readonly filter: string;
  readonly order: RunOrder;
  readonly showsHidden: boolean;
  /** Ids of those that are ticked to be compared; null while there are no boxes to tick. */
  readonly ticked: readonly string[] | null;
}

export const everyRun: RunsChoice = { filter: '', order: 'newest', showsHidden: false, ticked: null };

/** As VS Code keeps things by name. */
export interface Keeper {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

const key = 'kafscope.runsView';

export class RunsView {
  private readonly keeper: Keeper;
  private readonly emitter = new Emitter<void>();
  readonly onDidChange: Event<void> = this.emitter.event;
  private kept: RunsChoice;

  constructor(keeper: Keeper) {
    this.keeper = keeper;
    this.kept = choiceIn(keeper.get(key));
  }

  get choice(): RunsChoice {
    return this.kept;
  }

  choose(change: Partial<RunsChoice>): void {
    this.kept = { ...this.kept, ...change };
    void this.keeper.update(key, this.kept);
    this.emitter.fire();
  }

  /** @param changed ids of runs, and whether each is ticked by now */
  tick(changed: ReadonlyMap<string, boolean>): void {
    const others = (this.kept.ticked ?? []).filter((id) => !changed.has(id));
    this.choose({ ticked: [...others, ...[...changed].flatMap(([id, isTicked]) => (isTicked ? [id] : []))] });
  }

  dispose(): void {
    this.emitter.dispose();
  }
}

/** Of what a version of Kafscope kept, all that makes sense. */
function choiceIn(value: unknown): RunsChoice {
  const { filter, order, showsHidden, ticked } = (value ?? {}) as Record<string, unknown>;
  return {
    filter: typeof filter === 'string' ? filter : '',
    order: typeof order === 'string' && Object.hasOwn(runOrders, order) ? (order as RunOrder) : 'newest',
    showsHidden: showsHidden === true,
    ticked: Array.isArray(ticked) ? ticked.filter((id): id is string => typeof id === 'string') : null,
  };
}

/** Whether the run has all the words of the filter, wherever: name, seed, title, `#tag`, note, status, settings. */
export function isFound(run: RunSummary, filter: string): boolean {
  const { title = '', tags = [], note = '' } = run.mark ?? {};
  const texts = [run.name, `seed ${String(run.seed)}`, title, ...tags.map((tag) => `#${tag}`), note, statusText(run)];
  const text = [...texts, run.description, run.id].join('\n').toLowerCase();
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '-');
  return words.every((word) => (word.startsWith('-') ? !text.includes(word.slice(1)) : text.includes(word)));
}

/** Pinned runs first, then as chosen; what has no figure comes last. */
export function compareRuns(order: RunOrder): (a: RunSummary, b: RunSummary) => number {
  const newest = (a: RunSummary, b: RunSummary): number =>
    b.createdMs - a.createdMs || b.id.localeCompare(a.id, 'en', { numeric: true });
  const by = (a: RunSummary, b: RunSummary): number => {
    switch (order) {
      case 'newest':
        return 0;
      case 'name':
        return a.name.localeCompare(b.name, 'en', { numeric: true }) || a.seed - b.seed;
      case 'clean':
        return figure(b.cleanAccuracy, -1) - figure(a.cleanAccuracy, -1);
      case 'robust':
        return figure(b.robustAccuracy, -1) - figure(a.robustAccuracy, -1);
      case 'loss': {
        const [ofA, ofB] = [figure(a.loss, Infinity), figure(b.loss, Infinity)];
        return ofA === ofB ? 0 : ofA - ofB;
      }
      default:
        return order satisfies never;
    }
  };
  return (a, b) => Number(isPinned(b)) - Number(isPinned(a)) || by(a, b) || newest(a, b);
}

export function isPinned({ mark }: RunSummary): boolean {
  return mark?.isPinned === true;
}

function figure(value: number | null, otherwise: number): number {
  return value === null || !Number.isFinite(value) ? otherwise : value;
}
