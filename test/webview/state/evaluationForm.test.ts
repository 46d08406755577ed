import { expect, test } from 'vitest';
import { evaluationPlanSchema } from '../../../server/protocol/evaluationSchema.ts';
import { draftFor, readDraft } from '../../../webview/state/evaluationForm.ts';
import { makePlan } from '../gallery/runData.ts';

const plan = makePlan('kaf');

test('the draft of a plan reads back as its first evaluation', () => {
  const { evaluation, problems } = readDraft(draftFor(plan), plan);
  expect(problems.size).toBe(0);
  expect(evaluation).toEqual(plan.evaluation[0]);
});

test('without a planned evaluation it is PGD-50-10 at the threat trained against, and the server takes it', () => {
  const { evaluation } = readDraft(draftFor({ ...plan, evaluation: [] }), plan);
  expect(evaluation).toMatchObject({ steps: 50, restarts: 10, epsilon: 8 / 255, stepSize: 2 / 255, samples: 1000 });
  expect(evaluationPlanSchema.safeParse(evaluation).success).toBe(true);
});

test.each([
  ['epsilon', '0'],
  ['epsilon', '8/'],
  ['epsilon', '256/255'],
  ['stepSize', 'two'],
  ['stepSize', '-1/255'],
  ['stepSize', '1/0'],
  ['steps', '0'],
  ['steps', '10001'],
  ['steps', '1.5'],
  ['restarts', ''],
  ['restarts', '1001'],
  ['samples', '10001'],
  ['batchSize', '0'],
  ['batchSize', '10001'],
] as const)('%s “%s” is refused with a remedy', (field, text) => {
  const { evaluation, problems } = readDraft({ ...draftFor(plan), [field]: text }, plan);
  expect(evaluation).toBeNull();
  expect([...problems.keys()]).toEqual([field]);
});

test('the limits of the form are those of the server', () => {
  const widest = {
    ...draftFor(plan),
    epsilon: '1',
    stepSize: '255/255',
    steps: '10000',
    restarts: '1000',
    samples: '10000',
    batchSize: '10000',
  };
  expect(evaluationPlanSchema.safeParse(readDraft(widest, plan).evaluation).success).toBe(true);
});
