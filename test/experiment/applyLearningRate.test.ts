import { describe, expect, it } from 'vitest';
import { applyLearningRate } from '../../server/experiment/applyLearningRate.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';

const rates = { min: 0.002, max: 0.15 };

function scheduleOf(text: string) {
  const { plans, issues } = compileExperiment(text, { file: null, homeFolder: '/' });
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plans[0]!.training.schedule;
}

describe('learning rates written into an experiment', () => {
  it('take the place of those that stand there, and nothing else changes', () => {
    const text = `# Mine.
training:
    schedule: {type: triangular,   min: 0.01, max: 1/5} # the thesis's
    epochs:  3   # short
`;
    expect(applyLearningRate(text, rates)).toBe(`# Mine.
training:
    schedule: {type: triangular,   min: 0.002, max: 0.15} # the thesis's
    epochs:  3   # short
`);
  });

  it.each([
    ['no schedule', '# a\ntraining:\n  epochs: 3 # b\n', { type: 'constant', learningRate: 0.15 }],
    ['no training', 'name: x # a\n', { type: 'constant', learningRate: 0.15 }],
    ['an empty file', '', { type: 'constant', learningRate: 0.15 }],
    ['a bare word', 'training: {schedule: triangular} # a\n', { type: 'triangular', min: 0.002, max: 0.15 }],
    [
      'one key of two',
      'training:\n  schedule:\n    type: cosine # a\n    max: 1 # b\n',
      { type: 'cosine', min: 0.002, max: 0.15 },
    ],
    ['a step schedule', 'training: {schedule: {type: step, learningRate: 1}}\n', { type: 'step', learningRate: 0.15 }],
  ])('find their place where there is %s, and comments stay', (_, text, wanted) => {
    const applied = applyLearningRate(text, rates);
    expect(scheduleOf(applied)).toMatchObject(wanted);
    for (const [comment] of text.matchAll(/# \w+/g)) expect(applied).toContain(comment);
    expect(applyLearningRate(applied, rates)).toBe(applied);
  });

  it('are refused by a text that is no YAML', () => {
    expect(() => applyLearningRate('training: {', rates)).toThrow('Mend it first.');
  });
});
