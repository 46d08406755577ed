// The sweeps of a runs folder as a server has them: starts them, works on them in its own process, tells how all stand, and leaves word
// for those that others work on.
import os from 'node:os';
import path from 'node:path';
import { inTurns } from '../experiment/turns.ts';
import type { DeviceListResult } from '../protocol/messages.ts';
import type { RunSummary } from '../protocol/run.ts';
import { cellGroup, type Estimate, type SweepAsk, type SweepCell, type SweepSummary } from '../protocol/sweep.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { mayBeOnDevice, placesOf, processorAlone, type MachinePlaces } from '../run/machinePlaces.ts';
import { folderBytes } from '../run/folderBytes.ts';
import { RunStateError } from '../run/runStateError.ts';
import { StorageError } from '../run/storageError.ts';
import { stepBytesOf } from '../trainer/planMemory.ts';
import { sharesOf, type Shares } from './atOnce.ts';
import { estimateCells } from './sweepEstimate.ts';
import { seenRuns } from './seenRuns.ts';
import { hasSameCells } from './storedCells.ts';
import {
  cellsOf,
  isSweep,
  listSweeps,
  makeSweep,
  readCells,
  sweepOf,
  sweepsFolder,
  writeAsk,
  writeCells,
} from './sweepFolder.ts';
import type { CellSet, StoredCell } from './sweepFolder.ts';
import { SweepQueue, type QueueOptions } from './sweepQueue.ts';
import { sweepLogOf } from './sweepLog.ts';
import { runOf, statusOf, sweepStateOf } from './sweepState.ts';

export interface DeskOptions extends Pick<QueueOptions, 'trainerFile' | 'log' | 'fork' | 'every' | 'gpus'> {
  readonly runsFolder: string;
  readonly now: () => number;
  /** Which devices there are; asked when the first cell comes that may work on one. */
  readonly listDevices?: () => Promise<DeviceListResult>;
  /** A run was made, or one changed its status. */
  readonly onRuns: () => void;
}

export class SweepDesk {
  readonly #options: DeskOptions;
  readonly #watch = new LifeWatch();
  readonly #queues = new Map<string, SweepQueue>();
  #places: MachinePlaces | null = null;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#queues.size > 0;
  }

  /**
   * Starts the sweep of an experiment, or goes on with it; one that is at work takes up what is new.
   * @throws StorageError
   */
  async start(set: CellSet, origin: { readonly name: string; readonly file: string | null }): Promise<SweepSummary> {
    return this.begin(this.prepare(set, origin));
  }

  /** Writes a sweep's cells down where they are new. @returns its folder @throws StorageError */
  prepare(set: CellSet, { name, file }: { readonly name: string; readonly file: string | null }): string {
    const { runsFolder, now } = this.#options;
    const known = file === null ? null : sweepOf(runsFolder, file);
    const folder = known ?? makeSweep(runsFolder, { name, experimentFile: file, createdMs: now() });
    if (known === null || !hasSameCells(folder, set)) writeCells(folder, set);
    return folder;
  }

  /** Works on it, unless someone does. @throws StorageError */
  async begin(folder: string): Promise<SweepSummary> {
    if ((await this.#statusOf(folder)) === 'resting') await this.#work(folder);
    return this.#summaryOf(folder);
  }

  /** Whether a process, here or elsewhere, works on it. @throws RunStateError | StorageError */
  async isAtWork(id: string): Promise<boolean> {
    return (await this.#statusOf(this.#folderOf(id))) !== 'resting';
  }

  /** Those that can't be read are left out, and logged. A cell at a time: others have their turn between. @throws StorageError */
  async list(): Promise<SweepSummary[]> {
    const found: SweepSummary[] = [];
    for (const folder of listSweeps(this.#options.runsFolder)) {
      try {
        found.push(await this.#summaryOf(folder));
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.#options.log(error.message);
      }
    }
    return found;
  }

  /** Goes on with one that rests, too. @throws RunStateError | StorageError */
  async ask(id: string, ask: SweepAsk): Promise<SweepSummary> {
    const folder = this.#folderOf(id);
    const queue = this.#queues.get(folder);
    if (ask === 'stop') queue?.stop();
    else if (ask === 'pause') queue?.pause();
    else if (ask === 'again') queue?.again();
    else queue?.goOn();
    if (!queue) {
      if ((await this.#statusOf(folder)) !== 'resting') writeAsk(folder, ask);
      else if (ask === 'go-on' || ask === 'again') await this.#work(folder, { isFailedAgain: ask === 'again' });
      else throw new RunStateError('wrongState', `The sweep ${id} is not at work.`);
    }
    return this.#summaryOf(folder);
  }

  /**
   * @param runs of the folder, whoever made them
   * @param as a sweep, of a file's what is left; or runs that wait for each other
   * @throws StorageError
   */
  async estimate(
    cells: readonly StoredCell[],
    runs: readonly RunSummary[],
    as: { readonly file: string | null } | 'one at a time',
  ): Promise<Estimate> {
    // What a whole takes, its parts take together.
    const wholes = cells.filter(({ plan }) => !plan.part);
    const left = as === 'one at a time' ? wholes : await this.#leftOf(wholes, as.file);
    const { atOnce, threads } = as === 'one at a time' ? { atOnce: 1, threads: null } : this.#shares(cells);
    const seen = await seenRuns(runs, new Set(left.map(({ description }) => description)));
    const steps = cells.map(({ plan }) => stepBytesOf(plan, threads ?? plan.threads ?? os.availableParallelism()));
    const stepBytes = steps.includes(null) ? null : Math.max(...(steps as number[]));
    return { nCells: wholes.length, nLeft: left.length, ...estimateCells(left, seen, { atOnce }), stepBytes };
  }

  async #leftOf(cells: readonly StoredCell[], file: string | null): Promise<readonly StoredCell[]> {
    const known = file === null ? null : sweepOf(this.#options.runsFolder, file);
    if (known === null) return cells;
    const isOver = ({ status }: SweepCell) => ['finished', 'failed'].includes(cellGroup(status));
    const { cells: knownCells } = await this.#summaryOf(known);
    const over = new Set(knownCells.filter(isOver).map(({ identity }) => identity));
    return cells.filter(({ identity }) => !over.has(identity));
  }

  /** Bytes that the runs of its cells have on the disk. @throws RunStateError | StorageError */
  async size(id: string): Promise<number> {
    const folder = this.#folderOf(id);
    const { runs } = await inTurns(sweepLogOf(folder));
    let bytes = 0;
    for (const cell of (await inTurns(cellsOf(folder))).cells) {
      const run = runOf(cell, { runs }, this.#options.runsFolder);
      if (run !== null) bytes += await folderBytes(run);
    }
    return bytes;
  }

  /** Every queue ends, its runs with checkpoints. */
  async close(message: string): Promise<void> {
    const queues = [...this.#queues.values()];
    for (const queue of queues)
      queue.interrupt(`${message}. Start the sweep again to go on from the last checkpoints.`);
    await Promise.all(queues.map(({ ended }) => ended));
  }

  async #statusOf(folder: string): Promise<SweepSummary['status']> {
    return statusOf(await inTurns(sweepLogOf(folder)), this.#watch);
  }

  async #summaryOf(folder: string): Promise<SweepSummary> {
    return (await inTurns(sweepStateOf(folder, this.#watch))).summary;
  }

  #folderOf(id: string): string {
    const folder = path.join(sweepsFolder(this.#options.runsFolder), id);
    if (!isSweep(folder)) throw new RunStateError('unknownRun', `There is no sweep ${id}.`);
    return folder;
  }

  #shares(cells: readonly StoredCell[]): Shares {
    const machine = {
      ...{ cores: os.availableParallelism(), freeBytes: process.availableMemory() },
      places: this.#places ?? processorAlone,
    };
    return sharesOf(
      cells.map(({ plan }) => plan),
      machine,
    );
  }

  async #look(cells: readonly StoredCell[]): Promise<void> {
    const { listDevices, log } = this.#options;
    if (this.#places || !listDevices || !cells.some(({ plan }) => mayBeOnDevice(plan))) return;
    try {
      this.#places = placesOf(await listDevices());
    } catch (error) {
      log(`the devices can’t be listed, so one cell at a time is trained on one: ${(error as Error).message}`);
    }
  }

  async #work(folder: string, { isFailedAgain = false } = {}): Promise<void> {
    const { trainerFile, log, fork, every, gpus, onRuns } = this.#options;
    const { cells } = readCells(folder);
    await this.#look(cells);
    if (this.#queues.has(folder)) return; // who was asked in the same moment
    const shares = { ...this.#shares(cells), ...(this.#places && { places: this.#places }) };
    const statuses = new Map<string, string>();
    const queue = new SweepQueue(folder, {
      ...{ trainerFile, log, gpus, ...shares, isFailedAgain, ...(fork && { fork }), ...(every && { every }) },
      onCell: ({ identity, status }) => {
        if (statuses.get(identity) === status) return;
        statuses.set(identity, status);
        onRuns();
      },
    });
    this.#queues.set(folder, queue);
    void queue.ended.then(({ message }) => {
      this.#queues.delete(folder);
      if (message !== null) log(`sweep ${path.basename(folder)}: ${message}`);
      onRuns();
    });
  }
}
