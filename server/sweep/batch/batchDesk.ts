// The sweeps that were given to a cluster's scheduler, as a server has them: gives, looks in the background while someone asks for them,
// and takes back.
import path from 'node:path';
import type { SweepAsk, SweepPlace, SweepSummary } from '../../protocol/sweep.ts';
import { RunStateError } from '../../run/runStateError.ts';
import { sweepsFolder } from '../sweepFolder.ts';
import { BatchSweep } from './batchSweep.ts';
import { commandLine } from './commandLine.ts';
import { Controller } from './controller.ts';
import { readJobs } from './jobsFile.ts';
import { whyNotHere } from './loginNode.ts';
import { SchedulerError } from './scheduler.ts';
import { schedulers } from './schedulers.ts';
import { isConfigured, readSettings, SettingsError, type SettingsPlace } from './settingsFile.ts';

export interface BatchDeskOptions extends SettingsPlace {
  readonly runsFolder: string;
  /** Holds the command line that jobs start. */
  readonly assetsFolder: string;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

export class BatchDesk {
  readonly #options: BatchDeskOptions;
  readonly #controllers: ReadonlyMap<string, Controller>;
  readonly #sweeps = new Map<string, BatchSweep>();
  /** Said once each. */
  readonly #faults = new Set<string>();

  constructor(options: BatchDeskOptions) {
    this.#options = options;
    const { env } = options;
    this.#controllers = new Map(
      schedulers(env).map((scheduler) => [scheduler.name, new Controller(scheduler, { ...(env && { env }) })]),
    );
  }

  /** Why nothing is computed on this host; null where it may be. */
  get whyNotHere(): string | null {
    return whyNotHere(this.#options);
  }

  /** Where a sweep can be worked on: this machine, and the schedulers that the user has told of and that are here. */
  places(): SweepPlace[] {
    const others = [...this.#controllers.values()].map(({ scheduler }) => scheduler);
    const known = others.filter((scheduler) => scheduler.isHere() && isConfigured(scheduler, this.#options));
    return [
      { on: 'here', title: 'this machine', fault: this.whyNotHere },
      ...known.map(({ name, title }) => ({ on: name, title, fault: null })),
    ];
  }

  /** The scheduler that a sweep was given to last; null for none. @throws StorageError */
  lastOf(folder: string): string | null {
    const name = readJobs(folder).at(-1)?.scheduler;
    return name !== undefined && this.#controllers.has(name) ? name : null;
  }

  /** The sweep with what its scheduler said last; that is asked anew where it is old, for the next time. @throws StorageError */
  over(summary: SweepSummary): SweepSummary {
    const name = summary.status === 'resting' ? this.lastOf(summary.folder) : null;
    if (name === null) return summary;
    const sweep = this.#sweep(summary.folder, name);
    if (this.#controllers.get(name)!.isOld) this.#lookSoon(sweep);
    return sweep.known();
  }

  /** @throws RunStateError | StorageError */
  async submit(folder: string, on: string, { isFailedAgain = false } = {}): Promise<SweepSummary> {
    const controller = this.#controllers.get(on);
    if (!controller) throw new RunStateError('wrongState', `There is no scheduler ${on}.`);
    const { assetsFolder, now } = this.#options;
    const sweep = this.#sweep(folder, on);
    return asRefusal(async () => {
      const settings = readSettings(controller.scheduler, this.#options);
      await sweep.submit({ settings, isFailedAgain, program: commandLine(assetsFolder), nowMs: now() });
      return sweep.look();
    });
  }

  /** @throws RunStateError where its scheduler still has cells of it, or does not say; StorageError */
  async requireRest(folder: string): Promise<void> {
    const name = this.lastOf(folder);
    if (name === null) return;
    const { id, status, place } = await asRefusal(() => this.#sweep(folder, name).look());
    if (status !== 'resting')
      throw new RunStateError('wrongState', `${id} is at work (${String(place)}). Stop it first.`);
  }

  /** Of a sweep that no process works on. @returns null where no scheduler has had it @throws RunStateError | StorageError */
  async ask(sweepId: string, ask: SweepAsk): Promise<SweepSummary | null> {
    const folder = path.join(sweepsFolder(this.#options.runsFolder), sweepId);
    const name = this.lastOf(folder);
    if (name === null) return null;
    const sweep = this.#sweep(folder, name);
    switch (ask) {
      case 'stop':
        await asRefusal(() => sweep.stop());
        return sweep.known();
      case 'go-on':
      case 'again':
        return this.submit(folder, name, { isFailedAgain: ask === 'again' });
      case 'pause':
        throw new RunStateError(
          'wrongState',
          `${sweepId} was given to a cluster, which pauses nothing. Stop takes it back.`,
        );
    }
    return ask satisfies never;
  }

  #sweep(folder: string, name: string): BatchSweep {
    const key = `${name} ${folder}`;
    const sweep = this.#sweeps.get(key) ?? new BatchSweep(folder, { controller: this.#controllers.get(name)! });
    this.#sweeps.set(key, sweep);
    return sweep;
  }

  #lookSoon(sweep: BatchSweep): void {
    sweep.excludeBadNodes().catch((error: unknown) => {
      const message = (error as Error).message;
      if (!this.#faults.has(message)) this.#options.log(message);
      this.#faults.add(message);
    });
  }
}

/** What the user, their settings or the cluster must mend, as the answer to a request. */
async function asRefusal<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SettingsError || error instanceof SchedulerError)
      throw new RunStateError('wrongState', error.message);
    throw error;
  }
}
