// What a rule of health is: it looks at a run's records one by one, and says at most once what it saw.
import type { Plan } from '../protocol/plan.ts';
import type { PreparedRecord, RunRecord } from '../protocol/records.ts';

export interface HealthRule {
  /** What is wrong, as a headline. */
  readonly title: string;
  /** `failure`: what the network does from there on means nothing. `warning`: it may learn all the same. */
  readonly severity: 'failure' | 'warning';
  /** What that means for the run, in a sentence or two. */
  readonly meaning: string;
  readonly remedy: string;
  /** The dashboard's tab that shows it. */
  readonly tab: 'curves' | 'norms';
  /** From the run's start; what it returns is called with each record, in order, until it has seen something. */
  readonly watch: (run: WatchedRun) => (record: RunRecord) => Seen | null;
}

export interface WatchedRun {
  readonly plan: Plan;
  readonly prepared: PreparedRecord;
}

/** The evidence. */
export interface Seen {
  readonly step: number;
  /** One sentence with the figures behind it. */
  readonly evidence: string;
  /** A layer whose norms show it. */
  readonly layer?: string;
}
