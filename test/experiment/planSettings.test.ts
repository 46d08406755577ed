import { expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { planSettings } from '../../server/experiment/planSettings.ts';

it('a plan is told by the keys of an experiment file, lists of values in one', () => {
  const text =
    'name: a\ndataset: shapes\nmodel: {network: light, activation: {type: kaf}}\ntraining: {epochs: 3}\nevaluation: [{attack: fgsm}, {attack: pgd, epsilon: 4/255}]\n';
  const { plans, issues } = compileExperiment(text, { file: null, homeFolder: '/home/a' });
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  const settings = planSettings(plans[0]!);
  expect(settings).toMatchObject({
    ...{ name: 'a', 'dataset.name': 'shapes', 'model.activation.type': 'kaf', 'training.epochs': 3, seed: 0 },
    ...{ 'evaluation[0].attack': 'fgsm', 'evaluation[1].epsilon': '4/255' },
  });
  expect(Object.values(settings).every((value) => typeof value !== 'object')).toBe(true);
});
