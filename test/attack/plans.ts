// Plans of evaluations for tests: what is not given is at its default, for so many test images as there are.
import type { AttackName, PlanOfAttack } from '../../server/protocol/attackTable.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';

export function attackPlan<A extends AttackName>(
  attack: A,
  given: Partial<Omit<PlanOfAttack<A>, 'attack'>> = {},
): PlanOfAttack<A> {
  const context = { trainedEpsilon: null, testSamples: 1000 };
  return completeEvaluation(attack, given, context) as unknown as PlanOfAttack<A>;
}
