// Which figure of a run is its own, and what becomes of the others.
import { expect, it } from 'vitest';
import {
  epsilonText,
  figureName,
  figureText,
  isBound,
  isSameAttack,
  namedAttack,
  testAttack,
  withFigure,
  type AttackFigure,
} from '../../server/protocol/attackFigures.ts';
import { completeEvaluation, type AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { attackPlan } from '../attack/plans.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';

const pgd = attackPlan('pgd');

function planOf(evaluation: readonly AttackPlan[], change: Partial<Plan> = {}): Plan {
  return scriptedPlan('steps', { evaluation, ...change });
}

function figure(plan: AttackPlan, standing: number, change: Partial<AttackFigure> = {}): AttackFigure {
  return { plan, step: 12, samples: 1000, standing, ...change };
}

function folded(plan: Plan, ...figures: readonly AttackFigure[]): number[] {
  return figures
    .reduce<readonly AttackFigure[]>((all, one) => withFigure(all, one, plan), [])
    .map((one) => one.standing);
}

const weaker = [attackPlan('pgd', { steps: 10, restarts: 1 }), attackPlan('fgsm'), attackPlan('noise')];

it('the attack that the plan names stays in front, whatever weaker, stronger or other attacks come before and after it', () => {
  const others = [
    ...weaker,
    attackPlan('autoattack'),
    attackPlan('pgd', { epsilon: 16 / 255 }),
    attackPlan('pgd', { norm: 'l2', epsilon: 0.5 }),
    attackPlan('pgd', { samples: 500 }),
    attackPlan('pgd', { protocol: 'thesis' }),
    attackPlan('pgd', { loss: 'cross-entropy' }),
  ].map((plan, index) => figure(plan, 700 + index));
  const all = folded(planOf([pgd]), ...others, figure(pgd, 672), ...others);
  expect(all[0]).toBe(672);
  expect(all.toSorted()).toEqual([672, ...others.map(({ standing }) => standing)]);
});

it('without an attack in the plan the strongest at the threat of its training is in front', () => {
  const plan = planOf([], {
    training: { ...planOf([]).training, threat: { norm: 'linf', epsilon: 4 / 255, stepSize: 1 } },
  });
  const at = { epsilon: 4 / 255 };
  const quick = figure(testAttack(plan, { samples: 256 }), 500, { isOfTest: true, samples: 256 });
  const strong = figure(attackPlan('pgd', at), 480);
  const stronger = figure(attackPlan('autoattack', at), 470);
  const single = figure(attackPlan('fgsm', at), 600);
  const elsewhere = figure(attackPlan('pgd'), 100);
  expect(folded(plan, elsewhere, quick)[0]).toBe(500);
  expect(folded(plan, quick, single, strong, elsewhere)[0]).toBe(480);
  expect(folded(plan, strong, stronger, quick, single, elsewhere)).toEqual([470, 480, 500, 600, 100]);
});

it('a look at later weights comes before a stronger one at earlier weights, unless the plan names it; one step is no such look', () => {
  const quick = figure(testAttack(planOf([]), { samples: 256 }), 250, { isOfTest: true, samples: 256, step: 12 });
  const earlier = figure(pgd, 300, { step: 8 });
  expect(folded(planOf([]), earlier, quick)).toEqual([250, 300]);
  expect(folded(planOf([pgd]), earlier, quick)).toEqual([300, 250]);
  expect(folded(planOf([]), quick, figure(attackPlan('fgsm'), 700, { step: 16 }))).toEqual([250, 700]);
});

it('the same attack again replaces its figure on later weights, or on more images of the same, and never else', () => {
  const plan = planOf([pgd]);
  const again = { ...pgd, batchSize: 7, keep: 3 };
  expect(folded(plan, figure(pgd, 1), figure(again, 2))).toEqual([2]);
  expect(folded(plan, figure(pgd, 1), figure(pgd, 2, { step: 16 }))).toEqual([2]);
  expect(folded(plan, figure(pgd, 1), figure(pgd, 2, { step: 8 }))).toEqual([1]);
  expect(folded(plan, figure(pgd, 1), figure(pgd, 2, { samples: 999, isPartial: true }))).toEqual([1]);
  expect(folded(plan, figure(pgd, 1, { samples: 999 }), figure(pgd, 2))).toEqual([2]);
});

it('an attack is the same in whatever order its settings come, and figures of one rank stay in the order in which they came', () => {
  const turned = Object.fromEntries(Object.entries({ ...pgd, batchSize: 7 }).reverse()) as unknown as AttackPlan;
  expect(isSameAttack(pgd, turned)).toBe(true);
  expect(isSameAttack(pgd, { ...turned, seed: pgd.seed + 1 })).toBe(false);
  const [second, third] = [attackPlan('pgd', { seed: 1 }), attackPlan('pgd', { seed: 2 })];
  expect(folded(planOf([]), figure(pgd, 3), figure(second, 1), figure(third, 2))).toEqual([3, 1, 2]);
});

it('keeps the best of many figures, and the named one among them', () => {
  const plan = planOf([pgd]);
  const many = Array.from({ length: 70 }, (_, seed) => figure({ ...pgd, seed: seed + 1 }, 500 + seed));
  const all = folded(plan, figure(pgd, 672), ...many);
  expect(all).toHaveLength(64);
  expect(all[0]).toBe(672);
});

it('of several attacks that a plan ends with, the strongest under the threat of the first is the run’s own', () => {
  const auto = attackPlan('autoattack');
  expect(namedAttack({ evaluation: [] })).toBeNull();
  expect(namedAttack({ evaluation: [...weaker, pgd] })).toBe(pgd);
  expect(namedAttack({ evaluation: [pgd, ...weaker] })).toBe(pgd);
  expect(namedAttack({ evaluation: [pgd, auto, attackPlan('autoattack', { epsilon: 16 / 255 })] })).toBe(auto);
  expect(namedAttack({ evaluation: [pgd, attackPlan('pgd', { seed: 1 })] })).toBe(pgd);
  const longer = attackPlan('pgd', { steps: 5000 });
  expect(namedAttack({ evaluation: [pgd, longer] })).toBe(longer);
  expect(namedAttack({ evaluation: [auto, longer] })).toBe(auto);
  const [farther, underL2] = [
    attackPlan('autoattack', { epsilon: 16 / 255 }),
    attackPlan('autoattack', { norm: 'l2' }),
  ];
  expect(namedAttack({ evaluation: [pgd, farther, { ...underL2, epsilon: pgd.epsilon }] })).toBe(pgd);
});

it('each test of a training without a threat attacks by one PGD of cross-entropy under the usual ε', () => {
  const plan = planOf([], { observe: { ...planOf([]).observe, robustSteps: 7 } });
  expect(testAttack(plan, { samples: 256 })).toMatchObject({
    ...{ attack: 'pgd', norm: 'linf', epsilon: 8 / 255, steps: 7, restarts: 1, loss: 'cross-entropy', samples: 256 },
  });
});

it('is told by its attack, its threat and, where training went on, its step', () => {
  expect(figureName(figure(pgd, 389), 12)).toBe('PGD-50-10 8/255');
  expect(figureName(figure(attackPlan('pgd', { norm: 'l2', epsilon: 0.5 }), 389), 16)).toBe(
    'PGD-50-10 L2 0.5 at step 12',
  );
  expect(epsilonText({ norm: 'linf', epsilon: 0.0314 })).toBe('8.01/255');
  expect(epsilonText({ norm: 'l2', epsilon: 0.123456 })).toBe('L2 0.1235');
});

it('is told by its weights where they are averaged, or raw because that was asked for', () => {
  const raw = figure(attackPlan('pgd', { weights: 'raw' }), 300);
  const averaged: AttackFigure = { ...figure(pgd, 389), weights: 'average' };
  expect(figureName(averaged, 12)).toBe('PGD-50-10 8/255 averaged');
  expect(figureName(averaged, 16)).toBe('PGD-50-10 8/255 averaged at step 12');
  expect(figureName(raw, 12)).toBe('PGD-50-10 8/255 raw');
  const [named, unnamed] = [planOf([pgd]), planOf([attackPlan('pgd', { weights: 'raw' })])];
  expect(withFigure([averaged], raw, named)).toEqual([averaged, raw]);
  expect(withFigure([averaged], raw, unnamed)).toEqual([raw, averaged]);
  const strong = figure(attackPlan('autoattack', { weights: 'raw' }), 290);
  expect(isBound(averaged, [averaged, strong])).toBe(true);
  expect(isBound(raw, [raw, strong])).toBe(false);
});

it('is at most so much, until a stronger attack than PGD has come to its end on the same weights', () => {
  const own = figure(pgd, 389);
  const strong = figure(attackPlan('autoattack'), 370);
  expect(figureText(own, [own])).toBe('≤ 38.9 % (35.9 – 42.0)');
  expect(figureText(own, [own, strong])).toBe('38.9 % (35.9 – 42.0)');
  expect(isBound(own, [own, { ...strong, isPartial: true }])).toBe(true);
  expect(isBound(own, [own, { ...strong, step: 8 }])).toBe(true);
});

it('what is certified is never the attack that a run is known by', () => {
  const smoothing = completeEvaluation('smoothing', {}, { trainedEpsilon: null, testSamples: 100 });
  expect(namedAttack({ evaluation: [smoothing, pgd] })).toBe(pgd);
  expect(namedAttack({ evaluation: [smoothing] })).toBeNull();
});
