// The rules over one run's records, as they come.
import { healthRuleNames, type HealthFinding } from '../protocol/health.ts';
import type { Plan } from '../protocol/plan.ts';
import type { RunRecord } from '../protocol/records.ts';
import type { Seen } from './healthRule.ts';
import { healthRules } from './healthRules.ts';

type Watcher = (record: RunRecord) => Seen | null;

/** Each rule finds at most one thing, the first. Without the run's `prepared` record it sees nothing. */
export class HealthWatch {
  readonly #plan: Plan;
  #watchers = new Map<HealthFinding['rule'], Watcher>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** What is new with this record, the gravest first. */
  see(record: RunRecord): HealthFinding[] {
    if (record.type === 'prepared') {
      const run = { plan: this.#plan, prepared: record };
      this.#watchers = new Map(healthRuleNames.map((rule) => [rule, healthRules[rule].watch(run)]));
      return [];
    }
    const found: HealthFinding[] = [];
    for (const [rule, watch] of this.#watchers) {
      const seen = watch(record);
      if (!seen) continue;
      this.#watchers.delete(rule);
      found.push({ rule, ...seen });
    }
    return found;
  }
}

/** Of those that a run has, whether one is a failure: it may have come to its end all the same. */
export function hasFailed(findings: readonly HealthFinding[]): boolean {
  return findings.some(({ rule }) => healthRules[rule].severity === 'failure');
}

/** In one paragraph: the evidence and what to do. */
export function findingText({ rule, evidence }: HealthFinding): string {
  return `${evidence} ${healthRules[rule].remedy}`;
}
