// One subscriber's view of a run's rows: each row once, in order, from its cursor on, however often the server replays.
// Asking the server is the business of rowSubscription.ts.
import type { Row } from '../../server/protocol/records.ts';

export class RowFeed {
  /** `seq` of the last row delivered. Positions may be skipped: a resumed run's log has gaps. */
  cursor: number;
  private readonly deliver: (rows: readonly Row[]) => void;

  constructor(cursor: number, deliver: (rows: readonly Row[]) => void) {
    this.cursor = cursor;
    this.deliver = deliver;
  }

  accept(rows: readonly Row[]): void {
    const fresh = rows.filter((row) => row.seq > this.cursor);
    const last = fresh.at(-1);
    if (!last) return;
    this.cursor = last.seq;
    this.deliver(fresh);
  }
}
