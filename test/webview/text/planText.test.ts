import { expect, test } from 'vitest';
import { evaluationText, scheduleText, weightsText } from '../../../webview/text/planText.ts';
import { makePlan } from '../gallery/runData.ts';

const plan = makePlan('kaf');

test('schedules, evaluations and the weights that they are of have a phrase', () => {
  const [attack] = plan.evaluation;
  const texts = [
    weightsText({ plan: attack! }),
    weightsText({ plan: attack!, weights: 'average' }),
    weightsText({ plan: { ...attack!, weights: 'raw' } }),
  ];
  expect(texts).toEqual(['weights', 'averaged weights', 'raw weights']);
  expect(scheduleText(plan.training.schedule)).toBe('triangular 0.01 → 1');
  expect(evaluationText(plan.evaluation[0]!, 1000)).toBe(
    'L∞ · ε 8/255 · step size α 2/255 · steps 50 · restarts 10 · loss margin · 1,000 images',
  );
});
