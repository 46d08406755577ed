import { expect, test } from 'vitest';
import { evaluationPlanSchema } from '../../../server/protocol/evaluationSchema.ts';
import { evaluationKeys, evaluationNames } from '../../../server/protocol/evaluationTable.ts';
import type { Plan } from '../../../server/protocol/plan.ts';
import {
  draftFor,
  evaluationFields,
  readDraft,
  startText,
  withAttack,
  withField,
  type EvaluationDraft,
} from '../../../webview/state/evaluationForm.ts';
import { attackPlan } from '../../attack/plans.ts';
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
  ['pgd', 'Start attack'],
  ['ibp', 'Certify'],
  ['density', 'Try detector'],
])('the button of %s says what it starts', (attack, text) => {
  expect(startText(withAttack(draftFor(plan), attack, plan))).toBe(text);
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

const averaging: Plan = {
  ...plan,
  training: { ...plan.training, weightAverage: { decay: 0.995, warmUp: true, statistics: 'average' } },
};

test('which weights are evaluated is asked of a run that averages them, and kept with another attack', () => {
  const plain = { ...plan, training: { ...plan.training } };
  delete (plain.training as { weightAverage?: unknown }).weightAverage;
  const asked = (of: Plan) => evaluationFields(draftFor(of), of).map(({ field }) => field);
  expect(asked(averaging)).toContain('weights');
  expect(asked(plain)).not.toContain('weights');
  expect(readDraft(draftFor(plain), plain).evaluation).toMatchObject({ weights: 'averaged' });
  const raw = withAttack(withField(draftFor(averaging), 'weights', 'raw', averaging), 'ibp', averaging);
  expect(readDraft(raw, averaging).evaluation).toMatchObject({ attack: 'ibp', weights: 'raw' });
});

test.each(evaluationNames)(
  '%s has a field for each of its settings that can be chosen, and its draft is one the server takes',
  (attack) => {
    const blank = withAttack({ ...draftFor(plan), epsilon: '4/255' }, attack, plan);
    const draft = attack === 'transfer' ? withField(blank, 'from', ' other-run ', plan) : blank;
    const { evaluation, problems } = readDraft(draft, plan);
    expect(problems.size).toBe(0);
    expect(evaluationPlanSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation).toMatchObject({ attack, epsilon: 4 / 255 });
    const fields = evaluationFields(draft, averaging);
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

/** As it is typed, sign by sign. */
function typed(draft: EvaluationDraft, field: string, text: string): EvaluationDraft {
  return Array.from(text).reduce((so, _, at) => withField(so, field, text.slice(0, at + 1), plan), draft);
}

test('the step size follows ε, through all that is typed on the way, until it is chosen itself', () => {
  const raised = typed(draftFor(plan), 'epsilon', '16/255');
  expect(raised).toMatchObject({ epsilon: '16/255', stepSize: '4/255' });
  const chosen = typed(raised, 'stepSize', '1/255');
  expect(typed(chosen, 'epsilon', '32/255')).toMatchObject({ epsilon: '32/255', stepSize: '1/255' });
  const again = typed(typed(chosen, 'stepSize', '4/255'), 'epsilon', '32/255');
  expect(again).toMatchObject({ stepSize: '8/255' });
});

test('what an experiment has chosen itself does not follow; ε follows the norm', () => {
  const own = { ...plan, evaluation: [attackPlan('pgd', { stepSize: 1 / 255 })] };
  expect(withField(draftFor(own), 'epsilon', '16/255', own)).toMatchObject({ stepSize: '1/255' });
  const free = { ...plan, evaluation: [] };
  expect(withField(draftFor(free), 'norm', 'l2', free)).toMatchObject({
    norm: 'l2',
    epsilon: '0.5000',
    stepSize: '0.1250',
  });
});

test('another attack takes ε along, and its step size with it', () => {
  const draft = withAttack(typed(withAttack(draftFor(plan), 'fgsm', plan), 'epsilon', '16/255'), 'pgd', plan);
  expect(draft).toMatchObject({ epsilon: '16/255', stepSize: '4/255' });
});

test('transfer asks for the other network, and says so where none is named', () => {
  const blank = withAttack(draftFor(plan), 'transfer', plan);
  expect([...readDraft(blank, plan).problems]).toEqual([
    ['from', 'Give the id of a run, or the path of a run or a checkpoint.'],
  ]);
  const named = withField(blank, 'from', ' other-run ', plan);
  expect(readDraft(named, plan).evaluation).toMatchObject({ attack: 'transfer', from: 'other-run', judged: 'last' });
});
