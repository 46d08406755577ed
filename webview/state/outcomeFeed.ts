// What runs came to, as a panel knows it: asked of those of which there is more to know, one question at a time.
import type { RunOutcome } from '../../server/protocol/outcomes.ts';
import type { OutcomesAnswer, OutcomesIntent } from '../../server/protocol/panel.ts';
import type { RunSummary } from '../../server/protocol/run.ts';

export class OutcomeFeed {
  /** Of the last answer. */
  failure: string | null = null;
  private readonly post: (intent: OutcomesIntent) => void;
  private outcomes: ReadonlyMap<string, RunOutcome> = new Map();
  /** By run, how far it was when it was asked for last. */
  private readonly asked = new Map<string, string>();
  private nAsked = 0;
  private isWaiting = false;

  constructor(post: (intent: OutcomesIntent) => void) {
    this.post = post;
  }

  /** By run what is known so far, the same map until there is more; those of which nothing is are not in it. */
  want(runs: readonly RunSummary[]): ReadonlyMap<string, RunOutcome> {
    if (!this.isWaiting) {
      const changed = runs.filter((run) => this.asked.get(run.id) !== progressOf(run));
      for (const run of changed) this.asked.set(run.id, progressOf(run));
      if (changed.length > 0) {
        this.isWaiting = true;
        this.post({ type: 'askOutcomes', asked: ++this.nAsked, runIds: changed.map(({ id }) => id) });
      }
    }
    return this.outcomes;
  }

  /** True where it changes what is shown. */
  receive({ asked, runs, failure }: OutcomesAnswer): boolean {
    if (asked !== this.nAsked) return false;
    this.isWaiting = false;
    this.failure = failure ?? runs?.find((run) => run.failure !== null)?.failure ?? null;
    if (runs) this.outcomes = new Map([...this.outcomes, ...runs.map((run) => [run.runId, run] as const)]);
    return true;
  }

  /** Another set is shown. */
  forget(): void {
    this.outcomes = new Map();
    this.askAnew();
  }

  /** The server is there again, maybe another one: what is on its way counts no more, what is known stays until it is answered. */
  askAnew(): void {
    this.asked.clear();
    this.nAsked++;
    this.isWaiting = false;
    this.failure = null;
  }
}

/** Changes with each test and each evaluation; while one is under way, with all that is told of the run. */
function progressOf({ incarnation, epoch, status, figures, revision }: RunSummary): string {
  const isUnderWay = status === 'evaluating';
  return [incarnation, epoch, status, figures?.length ?? 0, ...(isUnderWay ? [revision] : [])].join(' ');
}
