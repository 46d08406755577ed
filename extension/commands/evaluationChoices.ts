// The attacks that "Evaluate Run…" offers, and what is read from its input boxes. Pure.
import type { AttackName } from '../../server/protocol/attackTable.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';

export interface AttackChoice {
  readonly label: string;
  readonly description: string;
  readonly attack: AttackName;
  /** Settings that are not the attack's defaults. */
  readonly settings: Readonly<Record<string, number>>;
}

export const attackChoices: readonly AttackChoice[] = [
  {
    label: 'PGD-10',
    description: '10 steps, 1 restart: a first look',
    attack: 'pgd',
    settings: { steps: 10, restarts: 1 },
  },
  { label: 'PGD-20', description: '20 steps, 1 restart', attack: 'pgd', settings: { steps: 20, restarts: 1 } },
  { label: 'PGD-50-10', description: '50 steps, 10 restarts', attack: 'pgd', settings: {} },
  {
    label: 'AutoAttack',
    description: 'APGD-CE, APGD-T, FAB-T, Square: what to report',
    attack: 'autoattack',
    settings: {},
  },
];

export const defaultEpsilon = '8/255';

/** `8/255` where it is such, as people write it. */
export function fractionText(epsilon: number): string {
  const parts = Number((epsilon * 255).toPrecision(12));
  return Number.isInteger(parts) ? `${String(parts)}/255` : String(epsilon);
}

/** `8/255` or `0.03`; null for what is no number in (0, 1]. */
export function parseEpsilon(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:\/\s*(\d+(?:\.\d+)?|\.\d+)\s*)?$/.exec(text);
  if (!match) return null;
  const value = Number(match[1]) / Number(match[2] ?? 1);
  return value > 0 && value <= 1 ? value : null;
}

/** A whole number of at least 1; null otherwise. */
export function parseSamples(text: string): number | null {
  const value = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  return value >= 1 && Number.isSafeInteger(value) ? value : null;
}

/** Under L∞, with steps of a quarter of ε where they are of one length: 2/255 at the usual 8/255 (Peconi, 2020, §7). */
export function evaluationPlan({ attack, settings }: AttackChoice, epsilon: number, samples: number): EvaluationPlan {
  return completeEvaluation(attack, { ...settings, epsilon, samples }, { trainedEpsilon: null, testSamples: samples });
}
