// What the report says of a strong attack beside weaker ones on the same images.
import { describe, expect, it } from 'vitest';
import type { EvaluationSoFar } from '../../server/attack/evaluationState.ts';
import type { EvaluationPlan } from '../../server/protocol/evaluationPlan.ts';
import { strengthened, strengthText } from '../../server/terminal/reportStrength.ts';
import { attackPlan } from '../attack/plans.ts';

function evaluated(plan: EvaluationPlan, outcomes: readonly number[], step = 5): EvaluationSoFar {
  const state = { outcomes: Uint8Array.from(outcomes) } as EvaluationSoFar['state'];
  return { number: 1, plan, step, surrogates: [], state, isDone: true };
}

const pgd = evaluated(attackPlan('pgd'), [0, 2, 2, 2, 1, 1, 2, 2]);
const autoAttack = attackPlan('autoattack');
const texts = (...all: EvaluationSoFar[]) => strengthened(all).map(strengthText);

describe('a strong attack', () => {
  it('leaves fewer images than PGD, and says how many', () => {
    expect(texts(pgd, evaluated(autoAttack, [0, 1, 2, 2, 1, 1, 1, 2]))).toEqual([
      'AutoAttack standard leaves 3 of 8 images standing, 2 fewer (25.0 %) than PGD-50-10',
    ]);
  });

  it('that leaves as many or more says that, and which it missed', () => {
    expect(texts(pgd, evaluated(autoAttack, [0, 1, 2, 2, 2, 1, 2, 2]))).toEqual([
      'AutoAttack standard leaves 5 of 8 images standing, as many as PGD-50-10; 1 that stand fell to PGD-50-10',
    ]);
    expect(texts(pgd, evaluated(autoAttack, [0, 2, 2, 2, 2, 1, 2, 2]))).toEqual([
      'AutoAttack standard leaves 6 of 8 images standing, 1 more (12.5 %) than PGD-50-10; 1 that stand fell to PGD-50-10',
    ]);
  });

  it.each([
    ['other weights', evaluated(autoAttack, [0, 1, 2, 2, 1, 1, 1, 2], 6)],
    ['another ε', evaluated(attackPlan('autoattack', { epsilon: 0.01 }), [0, 1, 2, 2, 1, 1, 1, 2])],
    ['another norm', evaluated(attackPlan('autoattack', { norm: 'l2', epsilon: 8 / 255 }), [0, 1, 2, 2, 1, 1, 1, 2])],
    ['fewer images', evaluated(autoAttack, [0, 1, 2, 2])],
    ['noise', evaluated(attackPlan('noise'), [0, 2, 2, 2, 2, 2, 2, 2])],
  ])('is not held against what it can not be: %s', (_, other) => {
    expect(texts(pgd, other)).toEqual([]);
  });

  it('is held against each other attack, but not against noise or certificates', () => {
    const all = [
      pgd,
      evaluated(attackPlan('noise'), [0, 2, 2, 2, 2, 2, 2, 2]),
      evaluated(attackPlan('fab'), [0, 2, 2, 2, 1, 1, 1, 2]),
    ];
    expect(
      texts(...all, evaluated(autoAttack, [0, 1, 2, 2, 1, 1, 1, 2])).map((text) => text.split('than ')[1]),
    ).toEqual(['PGD-50-10', 'FAB-100']);
  });
});
