// The one subscription of a connection to a run's rows, shared by all who want them from whatever cursor.
import type { Row } from '../../server/protocol/records.ts';
import { RowFeed } from './rowFeed.ts';

/** Asks the server; rejects when it can't be asked. */
export interface SubscriptionRequests {
  subscribe(cursor: number): Promise<unknown>;
  unsubscribe(): Promise<unknown>;
}

export class RowSubscription {
  private readonly feeds = new Set<RowFeed>();
  /** Feeds that wait until no row of the server's earlier subscription can arrive: it may have begun after their cursor. */
  private readonly waiting = new Set<RowFeed>();
  private requests: SubscriptionRequests | null = null;
  private isSubscribed = false;
  private work: Promise<void> = Promise.resolve();
  private readonly log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.log = log;
  }

  get isEmpty(): boolean {
    return this.feeds.size + this.waiting.size === 0;
  }

  add(cursor: number, deliver: (rows: readonly Row[]) => void): RowFeed {
    const feed = new RowFeed(cursor, deliver);
    this.waiting.add(feed);
    this.renew();
    return feed;
  }

  remove(feed: RowFeed): void {
    this.feeds.delete(feed);
    this.waiting.delete(feed);
    if (this.isEmpty) this.renew();
  }

  accept(rows: readonly Row[]): void {
    for (const feed of [...this.feeds]) feed.accept(rows);
  }

  /** A new connection, on which nothing is subscribed yet; null when it is lost. */
  use(requests: SubscriptionRequests | null): void {
    this.requests = requests;
    this.isSubscribed = false;
    if (requests && !this.isEmpty) this.renew();
  }

  /** One change at a time, each for what is wanted when its turn comes. */
  private renew(): void {
    this.work = this.work.then(async () => {
      const { requests } = this;
      if (!requests) return;
      try {
        await this.subscribe(requests);
      } catch (error) {
        if (this.requests === requests) this.log(`No rows: ${String(error)}`);
      }
    });
  }

  private async subscribe(requests: SubscriptionRequests): Promise<void> {
    if (!this.isEmpty && this.isSubscribed && this.waiting.size === 0) return;
    if (this.isSubscribed) {
      this.isSubscribed = false;
      await requests.unsubscribe();
      if (this.requests !== requests) return;
    }
    for (const feed of this.waiting) this.feeds.add(feed);
    this.waiting.clear();
    if (this.isEmpty) return;
    this.isSubscribed = true;
    await requests.subscribe(Math.min(...[...this.feeds].map((feed) => feed.cursor)));
  }
}
