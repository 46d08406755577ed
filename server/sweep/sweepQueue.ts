// Works on a sweep: so many of its cells at once, each by a trainer process of its own, until none is left. What it knows is in the
// sweep's log and in the runs, so it may be ended at any moment and begun again.
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { inTurns } from '../experiment/turns.ts';
import { isLive } from '../protocol/run.ts';
import type { RunSummary } from '../protocol/run.ts';
import type { SweepCell } from '../protocol/sweep.ts';
import { forkTrainer, type GoneTrainer, type TrainerListener } from '../run/forkTrainer.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { newestLog, SupersededError } from '../run/logFile.ts';
import { deviceAt, placesFor, processorAlone, type MachinePlaces, type Place } from '../run/machinePlaces.ts';
import { noteEnd } from '../run/noteRun.ts';
import { isRunFolder } from '../run/runFolder.ts';
import { glance } from '../run/runGlance.ts';
import type { Work } from '../run/runPlan.ts';
import { StorageError } from '../run/storageError.ts';
import type { ToTrainer } from '../run/trainerMessages.ts';
import { CellOrder } from './cellOrder.ts';
import { TakenGpus } from '../run/takenGpus.ts';
import { makeCellRun } from './cellRuns.ts';
import { findRuns, type FoundRuns } from './findRuns.ts';
import { cellTask } from './owedEvaluations.ts';
import { asksAfter, newestCells, readCells, runsFolderOf } from './sweepFolder.ts';
import type { CellSet, StoredCell } from './sweepFolder.ts';
import { readSweepLog, SweepLog } from './sweepLog.ts';
import { cellState, cellStates, isToDo, runOf } from './sweepState.ts';

export interface QueueOptions {
  readonly trainerFile: string;
  readonly atOnce: number;
  /** A place for each run at once (atOnce.ts); all on the processor, where they are left out. */
  readonly slots?: readonly Place[];
  /** What there is on this machine; the processor alone, where it is left out. */
  readonly places?: MachinePlaces;
  /** Those that others of this process have are left to them. */
  readonly gpus?: TakenGpus | undefined;
  /** Of the runtime, for each run. */
  readonly threads: number;
  /** Whether cells whose runs failed are tried once more. */
  readonly isFailedAgain?: boolean;
  readonly log: (line: string) => void;
  readonly onCell: (cell: SweepCell) => void;
  /** Of the day, for what is recorded. */
  readonly now?: () => number;
  readonly watch?: LifeWatch;
  readonly fork?: (file: string, listener: TrainerListener) => ChildProcess;
  /** Calls now and then, until the returned function is called. */
  readonly every?: (call: () => void) => () => void;
}

export interface QueueEnd {
  /** `done` where no cell is left that can be worked on. */
  readonly end: 'done' | 'stopped' | 'interrupted' | 'failed';
  /** Why it ended before its time; null where nothing is to be said. */
  readonly message: string | null;
}

interface AtWork {
  readonly cell: StoredCell;
  readonly folder: string;
  readonly child: ChildProcess;
  summary: RunSummary | null;
  readonly fromStep: number;
  readonly task: Work['type'];
  readonly place: Place;
}

const lookEveryMs = 1000;

/** So many runs in a row that fail before their first step say that the next would, too. */
const maxFailuresInARow = 3;

export class SweepQueue {
  readonly ended: Promise<QueueEnd>;
  readonly #folder: string;
  readonly #options: QueueOptions;
  readonly #watch: LifeWatch;
  readonly #log: SweepLog;
  readonly #end = Promise.withResolvers<QueueEnd>();
  readonly #atWork = new Map<string, AtWork>();
  /** Cells that this queue does not begin again. */
  readonly #given = new Set<string>();
  /** Those whose failed runs were asked for once more. */
  readonly #again = new Set<string>();
  readonly #runs: Map<string, string>;
  /** Runs of the same training, of cells that had none when they were looked for. */
  readonly #trained = new Map<string, readonly string[]>();
  readonly #stopLooking: () => void;
  readonly #gpus: TakenGpus;
  #set: CellSet & { readonly number: number };
  #order: CellOrder;
  #heard: number;
  #isPaused = false;
  #ending: QueueEnd | null = null;
  #isSettled = false;
  #nAdopting = 0;
  #failuresInARow = 0;

  /**
   * Takes the sweep and begins.
   * @throws SupersededError where another process works on it, or takes it in the same moment; StorageError where it can't be read or written
   */
  constructor(folder: string, options: QueueOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#watch = options.watch ?? new LifeWatch();
    this.ended = this.#end.promise;
    const { runs, number } = readSweepLog(folder);
    this.#log = new SweepLog(folder, number + 1, { nowMs: this.#now() });
    // What was asked of those before is not meant for this one.
    this.#heard = asksAfter(folder, -1).at(-1)?.number ?? -1;
    this.#log.append({ type: 'heard', ask: this.#heard });
    this.#log.append({ type: 'status', status: 'working' });
    this.#runs = new Map(runs);
    this.#set = readCells(folder);
    this.#order = new CellOrder(this.#set.cells);
    this.#adopt(this.#set.cells);
    this.#gpus = options.gpus ?? new TakenGpus();
    this.#gpus.join(this, () => {
      this.#guarded(() => {
        this.#startNext();
      });
    });
    const every = options.every ?? everySecond;
    this.#stopLooking = every(() => {
      this.#guarded(() => {
        this.#look();
      });
    });
  }

  /** The cells as they are. */
  cells(): SweepCell[] {
    return cellStates(this.#order, (cell) => this.#state(cell));
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    if (this.#isPaused || this.#ending) return;
    this.#isPaused = true;
    this.#log.append({ type: 'status', status: 'paused' });
    for (const { child } of this.#atWork.values()) tell(child, { type: 'pause' });
  }

  goOn(): void {
    if (!this.#isPaused || this.#ending) return;
    this.#isPaused = false;
    this.#log.append({ type: 'status', status: 'working' });
    for (const { child } of this.#atWork.values()) tell(child, { type: 'resume' });
    this.#startNext();
  }

  /** Cells whose runs failed are tried once more. */
  again(): void {
    if (this.#ending) return;
    for (const cell of this.#set.cells) {
      if (this.#atWork.has(cell.identity) || this.#state(cell).status !== 'failed') continue;
      this.#given.delete(cell.identity);
      this.#again.add(cell.identity);
    }
    this.#startNext();
  }

  /** Its runs end with a checkpoint; begun again, the sweep goes on from there. */
  stop(): void {
    this.#endWith(
      { end: 'stopped', message: null },
      'The sweep was stopped. Start it again to go on from the last checkpoint.',
    );
  }

  /** @param message says what makes it end, in a sentence */
  interrupt(message: string): void {
    this.#endWith({ end: 'interrupted', message }, message);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** Runs of new cells that there are already; until they are found nothing is begun. */
  #adopt(cells: readonly StoredCell[]): void {
    const runsFolder = runsFolderOf(this.#folder);
    const without = cells.filter((cell) => {
      const folder = this.#runFolder(cell);
      return folder === null || !isRunFolder(folder);
    });
    this.#nAdopting++;
    const found = inTurns(findRuns(runsFolder, without, this.#watch)).finally(() => this.#nAdopting--);
    const took = ({ own, trained }: FoundRuns) => {
      if (this.#isSettled) return;
      for (const [identity, runId] of own) this.#note(identity, runId);
      for (const [identity, runIds] of trained) this.#trained.set(identity, runIds);
      this.#startNext();
    };
    void found.then(
      (runs) => {
        this.#guarded(() => {
          took(runs);
        });
      },
      (error: unknown) => {
        this.#guarded(() => {
          throw error;
        });
      },
    );
  }

  #note(identity: string, runId: string): void {
    this.#log.append({ type: 'run', identity, runId });
    this.#runs.set(identity, runId);
  }

  #runFolder(cell: StoredCell): string | null {
    return runOf(cell, { runs: this.#runs }, runsFolderOf(this.#folder));
  }

  #state(cell: StoredCell): SweepCell {
    const seen = cellState(cell, this.#runFolder(cell), this.#watch);
    const entry = this.#atWork.get(cell.identity);
    if (!entry) return seen;
    const { summary } = entry;
    if (!summary) return { ...seen, status: 'preparing' };
    const { status, step, steps, cleanAccuracy, robustAccuracy } = summary;
    return { ...seen, status, step, steps, cleanAccuracy, robustAccuracy };
  }

  /** What others did meanwhile: took the sweep over, asked for something, added cells, ended runs. */
  #look(): void {
    this.#log.checkOwnership();
    for (const { number, ask } of asksAfter(this.#folder, this.#heard)) {
      this.#heard = number;
      this.#log.append({ type: 'heard', ask: number });
      if (ask === 'pause') this.pause();
      else if (ask === 'go-on') this.goOn();
      else if (ask === 'again') this.again();
      else this.stop();
    }
    if (newestCells(this.#folder) > this.#set.number) {
      const set = readCells(this.#folder);
      if (set.number > this.#set.number) {
        this.#set = set;
        this.#order = new CellOrder(set.cells);
        this.#adopt(set.cells);
      }
    }
    this.#startNext();
  }

  #startNext(): void {
    if (this.#ending) {
      this.#settle();
      return;
    }
    if (this.#isPaused || this.#nAdopting > 0) return;
    let isWaiting = false;
    // Looked at once each, until it is begun.
    const known = new Map<StoredCell, SweepCell>();
    const stateOf = (cell: StoredCell) => known.get(cell) ?? known.set(cell, this.#state(cell)).get(cell)!;
    for (const cell of this.#set.cells) {
      if (this.#atWork.size >= this.#options.atOnce) return;
      if (this.#atWork.has(cell.identity) || this.#given.has(cell.identity)) continue;
      // Two cells of one training may have the same run.
      if (this.#isInUse(this.#runFolder(cell))) continue;
      const { status, step } = stateOf(cell);
      // A run that another process works on is waited for, and taken up where that leaves it.
      if (isLive(status)) isWaiting = true;
      else if (this.#order.isDone(cell, stateOf)) this.#given.add(cell.identity);
      else if (this.#isToDo(cell, status)) {
        const place = this.#placeFor(cell);
        if (place === undefined) isWaiting = true;
        if (place === undefined || this.#order.turnOf(cell, stateOf) !== 'now') continue;
        this.#begin(cell, step, place);
        known.delete(cell);
      } else this.#given.add(cell.identity);
    }
    if (this.#atWork.size === 0 && !isWaiting) {
      this.#ending = { end: 'done', message: null };
      this.#settle();
    }
  }

  #isToDo({ identity }: StoredCell, status: SweepCell['status']): boolean {
    return isToDo(status, { isFailedAgain: this.#options.isFailedAgain === true || this.#again.has(identity) });
  }

  /** The first that is free of those where it may work. */
  #placeFor({ plan }: StoredCell): Place | undefined {
    const { atOnce, slots = Array<Place>(atOnce).fill('processor'), places = processorAlone } = this.#options;
    const taken = [...this.#atWork.values()].map(({ place }) => place);
    const count = (of: readonly Place[], place: Place) => of.filter((one) => one === place).length;
    return placesFor(plan, places).find(
      (place) => count(taken, place) < count(slots, place) && !this.#gpus.isOthers(place, this),
    );
  }

  #begin(cell: StoredCell, fromStep: number, place: Place): void {
    this.#given.add(cell.identity);
    const folder = this.#folderFor(cell);
    const base = { incarnation: newestLog(folder) + 1, threads: this.#options.threads };
    const parts = this.#order.partsOf(cell).map((part) => this.#runFolder(part)!);
    const device = deviceAt(place, cell.plan);
    const work: Work = { ...cellTask(glance(folder), cell), ...base, parts, device };
    const fork = this.#options.fork ?? forkTrainer;
    const child = fork(this.#options.trainerFile, {
      log: (line) => {
        this.#options.log(`[${path.basename(folder)}] ${line}`);
      },
      onReady: () => {
        tell(child, { type: 'begin', folder, work });
        if (this.#isPaused) tell(child, { type: 'pause' });
      },
      onProgress: (summary) => {
        const entry = this.#atWork.get(cell.identity);
        if (entry) entry.summary = summary;
        this.#options.onCell(this.#state(cell));
      },
      onGone: (gone) => {
        this.#guarded(() => {
          this.#gone(cell, gone);
        });
      },
    });
    this.#atWork.set(cell.identity, { cell, folder, child, summary: null, fromStep, task: work.type, place });
    this.#gpus.take(place, this);
  }

  #isInUse(folder: string | null): boolean {
    return [...this.#atWork.values()].some((entry) => entry.folder === folder);
  }

  #folderFor(cell: StoredCell): string {
    const known = this.#runFolder(cell);
    if (known !== null && isRunFolder(known)) return known;
    const others = this.#order.othersOf(cell).flatMap((other) => this.#runFolder(other) ?? []);
    const found = (this.#trained.get(cell.identity) ?? []).map((id) => path.join(runsFolderOf(this.#folder), id));
    const trained = [...new Set([...others, ...found])].filter(isRunFolder);
    const made = { trained, watch: this.#watch, nowMs: this.#now() };
    const run = makeCellRun(this.#folder, this.#set, cell, made);
    this.#note(cell.identity, run.id);
    return run.folder;
  }

  #gone(cell: StoredCell, gone: GoneTrainer): void {
    const entry = this.#atWork.get(cell.identity);
    this.#atWork.delete(cell.identity);
    if (!entry) return;
    this.#gpus.leave(entry.place, this);
    if (!gone.end && gone.refusal === null) this.#noteEnd(entry.folder, gone);
    const state = this.#state(cell);
    this.#options.onCell(state);
    // Trained to its end as the run of another experiment, it is attacked next.
    const isTrained = state.status === 'waiting' && entry.task === 'train';
    if (isTrained && cellTask(glance(entry.folder), cell).type === 'evaluate') this.#given.delete(cell.identity);
    // One that was cut off and had come further is taken up again; one that had not would be cut off for ever.
    if (state.status === 'interrupted' && state.step > entry.fromStep) this.#given.delete(cell.identity);
    const hasFailedAtOnce = state.status === 'failed' && state.step === 0;
    this.#failuresInARow = hasFailedAtOnce ? this.#failuresInARow + 1 : 0;
    if (this.#failuresInARow >= maxFailuresInARow) {
      const message = `${String(maxFailuresInARow)} cells in a row failed before their first step, so no more are begun. The last: ${state.message ?? 'no reason was told'}`;
      this.#endWith({ end: 'failed', message }, message);
    }
    this.#startNext();
  }

  /** Of a trainer that ended without a word. Where it can't be written, whoever looks finds a run without a process. */
  #noteEnd(folder: string, { status, text, lastWords }: GoneTrainer): void {
    const said = lastWords ? ` Its last words: ${lastWords}` : '';
    try {
      const incarnation = newestLog(folder) + 1;
      noteEnd(folder, { status, message: `The trainer process ${text}.${said}` }, { incarnation, nowMs: this.#now() });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#options.log(error.message);
    }
  }

  #endWith(ending: QueueEnd, message: string): void {
    if (this.#ending) return;
    this.#ending = ending;
    for (const { child } of this.#atWork.values()) tell(child, { type: 'interrupt', message });
    this.#settle();
  }

  #settle(): void {
    if (!this.#ending || this.#atWork.size > 0 || this.#isSettled) return;
    this.#isSettled = true;
    this.#stopLooking();
    this.#gpus.part(this);
    try {
      this.#log.append({ type: 'status', status: 'resting' });
    } catch (error) {
      // The sweep is another's by now, or its disk is gone: whoever looks sees that nobody is at work here.
      this.#options.log((error as Error).message);
    }
    this.#log.close();
    this.#end.resolve(this.#ending);
  }

  /** A disk that refuses ends the sweep, and its runs with checkpoints. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const end = error instanceof SupersededError ? 'interrupted' : 'failed';
      this.#endWith({ end, message: error.message }, error.message);
      this.#settle();
    }
  }
}

function everySecond(call: () => void): () => void {
  const timer = setInterval(call, lookEveryMs);
  return () => {
    clearInterval(timer);
  };
}

function tell(child: ChildProcess, message: ToTrainer): void {
  // A trainer that is just ending can't hear any more; its exit tells the rest.
  if (child.connected) child.send(message, () => {});
}
