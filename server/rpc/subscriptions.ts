// The runs that one client follows: sends the rows after its cursor, at most ten messages a second for a run, and none while
// the client is slow to take them.
import type { Row } from '../protocol/records.ts';

export interface SubscriptionsOptions {
  /** Rows after a cursor, one message's worth; empty where there are none. */
  readonly read: (runId: string, cursor: number) => Row[];
  readonly lastSeq: (runId: string) => number;
  /** Bytes that wait for the client. */
  readonly backlogBytes: () => number;
  readonly send: (runId: string, rows: Row[]) => void;
  readonly log: (line: string) => void;
}

const shortestGapMs = 100;
/** What could not be read is tried again: nobody else may say that the run has rows, and a disk or a file handle may be there again. */
const tryAgainMs = 2000;
const maxBacklogBytes = 16 * 1024 * 1024;

interface Subscription {
  cursor: number;
  sentMs: number;
  isUnreadable: boolean;
  timer: NodeJS.Timeout | null;
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #byRun = new Map<string, Subscription>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Begins, or begins anew, after the cursor. */
  add(runId: string, cursor: number): void {
    this.remove(runId);
    this.#byRun.set(runId, { cursor, sentMs: 0, isUnreadable: false, timer: null });
    this.progressed(runId);
  }

  remove(runId: string): void {
    const timer = this.#byRun.get(runId)?.timer;
    if (timer) clearTimeout(timer);
    this.#byRun.delete(runId);
  }

  /** The run has new rows. */
  progressed(runId: string): void {
    const subscription = this.#byRun.get(runId);
    if (!subscription || subscription.timer) return;
    // Never at once: the reply to `run/subscribe` goes first.
    const gapMs = subscription.isUnreadable ? tryAgainMs : shortestGapMs;
    const waitMs = Math.max(0, subscription.sentMs + gapMs - performance.now());
    subscription.timer = setTimeout(() => {
      subscription.timer = null;
      this.#send(runId, subscription);
    }, waitMs);
  }

  /** The run's log was cut: rows beyond its end come again. */
  cut(runId: string): void {
    const subscription = this.#byRun.get(runId);
    if (!subscription) return;
    try {
      subscription.cursor = Math.min(subscription.cursor, this.#options.lastSeq(runId));
    } catch {
      subscription.cursor = 0; // which rows are still there is not known: all of them once more
    }
  }

  close(): void {
    for (const runId of [...this.#byRun.keys()]) this.remove(runId);
  }

  #send(runId: string, subscription: Subscription): void {
    subscription.sentMs = performance.now();
    if (this.#options.backlogBytes() > maxBacklogBytes) {
      this.progressed(runId);
      return;
    }
    let rows: Row[];
    try {
      rows = this.#options.read(runId, subscription.cursor);
    } catch (error) {
      if (!subscription.isUnreadable) this.#options.log(`${runId} can't be read: ${(error as Error).message}`);
      subscription.isUnreadable = true;
      this.progressed(runId);
      return;
    }
    subscription.isUnreadable = false;
    const last = rows.at(-1);
    if (!last) return;
    subscription.cursor = last.seq;
    this.#options.send(runId, rows);
    this.progressed(runId);
  }
}
