import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { trainingPresets } from '../../server/experiment/trainingPresets.ts';
import type { Plan } from '../../server/protocol/plan.ts';

function planOf(training: string): Plan {
  const { plans, issues } = compileExperiment(`training: ${training}`, { file: null, homeFolder: '/' });
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plans[0]!;
}

describe('a preset of training', () => {
  it.each(Object.keys(trainingPresets))('makes a plan by itself, other than the defaults: %s', (preset) => {
    expect(planOf(`{preset: ${preset}}`).training).not.toEqual(planOf('{}').training);
  });

  it('is what its authors wrote: FGSM of Wong, Rice and Kolter', () => {
    expect(planOf('{preset: wong-fgsm}').training).toMatchObject({
      method: { type: 'fgsm-rs', start: 'image', statistics: 'moving' },
      threat: { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 },
      ...{ epochs: 15, batchSize: 128, augmentation: { crop: 4, flip: true } },
      optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
      schedule: { type: 'triangular', max: 0.2 },
    });
  });

  it('yields to what the experiment says, key by key', () => {
    const { training } = planOf('{preset: wong-pgd, epochs: 2, method: {steps: 3}, optimizer: {momentum: 0.5}}');
    expect(training).toMatchObject({
      ...{ epochs: 2, method: { type: 'pgd', steps: 3, start: 'image', statistics: 'moving' } },
      optimizer: { type: 'sgd', momentum: 0.5, weightDecay: 5e-4 },
    });
    expect(planOf('{preset: wong-pgd, method: pgd}').training.method).toMatchObject({ statistics: 'moving' });
  });

  it('says nothing of a mapping of another kind', () => {
    const { training } = planOf(
      '{preset: wong-pgd, optimizer: adam, method: {type: trades}, threat: {epsilon: 4/255}}',
    );
    expect(training.optimizer).toEqual(planOf('{optimizer: adam}').training.optimizer);
    expect(training.method).toEqual(planOf('{method: trades}').training.method);
    expect(training.threat).toEqual({ norm: 'linf', epsilon: 4 / 255, stepSize: 2 / 255 });
  });
});
