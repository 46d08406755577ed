// The form that asks for an evaluation: what was typed, what is wrong with it, and the plan it makes.
import type { EvaluationPlan, Plan } from '../../server/protocol/plan.ts';
import { formatCount, formatFraction, parseFraction } from '../text/numbers.ts';

export interface EvaluationDraft {
  readonly steps: string;
  readonly restarts: string;
  readonly epsilon: string;
  readonly stepSize: string;
  readonly samples: string;
  readonly batchSize: string;
}

export type EvaluationField = keyof EvaluationDraft;

export const evaluationFields: readonly { field: EvaluationField; label: string; hint: string }[] = [
  { field: 'epsilon', label: 'ε', hint: 'largest change of a pixel in [0, 1], for example 8/255' },
  { field: 'stepSize', label: 'step size α', hint: 'change of a pixel in one step, for example 2/255' },
  { field: 'steps', label: 'steps', hint: 'steps of the attack in each restart' },
  { field: 'restarts', label: 'restarts', hint: 'random starts; an image must stand under all' },
  { field: 'samples', label: 'images', hint: 'the first so many of the test set' },
  { field: 'batchSize', label: 'batch size', hint: 'images attacked at a time; fewer need less memory' },
];

/** The plan's first evaluation, or PGD-50-10 at the threat trained against. */
export function draftFor(plan: Plan): EvaluationDraft {
  const planned = plan.evaluation[0];
  const epsilon = planned?.epsilon ?? plan.training.threat?.epsilon ?? 8 / 255;
  return {
    steps: (planned?.steps ?? 50).toString(),
    restarts: (planned?.restarts ?? 10).toString(),
    epsilon: formatFraction(epsilon),
    stepSize: formatFraction(planned?.stepSize ?? epsilon / 4),
    samples: (planned?.samples ?? Math.min(1000, plan.dataset.testSamples ?? Infinity)).toString(),
    batchSize: (planned?.batchSize ?? Math.min(256, plan.dataset.testSamples ?? Infinity)).toString(),
  };
}

/** The evaluation, or null and what to do about each field that is wrong. */
export function readDraft(
  draft: EvaluationDraft,
  plan: Plan,
): { evaluation: EvaluationPlan | null; problems: ReadonlyMap<EvaluationField, string> } {
  const problems = new Map<EvaluationField, string>();
  const fraction = (field: EvaluationField): number => {
    const value = parseFraction(draft[field]);
    if (!(value > 0 && value <= 1)) problems.set(field, 'Give a number in (0, 1], such as 8/255.');
    return value;
  };
  const whole = (field: EvaluationField, most: number): number => {
    const value = /^\s*\d+\s*$/.test(draft[field]) ? Number(draft[field]) : Number.NaN;
    if (!(value >= 1 && value <= most)) problems.set(field, `Give a whole number from 1 to ${formatCount(most)}.`);
    return value;
  };
  const evaluation: EvaluationPlan = {
    attack: 'pgd',
    norm: 'linf',
    epsilon: fraction('epsilon'),
    stepSize: fraction('stepSize'),
    steps: whole('steps', 10_000),
    restarts: whole('restarts', 1000),
    samples: whole('samples', plan.dataset.testSamples ?? 100_000_000),
    batchSize: whole('batchSize', 10_000),
    protocol: 'worst-case',
  };
  return { evaluation: problems.size === 0 ? evaluation : null, problems };
}
