// Writes a run at work into its folder: rows and state into a log of its own, checkpoints, TensorBoard's events. One a piece of work,
// in the process that does it.
import fs from 'node:fs';
import path from 'node:path';
import { EvaluationsFold, type EvaluationSoFar } from '../attack/evaluationState.ts';
import { HealthWatch } from '../health/healthWatch.ts';
import type { Row, RunRecord, TestRecord } from '../protocol/records.ts';
import { isLive } from '../protocol/run.ts';
import type { MemoryUse, RunStatus, RunSummary } from '../protocol/run.ts';
import { checkpointName, verifyCheckpoint, writeCheckpoint } from './checkpointFile.ts';
import { EventsFile } from './eventsFile.ts';
import { heartbeatMs, startHeartbeat } from './heartbeat.ts';
import type { StartHeartbeat } from './heartbeat.ts';
import { beatFile, LogWriter } from './logFile.ts';
import { encodeFrame } from './logFrames.ts';
import { thisProcess } from './owner.ts';
import { checkpointsToPrune } from './pruneCheckpoints.ts';
import { foldRows, resumePoint } from './resumeRun.ts';
import { checkpointsFolder, progressOf, summaryOf } from './runFolder.ts';
import { glance } from './runGlance.ts';
import { RunHistory } from './runHistory.ts';
import { storageError } from './storageError.ts';
import { isVoid, storedVersion } from './stored.ts';
import type { LogHead, RunOrigin, RunProgress, StoredRow, StoredState, Voids } from './stored.ts';
import { at, SummaryFold } from './summaryFold.ts';
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
  readonly beginLog?: (folder: string, head: LogHead, further: readonly Buffer[]) => LogWriter;
  readonly startHeartbeat?: StartHeartbeat;
}

/** After so many bytes of rows the state comes again, so that it is found near the end. */
const stateEveryBytes = 64 * 1024;

/** What a log begins with. */
interface Beginning {
  readonly voids: Voids | null;
  readonly progress: RunProgress;
  readonly health: HealthWatch;
  readonly firstSeq: number;
  readonly evaluations: number;
  readonly restStatus: RunStatus | null;
  readonly checkpoint: string | null;
  readonly faults: readonly string[];
}

export class RunRecorder {
  readonly origin: RunOrigin;
  /** From which training goes on, as a file name; null where it begins. */
  readonly checkpointToResume: string | null;
  /** What was wrong with later checkpoints, a sentence each. */
  readonly faults: readonly string[];
  /** Status of the run before an evaluation of it; null while the run itself is at work. */
  readonly restStatus: RunStatus | null;
  /** Those that rows before this work tell of and that count. */
  readonly evaluations: readonly EvaluationSoFar[];
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #onChange: (summary: RunSummary) => void;
  readonly #onRows: (rows: readonly Row[]) => void;
  readonly #log: LogWriter;
  readonly #fold: SummaryFold;
  readonly #stops: (() => void)[];
  readonly #tests: TestRecord[];
  #committed: RunSummary;
  #seq: number;
  #evaluations: number;
  #bytesSinceState = 0;
  #evaluationStep = 0;
  #events: EventsFile | null = null;
  #failure: Error | null = null;

  /**
   * Begins the log `number`, exclusively. @throws SupersededError where another process was faster; StorageError where the folder
   * can't be read or written.
   */
  constructor(work: 'train' | 'evaluate', number: number, options: RecorderOptions) {
    const { folder, clock, onChange, onRows = () => {} } = options;
    const { beginLog = (...all) => new LogWriter(...all) } = options;
    this.#folder = folder;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#onRows = onRows;
    const history = new RunHistory(folder);
    try {
      this.#tests = work === 'train' ? testsOf(history) : [];
      this.origin = history.origin;
      const beginning = work === 'train' ? trainingFrom(history) : evaluationOf(history);
      this.checkpointToResume = beginning.checkpoint;
      this.faults = beginning.faults;
      this.restStatus = beginning.restStatus;
      this.evaluations = evaluationsOf(history, beginning.voids);
      this.#seq = beginning.firstSeq - 1;
      this.#evaluations = beginning.evaluations;
      const progress = {
        ...beginning.progress,
        status: 'preparing' as const,
        message: null,
        missing: undefined,
        updatedMs: clock.now(),
        workedMs: glance(folder).summary.workedMs,
      };
      this.#committed = summaryOf(folder, this.origin, number, progress);
      this.#fold = new SummaryFold(this.#committed, this.origin.plan, beginning.health);
      const { voids, firstSeq, restStatus } = beginning;
      const head: LogHead = {
        ...{ format: 'kafscope log', version: storedVersion, number, owner: thisProcess(), work },
        ...{ startedMs: clock.now(), firstSeq, voids, restStatus },
      };
      this.#log = beginLog(folder, head, [encodeFrame('state', this.#state())]);
    } finally {
      history.close();
    }
    removeHalfWritten(folder);
    this.#stops = [
      (options.startHeartbeat ?? startHeartbeat)(beatFile(folder, number)),
      clock.every(heartbeatMs, () => {
        this.#inBackground(() => {
          this.#log.checkOwnership();
        });
      }),
    ];
    onChange(this.#committed);
  }

  /** As it stands on the disk. */
  get summary(): RunSummary {
    return this.#committed;
  }

  /** Call before the first row of training; `firstStep` is the first that follows. @throws StorageError */
  openEvents(firstStep: number): void {
    if (!this.origin.plan.observe.tensorboard) return;
    const history = new RunHistory(this.#folder);
    try {
      const [first] = history.rows(0, { maxRows: 1, maxBytes: Infinity });
      const prepared = first?.record.type === 'prepared' ? first.record : null;
      this.#events = new EventsFile(this.#folder, { timeMs: this.#clock.now(), startStep: firstStep, prepared });
    } finally {
      history.close();
    }
  }

  /** @throws StorageError; what was recorded before is safe. */
  record(record: RunRecord): void {
    this.#throwFailure();
    const { health } = this.#fold.summary;
    const row = this.#append(record);
    const isFound = this.#fold.summary.health !== health;
    this.#commit([row], { withState: isFound || this.#bytesSinceState >= stateEveryBytes });
  }

  /** Writes the state's file and only then lists it. Nothing happens where the run has that state. @throws StorageError */
  checkpoint(state: TrainingState): void {
    this.#throwFailure();
    const { step, epoch } = state;
    const file = checkpointName(step);
    if (this.#fold.summary.checkpoints.some((known) => known.file === file && known.epoch === epoch)) return;
    const { plan, id: runId } = this.origin;
    const versions = { ...this.origin.versions, runtime: this.#fold.summary.device ?? 'unknown' };
    this.#log.checkOwnership();
    this.#log.sync();
    const target = path.join(checkpointsFolder(this.#folder), file);
    fs.mkdirSync(checkpointsFolder(this.#folder), { recursive: true });
    writeCheckpoint(target, state, { plan, runId, versions });
    const sizeBytes = sizeOf(target);
    const row = this.#append({ type: 'checkpointed', step, epoch, file });
    const { summary } = this.#fold;
    const checkpoints = summary.checkpoints.map((one) => (one.file === file ? { ...one, sizeBytes } : one));
    this.#fold.summary = { ...summary, checkpoints };
    this.#commit([row], { withState: true });
    this.#prune(target);
  }

  /** Deletes what the plan does not keep, once the newest is whole on the disk. What can't be deleted stays listed. */
  #prune(newest: string): void {
    const { checkpoints } = this.#fold.summary;
    const { checkpointToResume: resumedFrom } = this;
    const { plan } = this.origin;
    const context = { resumedFrom, tests: this.#tests, chooseBy: plan.training.chooseBy };
    const files = checkpointsToPrune(checkpoints, plan.checkpoints, context);
    if (files.length === 0) return;
    verifyCheckpoint(newest);
    const gone = new Set(files.filter((file) => isDeleted(path.join(checkpointsFolder(this.#folder), file))));
    const kept = checkpoints.filter(({ file }) => !gone.has(file));
    this.#fold.summary = { ...this.#fold.summary, checkpoints: kept };
    this.#commit([], { withState: true });
  }

  /** Numbers the evaluation that begins. */
  nextEvaluation(): number {
    return ++this.#evaluations;
  }

  /** @throws StorageError; the change is announced even so. */
  update(change: Partial<Pick<RunSummary, 'status' | 'message' | 'device' | 'missing'>>): void {
    this.#fold.summary = { ...at(this.#clock.now(), this.#fold.summary), ...change };
    try {
      this.#throwFailure();
      this.#commit([], { withState: true });
    } catch (error) {
      this.#committed = { ...this.#committed, ...change };
      this.#onChange(this.#committed);
      throw error;
    }
  }

  /** Goes with the next row. */
  noteMemory(memory: MemoryUse): void {
    this.#fold.summary = { ...this.#fold.summary, memory };
  }

  /** The run rests: its speed starts anew. */
  rest(): void {
    this.#fold.forgetSpeed();
  }

  /** Gives the run up to whoever comes next. */
  close(): void {
    for (const stop of this.#stops) stop();
    try {
      this.#log.sync();
    } catch {
      // What the disk refuses now it has refused or will refuse to whoever reads: the end itself was announced.
    }
    this.#events?.close();
    this.#log.close();
  }

  /** Numbers the record and folds it; the commit that follows may take that back. */
  #append(record: RunRecord): StoredRow {
    const row = { seq: ++this.#seq, timeMs: this.#clock.now(), step: this.#stepOf(record), record };
    this.#fold.apply(row);
    if (record.type === 'test') this.#tests.push(record);
    return row;
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
      case 'updates':
      case 'histograms':
      case 'responses':
      case 'shapes':
      case 'test':
      case 'watch':
      case 'collapsed':
      case 'endedEarly':
      case 'checkpointed':
      case 'diverged':
        return record.step;
      default:
        return record satisfies never;
    }
  }

  #state(): StoredState {
    return { progress: progressOf(this.#fold.summary), seq: this.#seq, evaluations: this.#evaluations };
  }

  #commit(rows: readonly StoredRow[], { withState }: { readonly withState: boolean }): void {
    const before = this.#log.sizeBytes;
    try {
      this.#log.append(
        ...rows.map((row) => encodeFrame('rows', [row])),
        ...(withState ? [encodeFrame('state', this.#state())] : []),
      );
    } catch (error) {
      this.#seq -= rows.length;
      this.#fold.summary = this.#committed;
      throw error;
    }
    this.#bytesSinceState = withState ? 0 : this.#bytesSinceState + this.#log.sizeBytes - before;
    this.#committed = this.#fold.summary;
    if (rows.length > 0) {
      this.#events?.add(rows);
      this.#onRows(rows);
    }
    this.#onChange(this.#committed);
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

/** What a writer left that was killed while it wrote a checkpoint; the run is ours by now, so nobody else writes one. */
function removeHalfWritten(runFolder: string): void {
  const folder = checkpointsFolder(runFolder);
  if (!fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return; // a link leads out of the run
  for (const name of fs.readdirSync(folder)) {
    if (/^step-\d+\.safetensors\.[\w.]*tmp$/.test(name)) fs.rmSync(path.join(folder, name), { force: true });
  }
}

function testsOf(history: RunHistory): TestRecord[] {
  const tests: TestRecord[] = [];
  history.forEachRow(0, ({ record }) => {
    if (record.type === 'test') tests.push(record);
  });
  return tests;
}

function evaluationsOf(history: RunHistory, voids: Voids | null): readonly EvaluationSoFar[] {
  const fold = new EvaluationsFold();
  history.forEachRow(0, (row) => {
    if (!voids || !isVoid(row, voids)) fold.hear(row.record);
  });
  return fold.all;
}

function sizeOf(file: string): number {
  try {
    return fs.statSync(file).size;
  } catch (error) {
    throw storageError(file, error);
  }
}

function isDeleted(file: string): boolean {
  try {
    fs.rmSync(file, { force: true });
    return true;
  } catch {
    return false;
  }
}

function trainingFrom(history: RunHistory): Beginning {
  return { ...resumePoint(history), restStatus: null };
}

function evaluationOf(history: RunHistory): Beginning {
  const { summary, restStatus, evaluations } = glance(history.folder);
  // Older versions kept one figure and not whose it was: the rows tell.
  const { figures, robustAccuracy } = summary.figures ? summary : foldRows(history, () => false).progress;
  return {
    ...{ voids: null, checkpoint: null, faults: [], evaluations, firstSeq: history.lastSeq() + 1 },
    progress: { ...progressOf(summary), figures, robustAccuracy },
    health: new HealthWatch(history.origin.plan),
    // An evaluation that was cut off has left the status of the run at rest in its log's head.
    restStatus: isLive(summary.status) ? (restStatus ?? 'interrupted') : summary.status,
  };
}
