// Says how a run changes, not more often than a person can see.
import type { RunStatus, RunSummary } from '../protocol/run.ts';

const mostASecond = 10;

/**
 * Says changes at once while fewer than ten were said in the last second, so that what a slow step held up isn't held up
 * longer; otherwise the latest when its turn comes. A change of status never waits, so that nothing is said after an end.
 */
export class Announcer {
  readonly #say: (summary: RunSummary) => void;
  #status: RunStatus | null = null;
  #saidMs: number[] = [];
  #waiting: { summary: RunSummary; readonly timer: NodeJS.Timeout } | null = null;

  constructor(say: (summary: RunSummary) => void) {
    this.#say = say;
  }

  announce(summary: RunSummary): void {
    const tenthLastMs = this.#saidMs.at(-mostASecond) ?? -Infinity;
    const waitMs = this.#status === summary.status ? tenthLastMs + 1000 - performance.now() : 0;
    if (waitMs <= 0) this.#sayNow(summary);
    else if (this.#waiting) this.#waiting.summary = summary;
    else {
      const timer = setTimeout(() => {
        this.#sayNow(waiting.summary);
      }, waitMs);
      const waiting = { summary, timer };
      this.#waiting = waiting;
    }
  }

  /** In the place of what waits. */
  #sayNow(summary: RunSummary): void {
    if (this.#waiting) clearTimeout(this.#waiting.timer);
    this.#waiting = null;
    this.#status = summary.status;
    this.#saidMs = [...this.#saidMs.slice(1 - mostASecond), performance.now()];
    this.#say(summary);
  }
}
