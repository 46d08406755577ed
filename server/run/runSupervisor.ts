// The server's runs: which there are, which are at work here, which wait, and the trainer processes.
// Clients and messages are not known here. What this server alone knows of a run (that it is queued, why its trainer died) lies over
// what the run's folder says.
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { atOnce, inTurns, type Turns } from '../experiment/turns.ts';
import type { DeviceListResult } from '../protocol/messages.ts';
import type { EvaluationPlan } from '../protocol/plan.ts';
import { isLive, isResumable, whyNotResumable } from '../protocol/run.ts';
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import { isEmptyMark, type RunMark } from '../protocol/runMark.ts';
import { LifeWatch } from './lifeWatch.ts';
import type { Life } from './lifeWatch.ts';
import { readMark, writeMark } from './markFile.ts';
import { SupersededError } from './logFile.ts';
import { noteEnd } from './noteRun.ts';
import { forkRun } from './forkRun.ts';
import type { Gpu } from './machinePlaces.ts';
import type { TakenGpus } from './takenGpus.ts';
import { createRun, deleteRun, isRunFolder, listRunFolders } from './runFolder.ts';
import type { NewRun } from './runFolder.ts';
import { damagedRun, glance, judged, newestOf, placeOf, remedy } from './runGlance.ts';
import type { Work } from './runPlan.ts';
import { RunQueue } from './runQueue.ts';
import { RunStateError } from './runStateError.ts';
import { StorageError } from './storageError.ts';
import { hasOtherFolders, isOthers, newestFirst, notHere, signOf, wrongState, type Entry } from './supervisedRun.ts';
import { forkTrainer } from './forkTrainer.ts';
import type { GoneTrainer } from './forkTrainer.ts';
import type { ToTrainer } from './trainerMessages.ts';

export interface SupervisorOptions {
  readonly runsFolder: string;
  /** Bundle or source of the trainer process. */
  readonly trainerFile: string;
  readonly log: (line: string) => void;
  /** Of the day, for what is recorded. */
  readonly now: () => number;
  readonly watch?: LifeWatch;
  /** By default nothing is known of devices, and one run trains at a time. */
  readonly listDevices?: () => Promise<DeviceListResult>;
  /** Those that the server's sweeps have. */
  readonly gpus?: TakenGpus;
}

interface SupervisorEvents {
  /** A summary changed. */
  changed: [run: RunSummary];
  /** What was read of later rows no longer holds: the run went on from an earlier step. */
  cut: [runId: string];
  deleted: [run: RunSummary];
}

export class RunSupervisor {
  readonly events = new EventEmitter<SupervisorEvents>();
  readonly #options: SupervisorOptions;
  readonly #watch: LifeWatch;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: RunQueue;
  #isClosing = false;
  #revision = 0;

  /** @throws StorageError */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#watch = options.watch ?? new LifeWatch();
    const { log, listDevices = () => Promise.resolve({ chosen: 'wasm' as const, devices: [] }) } = options;
    this.#queue = new RunQueue({
      ...{ log, listDevices, gpus: options.gpus },
      onPlaces: () => {
        this.#startNext();
      },
    });
    this.refresh();
  }

  /** Whether a run of this server is at work or waits. */
  get isBusy(): boolean {
    return [...this.#entries.values()].some((entry) => this.#isOurs(entry));
  }

  /** Newest first; reads again what others (the command line, other hosts) may have changed. */
  list(): RunSummary[] {
    this.refresh();
    return newestFirst(this.#entries.values());
  }

  /** As `list`, a run at a time: others have their turn between. @throws StorageError */
  async listInTurns(): Promise<RunSummary[]> {
    await inTurns(this.#refreshing());
    return newestFirst(this.#entries.values());
  }

  /** @throws RunStateError */
  get(runId: string): RunSummary {
    return this.#entry(runId).summary;
  }

  /** @throws StorageError */
  start(run: NewRun): RunSummary {
    const made = createRun(this.#options.runsFolder, run, this.#options.now());
    const entry = this.#read(made.folder, undefined)!;
    this.#enqueue(entry, { type: 'train', incarnation: 0 });
    return entry.summary;
  }

  pause(runId: string): RunSummary {
    const entry = this.#entry(runId);
    const { status } = entry.summary;
    if (status === 'paused') return entry.summary;
    if (!entry.child || status === 'queued') throw wrongState(entry, 'paused', notHere(entry));
    this.#tell(entry, { type: 'pause' });
    return entry.summary;
  }

  /** @throws RunStateError | StorageError */
  resume(runId: string, dataFolder?: string): RunSummary {
    const entry = this.#fresh(runId);
    if (entry.child) {
      this.#tell(entry, { type: 'resume' });
      return entry.summary;
    }
    if (!isResumable(entry.summary)) {
      const reason = isLive(entry.summary.status) ? notHere(entry) : whyNotResumable(entry.summary);
      throw wrongState(entry, 'resumed', reason);
    }
    this.#enqueue(entry, { type: 'train', incarnation: entry.summary.incarnation + 1, dataFolder });
    return entry.summary;
  }

  stop(runId: string): RunSummary {
    const entry = this.#entry(runId);
    if (entry.child) this.#tell(entry, { type: 'stop' });
    else if (this.#queue.has(entry)) {
      this.#queue.remove(entry);
      const { work } = entry;
      if (work?.type === 'train') this.#note(entry, { status: 'stopped', message: null }, work);
      else this.#read(entry.summary.folder, entry);
    } else throw wrongState(entry, 'stopped', notHere(entry));
    return entry.summary;
  }

  /** @throws RunStateError | StorageError */
  evaluate(runId: string, checkpoint: string | null, evaluation: EvaluationPlan, dataFolder?: string): RunSummary {
    const entry = this.#fresh(runId);
    const { status, checkpoints, incarnation } = entry.summary;
    if (isLive(status)) throw wrongState(entry, 'evaluated', 'it is at work');
    const file = checkpoint ?? checkpoints.at(-1)?.file;
    if (!file) throw new RunStateError('unknownFile', `Run ${runId} has no checkpoint to evaluate. Train it first.`);
    if (!checkpoints.some((known) => known.file === file)) {
      throw new RunStateError('unknownFile', `Run ${runId} has no checkpoint ${file}.`);
    }
    this.#enqueue(entry, { type: 'evaluate', incarnation: incarnation + 1, checkpoint: file, evaluation, dataFolder });
    return entry.summary;
  }

  /** What the evaluation was of, and where it goes on, the trainer reads from the run's log. @throws RunStateError | StorageError */
  resumeEvaluation(runId: string, evaluation: number, dataFolder?: string): RunSummary {
    const entry = this.#fresh(runId);
    const { status, incarnation } = entry.summary;
    if (isLive(status)) throw wrongState(entry, 'evaluated', 'it is at work');
    this.#enqueue(entry, { type: 'evaluate', incarnation: incarnation + 1, continues: evaluation, dataFolder });
    return entry.summary;
  }

  /** A run of its own that trains on from a checkpoint of this one, which stays as it is. @throws RunStateError | StorageError */
  fork(runId: string, checkpoint: string): RunSummary {
    const entry = this.#fresh(runId);
    const { checkpoints, folder } = entry.summary;
    if (!checkpoints.some(({ file }) => file === checkpoint)) {
      throw new RunStateError('unknownFile', `Run ${runId} has no checkpoint ${checkpoint}.`);
    }
    const made = this.#read(forkRun(folder, checkpoint, this.#options.now()).folder, undefined);
    this.#enqueue(made, { type: 'train', incarnation: made.summary.incarnation + 1 });
    return made.summary;
  }

  /** What a person has noted of it, whole; the run itself goes on as it does. @throws RunStateError | StorageError */
  mark(runId: string, mark: RunMark): RunSummary {
    const entry = this.#entry(runId);
    writeMark(entry.summary.folder, mark);
    entry.seen = signOf(entry.summary.folder);
    this.#change(entry, { ...entry.summary, mark });
    return entry.summary;
  }

  /** @throws RunStateError | StorageError */
  delete(runId: string): void {
    const entry = this.#fresh(runId);
    if (isLive(entry.summary.status)) throw wrongState(entry, 'deleted', 'it is at work; stop it first');
    try {
      deleteRun(entry.summary.folder, this.#options.now());
    } catch (error) {
      if (error instanceof SupersededError)
        throw wrongState(this.#fresh(runId), 'deleted', 'work on it has just begun');
      throw error;
    }
    this.#entries.delete(runId);
    this.events.emit('deleted', entry.summary);
  }

  /** Reads the folder again: runs that others made, changed or removed. @throws StorageError */
  refresh(): void {
    atOnce(this.#refreshing());
  }

  *#refreshing(): Turns<void> {
    const folders = listRunFolders(this.#options.runsFolder);
    const ids = new Set(folders.map((folder) => path.basename(folder)));
    for (const [id, entry] of this.#entries) {
      if (ids.has(id) || this.#isOurs(entry)) continue;
      this.#entries.delete(id);
      this.events.emit('deleted', entry.summary);
    }
    for (const folder of folders) {
      yield;
      const entry = this.#entries.get(path.basename(folder));
      if (isRunFolder(folder) && !(entry && this.#isOurs(entry))) this.#read(folder, entry);
    }
  }

  /** Looks after runs that are live in another process, as the command line's are, and for new ones. @throws StorageError */
  followOthers(): void {
    if (hasOtherFolders(this.#options.runsFolder, this.#entries)) this.refresh();
    for (const entry of [...this.#entries.values()]) {
      if (!isLive(entry.summary.status) || this.#isOurs(entry)) continue;
      if (isRunFolder(entry.summary.folder)) this.#read(entry.summary.folder, entry);
      else this.refresh();
    }
  }

  /** Ends every trainer with a checkpoint; their runs become `interrupted`. Settles when all are gone. */
  async close(message: string): Promise<void> {
    this.#isClosing = true;
    for (const entry of this.#queue.removeAll()) this.#read(entry.summary.folder, entry);
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

  #isOurs(entry: Entry): boolean {
    return entry.child !== null || this.#queue.has(entry);
  }

  /** As the folder has it now, where the run is not ours to know best. */
  #fresh(runId: string): Entry {
    const entry = this.#entry(runId);
    if (this.#isOurs(entry)) return entry;
    if (!isRunFolder(entry.summary.folder)) this.refresh();
    else this.#read(entry.summary.folder, entry);
    return this.#entry(runId);
  }

  #read(folder: string, known: Entry | undefined): Entry {
    const seen = signOf(folder);
    if (known && known.seen === seen && !isLive(known.summary.status)) return known;
    let summary: RunSummary;
    let place: string | null = null;
    let life: Life | null = null;
    try {
      const found = glance(folder);
      ({ summary, life } = judged(found, this.#watch));
      if (isLive(summary.status)) place = placeOf(found);
    } catch (error) {
      // One damaged folder must not hide the others, nor itself.
      if (known?.summary.status !== 'damaged') this.#options.log(`${folder}: ${(error as Error).message}`);
      summary = damagedRun(folder, error as Error);
    }
    const mark = readMark(folder);
    if (!isEmptyMark(mark)) summary = { ...summary, mark };
    if (!known) {
      const revision = ++this.#revision;
      const entry: Entry = {
        id: path.basename(folder),
        summary: { ...summary, revision },
        place,
        life,
        seen,
        child: null,
        work: null,
      };
      this.#entries.set(entry.id, entry);
      this.events.emit('changed', entry.summary);
      return entry;
    }
    const isCut = summary.incarnation > known.summary.incarnation;
    const isChanged = known.seen !== seen || known.summary.status !== summary.status;
    Object.assign(known, { place, life, seen });
    if (isCut) this.events.emit('cut', known.id);
    if (isChanged) this.#change(known, { ...summary, mark: summary.mark });
    return known;
  }

  #entry(runId: string): Entry {
    const entry = this.#entries.get(runId);
    if (!entry) throw new RunStateError('unknownRun', `There is no run ${runId} in ${this.#options.runsFolder}.`);
    return entry;
  }

  #enqueue(entry: Entry, work: Work): void {
    entry.work = work;
    this.#queue.add(entry);
    this.#change(entry, { ...entry.summary, status: 'queued', message: null, updatedMs: this.#options.now() });
    this.#startNext();
  }

  #startNext(): void {
    if (this.#isClosing) return;
    for (let next = this.#queue.take(); next; next = this.#queue.take()) this.#fork(next.entry, next.device);
  }

  #fork(entry: Entry, device: Gpu | undefined): void {
    const { trainerFile, log } = this.#options;
    entry.child = forkTrainer(trainerFile, {
      log: (line) => {
        log(`[${entry.id}] ${line}`);
      },
      onReady: () => {
        const { work } = entry;
        if (work) this.#tell(entry, { type: 'begin', folder: entry.summary.folder, work: { ...work, device } });
      },
      onProgress: (summary) => {
        this.#progress(entry, summary);
      },
      onGone: (gone) => {
        const { work } = entry;
        entry.child = null;
        this.#queue.leave(entry);
        const { folder } = entry.summary;
        try {
          if (isOthers(folder, work, gone)) this.#read(folder, entry);
          else this.#settle(entry, work, gone);
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          // A folder that can't be read now, or that is none any more, ends its run and not the server.
          this.#read(folder, entry);
        }
        this.#startNext();
      },
    });
  }

  #progress(entry: Entry, summary: RunSummary): void {
    const isCut = summary.incarnation > entry.summary.incarnation;
    if (isCut) this.events.emit('cut', entry.id);
    this.#change(entry, summary);
  }

  /** After its trainer has gone. */
  #settle(entry: Entry, work: Work | null, { end, status: exitStatus, text, refusal, lastWords }: GoneTrainer): void {
    const { folder } = entry.summary;
    if (end) {
      // What could not be written, as on a full disk, is still said.
      entry.seen = signOf(folder);
      this.#change(entry, end);
      return;
    }
    const said = lastWords ? ` Its last words: ${lastWords}` : '';
    const what = work?.type === 'evaluate' ? 'Go on with the attack.' : remedy(entry.summary);
    const message = refusal ?? `The trainer process ${text}. ${what}${said}`;
    // What was cut off may be an evaluation: the run itself rests as before.
    const status = work?.type === 'evaluate' ? judged(glance(folder), this.#watch).summary.status : exitStatus;
    const isDiskNamed = refusal !== null;
    this.#note(entry, { status, message }, { incarnation: newestOf(folder) + 1, isDiskNamed });
  }

  /** Writes the end down, and where that can't be done says it all the same. */
  #note(
    entry: Entry,
    end: { status: RunStatus; message: string | null },
    { incarnation, isDiskNamed = false }: { readonly incarnation: number; readonly isDiskNamed?: boolean },
  ): void {
    const { folder } = entry.summary;
    try {
      const summary = noteEnd(folder, end, { incarnation, nowMs: this.#options.now() });
      entry.seen = signOf(folder);
      this.#change(entry, summary);
    } catch (error) {
      if (error instanceof SupersededError) {
        this.#read(folder, entry);
        return;
      }
      if (!(error instanceof StorageError)) throw error;
      entry.seen = signOf(folder);
      const message = isDiskNamed ? end.message : `${end.message ?? ''} ${error.message}`.trim();
      // A log that was begun and has no head takes its number all the same.
      const taken = Math.max(entry.summary.incarnation, newestOf(folder));
      const updatedMs = this.#options.now();
      this.#change(entry, { ...entry.summary, status: end.status, message, incarnation: taken, updatedMs });
    }
  }

  #change(entry: Entry, summary: RunSummary): void {
    // A trainer knows of no marks.
    const { mark } = 'mark' in summary ? summary : entry.summary;
    const marked = { ...summary, mark: mark && !isEmptyMark(mark) ? mark : undefined };
    entry.summary = { ...marked, revision: ++this.#revision };
    this.events.emit('changed', entry.summary);
  }

  #tell(entry: Entry, message: ToTrainer): void {
    // A trainer that is just ending can't hear any more; its exit tells the rest.
    if (entry.child?.connected) entry.child.send(message, () => {});
  }
}
