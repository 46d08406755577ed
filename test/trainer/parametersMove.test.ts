// That steps move every parameter, with every kind of activation, and lower the loss.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import type { PreparedRecord } from '../../server/protocol/records.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

const splineOfSix = {
  type: 'spline',
  points: 6,
  boundary: 3,
  basis: 'catmull-rom',
  start: 'relu',
  noise: 0.1,
} as const;
const kafOfFive = { dictionary: 5, boundary: 3, gamma: 0.3 } as const;

describe('a step', () => {
  it.each([
    ['light', { type: 'relu' }],
    ['light', { type: 'elu', alpha: 1 }],
    ['light', { type: 'residual-kaf', ...kafOfFive, init: { type: 'normal', std: 0.05 } }],
    ['light', { type: 'kaf-free', ...kafOfFive, init: { type: 'normal', std: 0.3 } }],
    ['light', { type: 'kaf', kernels: ['relu'], ...kafOfFive, init: { type: 'normal', std: 0.3 } }],
    [
      'vgg',
      {
        type: 'multi-kaf',
        kernels: ['gaussian', 'softplus'],
        ...kafOfFive,
        init: { type: 'ridge', target: 'elu', epsilon: 1e-6 },
      },
    ],
    ['light', { type: 'k-wta', rounding: 'ceiling', over: 'layer', ties: 'all', ratio: 0.3 }],
    ['light', { type: 'step', straightThrough: 1 }],
    ['light', { type: 'prelu', slope: 0.25 }],
    ['light', { type: 'generalized-tanh', scale: 1, rate: 2 }],
    ['light', { type: 'srelu', left: 0, leftSlope: 0.2, right: 1, rightSlope: 1 }],
    ['light', { type: 'apl', hinges: 3, reach: 1 }],
    ['light', { type: 'polynomial', degree: 3 }],
    ['light', splineOfSix],
    ['light', { type: 'maxout', maps: 3 }],
    ['light', { type: 'kaf-2d', dictionary: 3, boundary: 2, gamma: 0.3, init: { type: 'normal', std: 0.5 } }],
    ['vgg', { type: 'swish' }],
    [
      { type: 'resnet', depth: 8 },
      { type: 'residual-kaf', ...kafOfFive, init: { type: 'normal', std: 0.05 } },
    ],
    ['vgg', { type: 'kaf', ...kafOfFive, init: { type: 'ridge', target: 'elu', epsilon: 1e-6 } }],
  ] as const)('moves every parameter of %o with %o, normalised and attacked', async (network, activation) => {
    const plan: Plan = {
      ...tinyPlan,
      training: { ...tinyPlan.training, epochs: 1 },
      observe: { ...tinyPlan.observe, testEveryEpochs: 0, shapesEverySteps: 0 },
      model: {
        ...{ network, activation, dropout: [0, 0, 0, 0], denseL2: 0, convolutionL2: 0 },
        normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      },
    };
    const { records } = await collect(plan, tinyDataset({ nTrain: 2, side: 8 }));
    const prepared = records[0] as PreparedRecord;
    const norms = records.find((record) => record.type === 'norms')!;
    const still = prepared.parameters.filter((_, index) => norms.gradients[index] === 0).map(({ name }) => name);
    expect(still).toEqual([]);
    expect(records.at(-1)!.type).toBe('updates');
  });

  it('lowers the loss: after eight on one batch it is well below the first', async () => {
    const plan: Plan = {
      ...tinyPlan,
      training: {
        ...{ ...tinyPlan.training, epochs: 8, batchSize: 6, schedule: { type: 'constant', learningRate: 1e-2 } },
        ...{ method: { type: 'standard' }, threat: null, augmentation: { crop: 0, flip: false } },
      },
      observe: { ...tinyPlan.observe, testEveryEpochs: 0, normsEverySteps: 0, shapesEverySteps: 0 },
      model: { ...tinyPlan.model, dropout: [0, 0, 0], denseL2: 0, convolutionL2: 0 },
    };
    const { records } = await collect(plan, tinyDataset({ nTrain: 6 }));
    const losses = records.filter((record) => record.type === 'step').map(({ loss }) => loss);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
  });
});
