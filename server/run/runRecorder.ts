// Writes a run at work into its folder: rows and summary in run.db, checkpoints, TensorBoard's events. One a run, in the
// process that trains it.
import fs from 'node:fs';
import path from 'node:path';
import type { Row, RunRecord } from '../protocol/records.ts';
import type { CheckpointSummary, MemoryUse, RunStatus, RunSummary } from '../protocol/run.ts';
import { checkpointName, writeCheckpoint } from './checkpointFile.ts';
import { EventsFile } from './eventsFile.ts';
import { RunDatabase } from './runDatabase.ts';
import type { RunOrigin, RunState, StoredRow } from './runDatabase.ts';
import { checkpointsFolder, databaseFile } from './runFolder.ts';
import { SummaryFold } from './summaryFold.ts';
import type { TrainingState } from '../trainer/trainingState.ts';

export interface Clock {
  now(): number;
  /** Calls back again and again; returns what ends it. */
  every(intervalMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs);
    timer.unref();
    return () => {
      clearInterval(timer);
    };
  },
};

export interface RecorderOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Called with every summary that has reached the disk, and with one that could not. */
  readonly onChange: (summary: RunSummary) => void;
  /** Called with the rows that have reached the disk, before `onChange`. */
  readonly onRows?: (rows: readonly Row[]) => void;
  readonly openDatabase?: (file: string) => RunDatabase;
}

/** Without write-ahead logging each commit waits for the disk, so rows are gathered for so long. */
const slowCommitMs = 200;
export const heartbeatMs = 5000;

export class RunRecorder {
  readonly origin: RunOrigin;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #onChange: (summary: RunSummary) => void;
  readonly #onRows: (rows: readonly Row[]) => void;
  readonly #database: RunDatabase;
  readonly #fold: SummaryFold;
  readonly #timers: (() => void)[];
  #state: RunState;
  #committed: RunSummary;
  #seq: number;
  #pending: StoredRow[] = [];
  #lastCommitMs = 0;
  #evaluationStep = 0;
  #events: EventsFile | null = null;
  #failure: Error | null = null;

  /** @throws StorageError */
  constructor(options: RecorderOptions) {
    const { folder, clock, onChange, onRows = () => {} } = options;
    const { openDatabase = (file: string) => RunDatabase.open(file, 'write') } = options;
    this.#folder = folder;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#onRows = onRows;
    fs.mkdirSync(checkpointsFolder(folder), { recursive: true });
    this.#database = openDatabase(databaseFile(folder));
    this.origin = this.#database.readOrigin();
    this.#state = { ...this.#database.readState(), pid: process.pid };
    this.#committed = this.#state.summary;
    this.#fold = new SummaryFold(this.#committed, this.origin.plan);
    this.#seq = this.#database.lastSeq();
    this.#timers = [
      clock.every(heartbeatMs, () => {
        this.#inBackground(() => {
          this.#commit([]);
        });
      }),
    ];
    if (!this.#database.isWriteAhead) {
      this.#timers.push(
        clock.every(slowCommitMs, () => {
          this.#inBackground(() => {
            this.flush();
          });
        }),
      );
    }
  }

  /** As it stands on the disk. */
  get summary(): RunSummary {
    return this.#committed;
  }

  get restStatus(): RunStatus | null {
    return this.#state.restStatus;
  }

  /** Call before the first row of training; `startStep` is 0 or the first step after a resume. @throws StorageError */
  openEvents(startStep: number): void {
    const [first] = this.#database.readRows(0, { maxRows: 1, maxBytes: 1 });
    const prepared = first?.record.type === 'prepared' ? first.record : null;
    this.#events = new EventsFile(this.#folder, { timeMs: this.#clock.now(), startStep, prepared });
  }

  /** @throws StorageError; what was recorded before is safe. */
  record(record: RunRecord): void {
    this.#add(record);
    if (this.#database.isWriteAhead || this.#clock.now() - this.#lastCommitMs >= slowCommitMs) this.flush();
  }

  /** Writes the state's file and only then lists it. Nothing happens where the run has that state. @throws StorageError */
  checkpoint(state: TrainingState): void {
    const { step, epoch } = state;
    const file = checkpointName(step);
    if (this.#fold.summary.checkpoints.some((known) => known.file === file && known.epoch === epoch)) return;
    const { plan, id: runId } = this.origin;
    const versions = { ...this.origin.versions, runtime: this.#fold.summary.device ?? 'unknown' };
    writeCheckpoint(path.join(checkpointsFolder(this.#folder), file), state, { plan, runId, versions });
    this.#add({ type: 'checkpointed', step, epoch, file });
    this.#commit([{ file, step, epoch }]);
  }

  /** Numbers the evaluation that begins. */
  nextEvaluation(): number {
    this.#state = { ...this.#state, evaluations: this.#state.evaluations + 1 };
    return this.#state.evaluations;
  }

  /** @throws StorageError; the change is announced even so. */
  update(change: Partial<Pick<RunSummary, 'status' | 'message' | 'device'>>): void {
    this.#fold.summary = { ...this.#fold.summary, ...change, updatedMs: this.#clock.now() };
    try {
      this.#commit([]);
    } catch (error) {
      this.#committed = { ...this.#committed, ...change };
      this.#onChange(this.#committed);
      throw error;
    }
  }

  /** Goes with the next row. */
  noteMemory(memory: MemoryUse): void {
    const { memory: known } = this.#fold.summary;
    if (known?.usedBytes === memory.usedBytes && known.peakBytes === memory.peakBytes) return;
    this.#fold.summary = { ...this.#fold.summary, memory };
  }

  /** The run rests: its speed starts anew. */
  rest(): void {
    this.#fold.forgetSpeed();
  }

  /** @throws StorageError */
  flush(): void {
    this.#throwFailure();
    if (this.#pending.length > 0) this.#commit([]);
  }

  /** Gives the run up to whoever comes next. */
  close(): void {
    for (const stop of this.#timers) stop();
    try {
      this.#state = { ...this.#state, pid: null, restStatus: null };
      this.#commit([]);
    } finally {
      this.#events?.close();
      this.#database.close();
    }
  }

  #add(record: RunRecord): void {
    this.#throwFailure();
    const row = { seq: ++this.#seq, timeMs: this.#clock.now(), step: this.#stepOf(record), record };
    this.#pending.push(row);
    this.#fold.apply(row);
  }

  #stepOf(record: RunRecord): number {
    switch (record.type) {
      case 'prepared':
        return 0;
      case 'evaluationStarted':
        this.#evaluationStep = record.step;
        return record.step;
      case 'attackProgress':
      case 'evaluationFinished':
        return this.#evaluationStep;
      case 'step':
      case 'norms':
      case 'shapes':
      case 'test':
      case 'checkpointed':
      case 'diverged':
        return record.step;
      default:
        return record satisfies never;
    }
  }

  #commit(checkpoints: readonly CheckpointSummary[]): void {
    const rows = this.#pending;
    this.#pending = [];
    const now = this.#clock.now();
    const state = { ...this.#state, summary: this.#fold.summary, heartbeatMs: now };
    try {
      this.#database.commit(rows, checkpoints, state);
    } catch (error) {
      this.#seq -= rows.length;
      this.#fold.summary = this.#committed;
      throw error;
    }
    const isNews = rows.length > 0 || this.#committed !== state.summary;
    this.#state = state;
    this.#committed = state.summary;
    this.#lastCommitMs = now;
    this.#events?.add(rows);
    if (rows.length > 0) this.#onRows(rows);
    if (isNews) this.#onChange(this.#committed);
  }

  /** A timer has nobody to throw at: the next record fails instead. */
  #inBackground(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }
}
