// What an attack is: one run on the images of a batch that still stand, step by step.
import type { AttackName, PlanOfAttack } from '../protocol/attackTable.ts';
import type { Trial } from './trial.ts';

/**
 * One run (restart, target, series of draws) of an attack. It looks at images through `trial.target` and takes those that are
 * fooled out by `trial.drop`, or notes by `trial.note` how near they were. It yields after its start and after every step, so that
 * whoever pulls it can count, and stop: it is not resumed once nobody stands, nor begun where nobody does. It ends early only
 * where nothing can change any more.
 * @param plan with the ε of the stage
 * @param run of this attack at this ε, from 0
 */
export type Attack<A extends AttackName> = (
  trial: Trial,
  plan: PlanOfAttack<A>,
  run: number,
) => Generator<void, void, void>;
