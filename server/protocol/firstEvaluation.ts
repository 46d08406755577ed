// The attack that a run is offered first: one source for form and palette, with the defaults of an experiment file.
import type { DefaultContext } from './attackKey.ts';
import { completeEvaluation } from './evaluationPlan.ts';
import { trainedEpsilon, type EvaluationPlan, type Plan } from './plan.ts';

/** The plan's first evaluation, or PGD at the threat trained against. */
export function firstEvaluation(plan: Plan): EvaluationPlan {
  return plan.evaluation[0] ?? completeEvaluation('pgd', {}, evaluationContext(plan));
}

/** What defaults of an attack follow from. */
export function evaluationContext(plan: Plan): DefaultContext {
  return { trainedEpsilon: trainedEpsilon(plan.training), testSamples: plan.dataset.testSamples };
}
