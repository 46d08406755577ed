// The server's runs: which there are, which one is at work, which wait, and the trainer processes. One run trains at a time.
// Clients and messages are not known here.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { EvaluationPlan } from '../protocol/plan.ts';
import { isLive, isResumable } from '../protocol/run.ts';
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import { prepareEvaluation, prepareResume, isAbandoned, settleRun } from './resumeRun.ts';
import { RunDatabase, StorageError, storageError } from './runDatabase.ts';
import { createRun, databaseFile, listRunFolders } from './runFolder.ts';
import type { NewRun } from './runFolder.ts';
import type { Work } from './runPlan.ts';
import type { FromTrainer, ToTrainer } from './trainerMessages.ts';

/** A run can't do what was asked of it: there is none of that name, or its status does not allow it. */
export class RunStateError extends Error {
  override readonly name = 'RunStateError';
  readonly kind: 'unknownRun' | 'wrongState' | 'unknownFile';

  constructor(kind: RunStateError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface SupervisorOptions {
  readonly runsFolder: string;
  /** Bundle or source of the trainer process. */
  readonly trainerFile: string;
  readonly log: (line: string) => void;
  readonly now: () => number;
}

interface Entry {
  summary: RunSummary;
  child: ChildProcess | null;
  work: Work | null;
}

/** How a trainer process ended that did not say so itself. */
interface Exit {
  readonly status: 'failed' | 'interrupted';
  readonly text: string;
}

interface SupervisorEvents {
  /** A summary changed. */
  changed: [run: RunSummary];
  /** The log was cut: what was read of later rows no longer holds. */
  cut: [runId: string];
  deleted: [run: RunSummary];
}

const stderrKeptBytes = 4000;

export class RunSupervisor {
  readonly events = new EventEmitter<SupervisorEvents>();
  readonly #options: SupervisorOptions;
  readonly #entries = new Map<string, Entry>();
  #queue: Entry[] = [];
  #isClosing = false;

  /** Runs that claim to be live but have no process any more become `interrupted`. @throws StorageError */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.refresh();
  }

  /** Whether a run of this server is at work or waits. */
  get isBusy(): boolean {
    return [...this.#entries.values()].some((entry) => entry.child !== null || this.#queue.includes(entry));
  }

  /** Newest first; reads again what others (the command line) may have changed. */
  list(): RunSummary[] {
    this.refresh();
    return [...this.#entries.values()]
      .map((entry) => entry.summary)
      .sort((a, b) => b.createdMs - a.createdMs || b.id.localeCompare(a.id));
  }

  /** @throws RunStateError */
  get(runId: string): RunSummary {
    return this.#entry(runId).summary;
  }

  /** @throws StorageError */
  start(run: NewRun): RunSummary {
    const summary = createRun(this.#options.runsFolder, run, this.#options.now());
    const entry: Entry = { summary, child: null, work: { type: 'train', checkpoint: null } };
    this.#entries.set(summary.id, entry);
    this.#enqueue(entry);
    return entry.summary;
  }

  pause(runId: string): RunSummary {
    const entry = this.#entry(runId);
    const { status } = entry.summary;
    if (status === 'paused') return entry.summary;
    if (!entry.child || status === 'queued') throw wrongState(entry, 'paused', 'it is not at work here');
    this.#tell(entry, { type: 'pause' });
    return entry.summary;
  }

  /** @throws RunStateError | StorageError */
  resume(runId: string): RunSummary {
    const entry = this.#entry(runId);
    if (entry.child) {
      this.#tell(entry, { type: 'resume' });
      return entry.summary;
    }
    if (!isResumable(entry.summary)) throw wrongState(entry, 'resumed', 'it is not an ended run with steps left');
    const { checkpoint, summary } = prepareResume(entry.summary.folder, this.#options.now());
    entry.work = { type: 'train', checkpoint };
    this.events.emit('cut', runId);
    this.#change(entry, summary);
    this.#enqueue(entry);
    return entry.summary;
  }

  stop(runId: string): RunSummary {
    const entry = this.#entry(runId);
    if (entry.child) this.#tell(entry, { type: 'stop' });
    else if (this.#queue.includes(entry)) {
      this.#queue = this.#queue.filter((queued) => queued !== entry);
      this.#settle(entry, { status: 'stopped', message: null });
    } else throw wrongState(entry, 'stopped', 'it is not at work here');
    return entry.summary;
  }

  /** @throws RunStateError | StorageError */
  evaluate(runId: string, checkpoint: string | null, evaluation: EvaluationPlan): RunSummary {
    const entry = this.#entry(runId);
    if (isLive(entry.summary.status)) throw wrongState(entry, 'evaluated', 'it is at work');
    const file = checkpoint ?? entry.summary.checkpoints.at(-1)?.file;
    if (!file) throw new RunStateError('unknownFile', `Run ${runId} has no checkpoint to evaluate. Train it first.`);
    if (!entry.summary.checkpoints.some((known) => known.file === file)) {
      throw new RunStateError('unknownFile', `Run ${runId} has no checkpoint ${file}.`);
    }
    const summary = prepareEvaluation(entry.summary.folder, this.#options.now());
    entry.work = { type: 'evaluate', checkpoint: file, evaluation };
    this.#change(entry, summary);
    this.#enqueue(entry);
    return entry.summary;
  }

  /** @throws RunStateError | StorageError */
  delete(runId: string): void {
    const entry = this.#entry(runId);
    if (isLive(entry.summary.status)) throw wrongState(entry, 'deleted', 'it is at work; stop it first');
    this.#entries.delete(runId);
    this.events.emit('deleted', entry.summary);
    try {
      fs.rmSync(entry.summary.folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      throw storageError(entry.summary.folder, error);
    }
  }

  /** Reads the folder again: runs that others made, changed or removed. */
  refresh(): void {
    const folders = listRunFolders(this.#options.runsFolder);
    const ids = new Set(folders.map((folder) => path.basename(folder)));
    for (const [id, entry] of this.#entries) {
      if (ids.has(id) || entry.child) continue;
      this.#entries.delete(id);
      this.events.emit('deleted', entry.summary);
    }
    for (const folder of folders) {
      const entry = this.#entries.get(path.basename(folder));
      if (!entry?.child && !(entry && this.#queue.includes(entry))) this.#read(folder, entry);
    }
  }

  /** Looks after runs that are live in another process, as the command line's are. */
  followOthers(): void {
    for (const entry of this.#entries.values()) {
      if (!isLive(entry.summary.status) || entry.child || this.#queue.includes(entry)) continue;
      if (fs.existsSync(databaseFile(entry.summary.folder))) this.#read(entry.summary.folder, entry);
      else this.refresh();
    }
  }

  /** Ends every trainer with a checkpoint; their runs become `interrupted`. Settles when all are gone. */
  async close(message: string): Promise<void> {
    this.#isClosing = true;
    for (const entry of this.#queue.splice(0)) this.#settle(entry, { status: 'interrupted', message });
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        if (!entry.child) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        entry.child.once('close', () => {
          resolve();
        });
        this.#tell(entry, { type: 'interrupt', message });
        await promise;
      }),
    );
  }

  #read(folder: string, known: Entry | undefined): void {
    let summary: RunSummary;
    try {
      const database = RunDatabase.open(databaseFile(folder), 'read');
      let state;
      try {
        state = database.readState();
      } finally {
        database.close();
      }
      summary = { ...state.summary, folder };
      if (isAbandoned(state, this.#options.now())) {
        const remedy =
          state.restStatus === null ? 'Resume the run to go on from its last checkpoint.' : 'Start the attack again.';
        const message = `Its process ended without a message, as when the machine or the server is stopped. ${remedy}`;
        summary = settleRun(folder, this.#options.now(), { status: 'interrupted', message });
      }
    } catch (error) {
      // One damaged folder must not hide the others.
      this.#options.log(`${folder} is left out: ${(error as Error).message}`);
      return;
    }
    if (!known) {
      const entry: Entry = { summary, child: null, work: null };
      this.#entries.set(summary.id, entry);
    } else if (known.summary.updatedMs !== summary.updatedMs || known.summary.status !== summary.status) {
      this.#change(known, summary);
    }
  }

  #entry(runId: string): Entry {
    const entry = this.#entries.get(runId);
    if (!entry) throw new RunStateError('unknownRun', `There is no run ${runId} in ${this.#options.runsFolder}.`);
    return entry;
  }

  #enqueue(entry: Entry): void {
    this.#queue.push(entry);
    this.events.emit('changed', entry.summary);
    this.#startNext();
  }

  #startNext(): void {
    if (this.#isClosing || [...this.#entries.values()].some((entry) => entry.child !== null)) return;
    const entry = this.#queue.shift();
    if (entry) this.#fork(entry);
  }

  #fork(entry: Entry): void {
    const child = fork(this.#options.trainerFile, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    entry.child = child;
    let stderr = '';
    let end: RunSummary | null = null;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-stderrKeptBytes);
      this.#options.log(`[${entry.summary.id}] ${text.trimEnd()}`);
    });
    child.on('message', (message: FromTrainer) => {
      switch (message.type) {
        case 'ready':
          if (entry.work) this.#tell(entry, { type: 'begin', folder: entry.summary.folder, work: entry.work });
          return;
        case 'changed':
        case 'ended': {
          const summary = { ...message.summary, folder: entry.summary.folder };
          // A run is at rest once nobody writes its folder any more.
          if (isLive(summary.status)) this.#change(entry, summary);
          else end = summary;
          return;
        }
        default:
          message satisfies never;
      }
    });
    let exit: Exit = { status: 'failed', text: 'could not be started' };
    child.on('error', (error) => {
      exit = { status: 'failed', text: `failed (${error.message})` };
      this.#options.log(`[${entry.summary.id}] ${error.message}`);
      if (child.pid === undefined) child.emit('close', null, null);
    });
    child.on('exit', (code, signal) => {
      exit = signal
        ? { status: 'interrupted', text: `was ended by ${signal}` }
        : { status: 'failed', text: `ended with code ${String(code)}` };
    });
    child.once('close', () => {
      const { work } = entry;
      entry.child = null;
      entry.work = null;
      if (end) this.#change(entry, end);
      else this.#settleDead(entry, work, exit, stderr);
      this.#startNext();
    });
  }

  #settleDead(entry: Entry, work: Work | null, exit: Exit, stderr: string): void {
    const lastWords = stderr.trim().split('\n').at(-1);
    const said = lastWords ? ` Its last words: ${lastWords}` : '';
    const remedy =
      work?.type === 'evaluate'
        ? 'Start the attack again.'
        : entry.summary.checkpoints.length > 0
          ? 'Resume the run to go on from its last checkpoint.'
          : 'It had no checkpoint yet; resume the run to begin again.';
    this.#settle(entry, { status: exit.status, message: `The trainer process ${exit.text}. ${remedy}${said}` });
  }

  #settle(entry: Entry, end: { status: RunStatus; message: string | null }): void {
    try {
      this.#change(entry, settleRun(entry.summary.folder, this.#options.now(), end));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#change(entry, {
        ...entry.summary,
        status: end.status,
        message: `${end.message ?? ''} ${error.message}`.trim(),
      });
    }
  }

  #change(entry: Entry, summary: RunSummary): void {
    entry.summary = summary;
    this.events.emit('changed', summary);
  }

  #tell(entry: Entry, message: ToTrainer): void {
    // A trainer that is just ending can't hear any more; its exit tells the rest.
    if (entry.child?.connected) entry.child.send(message, () => {});
  }
}

function wrongState(entry: Entry, participle: string, why: string): RunStateError {
  const { id, status } = entry.summary;
  return new RunStateError('wrongState', `Run ${id} is ${status} and can't be ${participle}: ${why}.`);
}
