import { expect, test } from 'vitest';
import { evaluationPlanSchema } from '../../../server/protocol/evaluationSchema.ts';
import { evaluationKeys, evaluationNames } from '../../../server/protocol/evaluationTable.ts';
import { draftFor, evaluationFields, readDraft, withAttack } from '../../../webview/state/evaluationForm.ts';
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

test.each(evaluationNames)(
  '%s has a field for each of its settings that can be chosen, and its draft is one the server takes',
  (attack) => {
    const draft = withAttack({ ...draftFor(plan), epsilon: '4/255' }, attack, plan);
    const { evaluation, problems } = readDraft(draft, plan);
    expect(problems.size).toBe(0);
    expect(evaluationPlanSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation).toMatchObject({ attack, epsilon: 4 / 255 });
    const fields = evaluationFields(draft);
    expect(fields[0]?.field).toBe('attack');
    // Of a setting that can have one value only there is no field.
    const hasProtocols = attack === 'pgd' || attack === 'fgsm';
    expect(fields.map(({ field }) => field).includes('protocol')).toBe(hasProtocols);
    const nFixed = Object.values(evaluationKeys(attack)).filter(
      (key) => key.kind === 'choice' && Object.keys(key.choices).length === 1,
    ).length;
    expect(Object.keys(evaluation!).length).toBe(fields.length + nFixed);
  },
);

test('a list of ε is read, and each of its values has the bounds of ε', () => {
  const read = (epsilons: string, norm = 'linf') => readDraft({ ...draftFor(plan), epsilons, norm }, plan);
  expect(read('2/255, 0.5').evaluation).toMatchObject({ epsilons: [2 / 255, 0.5] });
  expect([...read('2/255, two').problems.keys()]).toEqual(['epsilons']);
  expect([...read('1.5').problems.keys()]).toEqual(['epsilons']);
  expect(read('1.5', 'l2').problems.size).toBe(0);
});
