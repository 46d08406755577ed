// What a scheduler says of all of a user's elements, asked at most every twenty seconds, once for all sweeps, and by all of the user's
// processes on this host together: the answer is kept in their cache for the next.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { userCacheFolder } from '../../protocol/userData.ts';
import { bootOf } from '../../run/owner.ts';
import type { Element, Job, Scheduler } from './scheduler.ts';

export const askEveryMs = 20_000;

export interface ControllerOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds of a clock that all processes of this start of the machine share and nobody sets. */
  readonly now?: () => number;
  readonly boot?: string;
}

interface Answer {
  readonly askedMs: number;
  readonly elements: readonly Element[];
}

const answerSchema = z.object({
  boot: z.string(),
  askedMs: z.number(),
  elements: z.array(
    z.object({
      ...{ jobId: z.string(), jobName: z.string(), index: z.int(), reason: z.string().nullable() },
      state: z.enum(['waiting', 'working', 'ending', 'done', 'failed', 'out of time', 'cancelled']),
      ...{ node: z.string().nullable(), seconds: z.number() },
    }),
  ),
});

export class Controller {
  readonly scheduler: Scheduler;
  readonly #now: () => number;
  readonly #boot: string;
  readonly #file: string;
  #answer: Answer | null = null;
  #asking: Promise<readonly Element[]> | null = null;
  /** Of jobs that have ended, which stays as it is. */
  readonly #past = new Map<string, readonly Element[]>();

  constructor(scheduler: Scheduler, options: ControllerOptions = {}) {
    const { env = process.env, now = () => os.uptime() * 1000, boot = bootOf() } = options;
    this.scheduler = scheduler;
    this.#now = now;
    this.#boot = boot;
    const surroundings = { env, platform: process.platform, homeFolder: os.homedir() };
    this.#file = path.join(userCacheFolder(surroundings), `${scheduler.name}.json`);
  }

  /** The last answer, however old; empty before the first. */
  get known(): readonly Element[] {
    return [...(this.#answer?.elements ?? []), ...[...this.#past.values()].flat()];
  }

  get isOld(): boolean {
    return this.#answer === null || this.#now() - this.#answer.askedMs >= askEveryMs;
  }

  /** @param jobs whose elements are wanted even where the scheduler has forgotten them @throws SchedulerError */
  async look(jobs: readonly Job[]): Promise<readonly Element[]> {
    this.#asking ??= this.#look(jobs).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** The next look asks anew: something was just done that changes the answer. */
  forget(): void {
    this.#answer = null;
    fs.rmSync(this.#file, { force: true });
  }

  async #look(jobs: readonly Job[]): Promise<readonly Element[]> {
    if (this.isOld) this.#answer = this.#kept();
    if (this.isOld) {
      this.#answer = { askedMs: this.#now(), elements: await this.scheduler.look() };
      this.#keep(this.#answer);
    }
    const present = new Set(this.#answer!.elements.map(({ jobName }) => jobName));
    const gone = jobs.filter(({ id, name }) => !present.has(name) && !this.#past.has(id));
    if (gone.length > 0) {
      const found = await this.scheduler.lookBack(gone.map(({ id }) => id));
      for (const { id } of gone)
        this.#past.set(
          id,
          found.filter(({ jobId }) => jobId === id),
        );
    }
    return this.known;
  }

  /** What another process of this user was answered. */
  #kept(): Answer | null {
    try {
      const { boot, ...answer } = answerSchema.parse(JSON.parse(fs.readFileSync(this.#file, 'utf8')));
      return boot === this.#boot && boot !== '' && answer.askedMs <= this.#now() ? answer : null;
    } catch {
      return null; // there is none, or it is being written
    }
  }

  #keep(answer: Answer): void {
    const temporary = `${this.#file}.${String(process.pid)}.tmp`;
    try {
      fs.mkdirSync(path.dirname(this.#file), { recursive: true });
      fs.writeFileSync(temporary, JSON.stringify({ boot: this.#boot, ...answer }), { mode: 0o600 });
      fs.renameSync(temporary, this.#file);
    } catch {
      fs.rmSync(temporary, { force: true }); // without a cache each process asks for itself
    }
  }
}
