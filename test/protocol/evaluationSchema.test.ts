// What plans of evaluations and of training methods are taken from a wire or a disk, those of earlier versions among them.
import { expect, it } from 'vitest';
import { evaluationPlanSchema, methodPlanSchema } from '../../server/protocol/evaluationSchema.ts';
import { completeMethod } from '../../server/protocol/methodTable.ts';
import { attackPlan } from '../attack/plans.ts';

it('a key that came after a plan was written gets what such plans did; one that was always there has to be', () => {
  const { keep, seed, weights, epsilons, ...old } = attackPlan('pgd', { seed: 7 });
  expect([keep, seed, weights, epsilons]).toEqual([0, 7, 'averaged', []]);
  expect(evaluationPlanSchema.parse(old)).toEqual({ ...attackPlan('pgd'), seed: 0 });
  const { steps, ...incomplete } = old;
  expect(evaluationPlanSchema.safeParse(incomplete).error?.issues.map(({ path }) => path)).toEqual([['steps']]);
  expect(evaluationPlanSchema.parse({ ...incomplete, steps })).toMatchObject({ steps });
});

it('a method is taken by its settings, and by its name alone as version 0.1 wrote it', () => {
  const method = completeMethod('fgsm-rs', { start: 'image' }, 8 / 255);
  expect(methodPlanSchema.parse(method)).toEqual(method);
  expect(methodPlanSchema.parse('standard')).toEqual({ type: 'standard' });
  expect(methodPlanSchema.parse('fgsm-rs')).toEqual(completeMethod('fgsm-rs', {}, 8 / 255));
  expect(methodPlanSchema.safeParse('nothing').success).toBe(false);
});

it('a place has to be said', () => {
  const issuesOf = (from: string) =>
    evaluationPlanSchema.safeParse(attackPlan('transfer', { from })).error?.issues.map(({ path }) => path) ?? [];
  expect(issuesOf('')).toEqual([['from']]);
  expect(issuesOf('a'.repeat(4000))).toEqual([]);
  expect(issuesOf('a'.repeat(4001))).toEqual([['from']]);
});
