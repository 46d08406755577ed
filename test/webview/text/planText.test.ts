import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { evaluationText, planText, scheduleText } from '../../../webview/text/planText.ts';
import { makePlan } from '../gallery/runData.ts';

const plan = makePlan('kaf');

test('a plan reads as YAML with 255ths as fractions', () => {
  const text = planText(plan);
  expect(text).toContain('\n    epsilon: 8/255\n');
  expect(text).toContain('\nevaluation:\n  - attack: pgd\n    norm: linf\n');
  const { training, model, evaluation } = parse(text) as typeof plan;
  expect(training.optimizer).toEqual(plan.training.optimizer);
  expect(model.dropout).toEqual(plan.model.dropout);
  expect(evaluation).toHaveLength(1);
});

test('texts that YAML would misread are quoted', () => {
  expect(planText({ ...plan, name: 'a: b' })).toContain('name: "a: b"\n');
});

test('schedules and evaluations have a phrase', () => {
  expect(scheduleText(plan.training.schedule)).toBe('triangular 0.01 → 1');
  expect(evaluationText(plan.evaluation[0]!, 1000)).toBe(
    'L∞ · ε 8/255 · step size α 2/255 · steps 50 · restarts 10 · loss margin · 1,000 images',
  );
});
