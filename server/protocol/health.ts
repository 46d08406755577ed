// What a run's health is told by. What the rules look for, what their findings mean and what to do is in server/health.

/** The gravest first. */
export const healthRuleNames = [
  'test-not-finite',
  'zero-gradients',
  'weights-jump',
  'collapsed',
  'exploding-gradients',
  'vanishing-gradients',
  'nothing-learnt',
] as const;
export type HealthRuleName = (typeof healthRuleNames)[number];

export interface HealthFinding {
  readonly rule: HealthRuleName;
  /** At which it was seen. */
  readonly step: number;
  /** One sentence with the figures behind it. */
  readonly evidence: string;
  /** A layer whose norms show it. */
  readonly layer?: string | undefined;
}
