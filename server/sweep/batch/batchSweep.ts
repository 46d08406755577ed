// A sweep at a cluster's scheduler: gives it the cells that are to be done, tells how they stand, takes them back. Nothing here computes,
// and nothing here needs to live on: what is known is in the sweep's folder and with the scheduler.
import path from 'node:path';
import type { SweepSummary } from '../../protocol/sweep.ts';
import { LifeWatch } from '../../run/lifeWatch.ts';
import { glance } from '../../run/runGlance.ts';
import { RunStateError } from '../../run/runStateError.ts';
import { CellOrder } from '../cellOrder.ts';
import { giveRuns } from '../cellRuns.ts';
import { runsFolderOf, writeAsk } from '../sweepFolder.ts';
import { isToDo, sweepState } from '../sweepState.ts';
import type { Controller } from './controller.ts';
import { readJobs, scriptFile, writeJob, writeSubmitted, type SweepJob } from './jobsFile.ts';
import { badNodes, isOutstanding, outstandingJobs, standingsOf, withStandings, type Standing } from './jobStandings.ts';
import { SchedulerError, type CommonSettings, type Element, type Submission } from './scheduler.ts';

export interface BatchSweepOptions {
  readonly controller: Controller;
  readonly watch?: LifeWatch;
}

export interface SubmitOptions {
  readonly settings: CommonSettings;
  readonly isFailedAgain: boolean;
  /** Program and first arguments of the command line, as elements shall start it. */
  readonly program: readonly string[];
  readonly nowMs: number;
}

export interface Submitted {
  /** A job of those that begin by themselves, one of those that begin from their weights, one of what puts parts together; or none. */
  readonly ids: readonly string[];
  readonly nCells: number;
  readonly excludedNodes: readonly string[];
}

export class BatchSweep {
  readonly folder: string;
  readonly #controller: Controller;
  readonly #watch: LifeWatch;
  /** What was asked of the scheduler already. */
  readonly #excluded = new Set<string>();

  constructor(folder: string, { controller, watch = new LifeWatch() }: BatchSweepOptions) {
    this.folder = folder;
    this.#controller = controller;
    this.#watch = watch;
  }

  /** Whether any of its cells was ever given to this scheduler. @throws StorageError */
  get isUsed(): boolean {
    return this.#jobs().length > 0;
  }

  /** By the last answer, without asking. @throws StorageError */
  known(): SweepSummary {
    return this.#summary(this.#controller.known).summary;
  }

  /** @throws StorageError | SchedulerError */
  async look(): Promise<SweepSummary> {
    return (await this.#look()).summary;
  }

  /**
   * Elements that wait do not begin on nodes that failed three cells at once. @returns those nodes
   * @throws StorageError | SchedulerError
   */
  async excludeBadNodes(): Promise<string[]> {
    const { summary, standings } = await this.#look();
    const nodes = badNodes(summary.cells, standings);
    for (const [{ excludedNodes }, { job, indices }] of outstandingJobs(standings)) {
      const isWaiting = [...standings.values()].some(
        ({ element }) => element?.jobId === job.id && element.state === 'waiting' && indices.includes(element.index),
      );
      const key = `${job.id} ${nodes.join()}`;
      if (!isWaiting || nodes.every((node) => excludedNodes.includes(node)) || this.#excluded.has(key)) continue;
      this.#excluded.add(key);
      await this.#controller.scheduler.exclude(job, [...new Set([...excludedNodes, ...nodes])]);
    }
    return nodes;
  }

  /**
   * Gives the scheduler, as one array, every cell that is to be done and that it does not have; as another, behind it, those that begin from
   * what others leave.
   * @throws RunStateError where processes of this or another host work on the sweep; StorageError | SchedulerError
   */
  async submit({ settings, isFailedAgain, program, nowMs }: SubmitOptions): Promise<Submitted> {
    const { scheduler } = this.#controller;
    const here = sweepState(this.folder, this.#watch);
    if (here.summary.status !== 'resting')
      throw new RunStateError(
        'wrongState',
        `${here.summary.id} is at work (${here.summary.place ?? 'elsewhere'}). Stop it first.`,
      );
    const { summary, standings } = await this.#look();
    const indices = [...summary.cells.keys()].filter((index) => {
      const { identity, status } = summary.cells[index]!;
      return !isOutstanding(standings.get(identity)) && isToDo(status, { isFailedAgain });
    });
    const excludedNodes = badNodes(summary.cells, standings);
    const { set } = here;
    const states = new Map(set.cells.map((cell, index) => [cell, summary.cells[index]!]));
    const order = new CellOrder(set.cells);
    const turns = Map.groupBy(indices, (index) => order.turnOf(set.cells[index]!, (cell) => states.get(cell)!));
    const first = turns.get('now') ?? [];
    giveRuns(
      this.folder,
      set,
      first.map((index) => set.cells[index]!),
      { watch: this.#watch, nowMs },
    );
    const ids: string[] = [];
    const before = [...outstandingJobs(standings).values()].map(({ job: { id } }) => id);
    for (const turn of ['now', 'trained', 'parts'] as const) {
      const elements = (turns.get(turn) ?? []).map((index) => ({ index, identity: set.cells[index]!.identity }));
      if (elements.length === 0) continue;
      const job = writeJob(this.folder, { scheduler: scheduler.name, cells: set.number, excludedNodes, elements });
      const command = [...program, 'work', '.', '--of', String(set.number), '--job', scheduler.name, '--cell'];
      ids.push(await this.#submitted(job, { settings, command, after: turn === 'now' ? [] : [...before, ...ids] }));
    }
    return { ids, nCells: indices.length, excludedNodes };
  }

  /** Takes back every element that the scheduler still has of this sweep. @returns how many @throws StorageError | SchedulerError */
  async stop(): Promise<number> {
    // Those at work shall not put themselves back.
    writeAsk(this.folder, 'stop');
    // Whose they are is asked now, not taken from an earlier answer.
    this.#controller.forget();
    const { standings } = await this.#look();
    let nCancelled = 0;
    for (const { job, indices } of outstandingJobs(standings).values()) {
      await this.#controller.scheduler.cancel(job, indices);
      nCancelled += indices.length;
    }
    this.#controller.forget();
    return nCancelled;
  }

  async #submitted(
    job: SweepJob,
    { settings, command, after }: Pick<Submission, 'command' | 'after'> & { readonly settings: CommonSettings },
  ): Promise<string> {
    const { scheduler } = this.#controller;
    const { name, number, elements, excludedNodes } = job;
    try {
      const id = await scheduler.submit(
        {
          ...{ name, command, after, excludedNodes, folder: this.folder, scriptFile: scriptFile(this.folder, number) },
          indices: elements.map(({ index }) => index),
        },
        settings,
      );
      writeSubmitted(this.folder, job, id);
      return id;
    } catch (error) {
      if (error instanceof SchedulerError) writeSubmitted(this.folder, job, null);
      throw error;
    } finally {
      this.#controller.forget();
    }
  }

  #jobs(): SweepJob[] {
    return readJobs(this.folder).filter(({ scheduler }) => scheduler === this.#controller.scheduler.name);
  }

  async #look() {
    const jobs = this.#jobs();
    const known = jobs.flatMap(({ id, name }) => (id ? [{ id, name }] : []));
    return this.#summary(jobs.length === 0 ? [] : await this.#controller.look(known));
  }

  #summary(elements: readonly Element[]): { summary: SweepSummary; standings: ReadonlyMap<string, Standing> } {
    const { scheduler } = this.#controller;
    const standings = standingsOf(this.#jobs(), elements, scheduler);
    const { summary } = sweepState(this.folder, this.#watch);
    return {
      summary: withStandings(summary, standings, { scheduler, jobOf: (runId) => this.#ownerJob(runId) }),
      standings,
    };
  }

  #ownerJob(runId: string): string | null {
    try {
      return glance(path.join(runsFolderOf(this.folder), runId)).owner?.job ?? null;
    } catch {
      return null; // a run that can't be read is nobody's
    }
  }
}
