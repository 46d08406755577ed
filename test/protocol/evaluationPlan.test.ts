import { describe, expect, it } from 'vitest';
import {
  attacksOnDetector,
  boundMark,
  completeEvaluation,
  distanceTicks,
  epsilonsOf,
  evaluationTitle,
  headlineStage,
  isAttackPlan,
  isCertificatePlan,
  isDetectorPlan,
  isUpperBound,
  keptImages,
  measuresDistances,
  stagesOf,
  stageText,
  type DetectorPlan,
  type EvaluationPlan,
} from '../../server/protocol/evaluationPlan.ts';
import { attackNames } from '../../server/protocol/attackTable.ts';
import { evaluationPlanSchema } from '../../server/protocol/evaluationSchema.ts';
import { attackPlan } from '../attack/plans.ts';

describe('the stages of a plan', () => {
  it('are the restarts of PGD', () => {
    const stages = stagesOf(attackPlan('pgd', { steps: 7, restarts: 3 }));
    expect(stages.map(({ run, nPoints, called }) => [run, nPoints, called])).toEqual([
      [0, 8, 'restart'],
      [1, 8, 'restart'],
      [2, 8, 'restart'],
    ]);
  });

  it('of AutoAttack are those of its attacks, in the paper’s order and at its settings', () => {
    const stages = stagesOf(attackPlan('autoattack', { norm: 'l2', epsilon: 0.25 }));
    const runs = (attack: string) => stages.filter((stage) => stage.attack === attack);
    expect([...new Set(stages.map(({ attack }) => attack))]).toEqual(['apgd-ce', 'apgd-t', 'fab-t', 'square']);
    expect(stages).toHaveLength(1 + 9 + 9 + 1);
    expect(runs('apgd-t').map(({ run }) => run)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(runs('square')[0]).toMatchObject({ nPoints: 5001, axis: 'query' });
    expect(runs('fab-t')[8]?.plan).toMatchObject({ attack: 'fab-t', norm: 'l2', epsilon: 0.25, steps: 100, beta: 0.9 });
    const plus = stagesOf(attackPlan('autoattack', { suite: 'plus' }));
    expect(plus).toHaveLength(5 + 5 + 5 + 1 + 9 + 45);
    const rand = stagesOf(attackPlan('autoattack', { suite: 'rand' }));
    expect(rand.map(({ plan }) => 'expectation' in plan && plan.expectation)).toEqual([20, 20]);
  });

  it('go through a list of ε from the smallest, and the figure is that at the plan’s own', () => {
    const plan = attackPlan('pgd', { epsilon: 0.2, epsilons: [0.4, 0.1, 0.2], restarts: 2 });
    expect(epsilonsOf(plan)).toEqual([0.1, 0.2, 0.4]);
    expect(stagesOf(plan).map(({ epsilon }) => epsilon)).toEqual([0.1, 0.1, 0.2, 0.2, 0.4, 0.4]);
    expect(headlineStage(plan)).toBe(3);
    expect(stageText(plan, stagesOf(plan)[3]!, String)).toBe('ε 0.2, restart 2');
  });

  it.each([
    ['20261123-034501-kaf-light-s0', 'kaf-light-s0'],
    ['/runs/20261123-034501-kaf-light-s0/', 'kaf-light-s0'],
    ['/runs/20261123-034501-a-s1/checkpoints/step-9.safetensors', 'a-s1/step-9.safetensors'],
    ['C:\\runs\\mine', 'mine'],
    ['one.safetensors', 'one.safetensors'],
  ])('of a transfer from %s are called so', (from, name) => {
    expect(evaluationTitle(attackPlan('transfer', { from }))).toBe(`transfer-50-10 from ${name}`);
  });

  it('have a name each', () => {
    const plan = attackPlan('autoattack');
    expect(evaluationTitle(plan)).toBe('AutoAttack standard');
    expect(stageText(plan, stagesOf(plan)[2]!, String)).toBe('APGD-T, target 2');
  });
});

describe('a robust figure', () => {
  const of = (plan: EvaluationPlan, step = 10, isPartial: boolean | null = false) => ({
    started: { plan, step },
    finished: isPartial === null ? null : { isPartial },
  });
  const pgd = of(attackPlan('pgd'));
  const strong = attackPlan('autoattack');

  it('is an upper bound until a stronger attack than PGD has run to its end on the same weights and threat', () => {
    const bounds = (other: ReturnType<typeof of>) => isUpperBound(pgd, [pgd, other]);
    expect(isUpperBound(pgd, [pgd])).toBe(true);
    expect(bounds(of(strong))).toBe(false);
    expect(bounds(of(attackPlan('apgd-t')))).toBe(false);
    expect(bounds(of(attackPlan('square')))).toBe(true);
    expect(bounds(of(strong, 11))).toBe(true);
    expect(bounds(of(strong, 10, true))).toBe(true);
    expect(bounds(of(strong, 10, null))).toBe(true);
    expect(bounds(of(attackPlan('autoattack', { norm: 'l2' })))).toBe(true);
    expect(bounds(of(attackPlan('autoattack', { epsilon: 0.5 })))).toBe(true);
    expect(bounds(of(attackPlan('autoattack', { epsilon: 0.5, epsilons: [8 / 255] })))).toBe(false);
  });
});

describe('plans of each kind', () => {
  const context = { trainedEpsilon: null, testSamples: 1000 };
  const certificate = completeEvaluation('smoothing', {}, context);
  const detector = completeEvaluation('density', { norm: 'l2', epsilon: 0.4, samples: 60, batchSize: 20 }, context);
  const attack: EvaluationPlan = attackPlan('pgd', { keep: 7 });

  it('are told apart', () => {
    const kinds = [isAttackPlan, isCertificatePlan, isDetectorPlan];
    const told = [attack, certificate, detector].map((plan) => kinds.map((is) => is(plan)));
    expect(told).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
    expect([attack, certificate, detector].map(keptImages)).toEqual([7, 0, 0]);
  });

  it('are marked as bounds: a certificate from below, an attack from above until a strong one has run', () => {
    const evaluated = (plan: EvaluationPlan) => ({ started: { plan, step: 1 }, finished: { isPartial: false } });
    const mark = (plan: EvaluationPlan, ...others: EvaluationPlan[]) =>
      boundMark(evaluated(plan), [plan, ...others].map(evaluated));
    expect([mark(certificate), mark(detector), mark(attack)]).toEqual(['≥ ', '', '≤ ']);
    expect(mark(attack, attackPlan('autoattack'))).toBe('');
    expect(isUpperBound(evaluated(detector), [evaluated(detector)])).toBe(false);
  });

  it('of detectors are tried against the experiment’s attacks, or against PGD-20 at their own threat', () => {
    const plan = detector as DetectorPlan;
    expect(attacksOnDetector(plan, [certificate, attack, detector])).toEqual([attack]);
    expect(attacksOnDetector(plan, [certificate])).toMatchObject([
      { attack: 'pgd', norm: 'l2', epsilon: 0.4, samples: 60, batchSize: 20, steps: 20, restarts: 1 },
    ]);
  });
});

describe('a curve by distance', () => {
  it('has figures at 0 and at quarters of the farthest, rounded down to two digits', () => {
    expect(distanceTicks(Float32Array.of(0.5, 2.79, Infinity, 1))).toEqual([0, 0.675, 1.35, 2.03, 2.7]);
    expect(distanceTicks(Float32Array.of(0.0319))).toEqual([0, 0.00775, 0.0155, 0.0232, 0.031]);
    expect(distanceTicks(Float32Array.of(0, Infinity))).toEqual([0]);
  });
});

describe('a length', () => {
  it('is at most 1 under L∞, not under L2', () => {
    const isTaken = (plan: object) => evaluationPlanSchema.safeParse(plan).success;
    expect(isTaken(attackPlan('pgd', { norm: 'l2', epsilon: 3 }))).toBe(true);
    expect(isTaken(attackPlan('pgd', { epsilons: [0.5, 1.5] }))).toBe(false);
    expect(isTaken(attackPlan('square', { epsilon: 1.5 }))).toBe(false);
  });
});

it('distances are measured by the attacks that look for the nearest image that fools, and by no other', () => {
  const measured = attackNames.filter((attack) => measuresDistances(attackPlan(attack, {}) as EvaluationPlan));
  expect(measured).toEqual(['fab', 'fab-t', 'deepfool', 'cw']);
});
