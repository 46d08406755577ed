// What the estimate of a step's and of an attack's memory is the sum of, and what is said of it, to the byte.
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { measurePass } from '../../server/model/passMemory.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import {
  bytesText,
  checkEvaluationMemory,
  checkMemory,
  estimateAttackBytes,
  estimateStepBytes,
  lackOfStepMemory,
} from '../../server/trainer/planMemory.ts';
import { tinyPlan } from './tinyPlan.ts';

const ends = { sampleShape: [32, 32, 3], nClasses: 10 } as const;
const around = { ends, threads: 2 };
const smallTensorsBytes = 200_000;
const imageFloats = 32 * 32 * 3;

/** Of SGD without momentum, without a threat, observed by nothing. */
function planOf(layers: string, batchSize: number, change: Partial<Plan['training']> = {}): Plan {
  const text = `model: {denseL2: 0, convolutionL2: 0, network: {layers: [${layers}]}}`;
  return {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: 1000, testSamples: 1000, seed: 0 },
    model: compileExperiment(text, { file: null, homeFolder: '/' }).plans[0]!.model,
    training: {
      ...{ ...tinyPlan.training, method: { type: 'standard' }, threat: null, batchSize },
      optimizer: { type: 'sgd', momentum: 0, weightDecay: 0 },
      ...change,
    },
    observe: { ...tinyPlan.observe, normsEverySteps: 0, testEveryEpochs: 0, robustSamples: 0 },
  };
}

const normalised = 'conv: {channels: 24, size: 1}, batch-norm, activation: relu, global-average-pool, dense';
const linear = 'flatten, dense: {bias: false}';
const passOf = (plan: Plan) => measurePass(plan.model, ends);
const step = (plan: Plan) => (estimateStepBytes(plan, around) - smallTensorsBytes) / 4;
const device = (bytes: number) => ({ what: 'the memory', bytes });

describe('a step', () => {
  const plan = planOf(normalised, 32);
  const { parameters, statistics, peak } = passOf(plan);
  const pass = peak({ batchSize: 32, mode: 'training', gradients: 'all', threads: 2 });

  it('takes weights, statistics and a pass, and so much more for each thing that is kept', () => {
    expect(step(plan)).toBe(parameters + statistics + pass);
    const more = (change: Partial<Plan['training']>) => step(planOf(normalised, 32, change)) - step(plan);
    expect(more({ optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 0 } })).toBe(parameters);
    expect(more({ optimizer: tinyPlan.training.optimizer })).toBe(2 * parameters);
    expect(more({ weightAverage: { decay: 0.9, warmUp: true, statistics: 'average' } })).toBe(parameters + statistics);
    const spectralNorm = { type: 'normalization', iterations: 1 } as const;
    expect(step({ ...plan, model: { ...plan.model, spectralNorm } }) - step(plan)).toBe(parameters);
  });

  it('that attacks holds clean images and noise beside the attack’s pass', () => {
    const threat = { norm: 'linf', epsilon: 0.1, stepSize: 0.1 } as const;
    const attacking = planOf('conv: {channels: 1, size: 1}, global-average-pool, dense', 32, { threat });
    const own = passOf(attacking);
    const attack = own.peak({ batchSize: 32, mode: 'training', gradients: 'input', threads: 2 });
    expect(step(attacking)).toBe(own.parameters + own.statistics + 2 * 32 * imageFloats + attack);
  });

  it('whose pass is small takes what an update holds: the largest kernel twice for a penalty, or weights for norms', () => {
    const small = planOf(linear, 1);
    const kernel = imageFloats * 10;
    const within = (model: Partial<Plan['model']>) => step({ ...small, model: { ...small.model, ...model } });
    const pass = passOf(small).peak({ batchSize: 1, mode: 'training', gradients: 'all', threads: 2 });
    expect(step(small)).toBe(kernel + pass);
    expect(within({ denseL2: 0.001 })).toBe(2 * kernel + imageFloats + 2 * kernel);
    expect(within({ convolutionL2: 0.001 })).toBe(step(small));
    expect(within({ spectralNorm: { type: 'penalty', iterations: 1, lambda: 1 } })).toBe(within({ denseL2: 0.001 }));
    const observed = { ...small, observe: { ...small.observe, normsEverySteps: 1 } };
    expect(step(observed)).toBe(2 * kernel + imageFloats + 2 * kernel);
    const convolving = planOf('conv: {channels: 512, size: 3, bias: false}, global-average-pool, dense', 1);
    const tiny = { ends: { sampleShape: [2, 2, 64], nClasses: 10 }, threads: 1 };
    const more = (model: Partial<Plan['model']>) =>
      estimateStepBytes({ ...convolving, model: { ...convolving.model, ...model } }, tiny) -
      estimateStepBytes(convolving, tiny);
    expect(more({ convolutionL2: 0.001 })).toBeGreaterThan(4 * 100_000);
    expect(more({ spectralNorm: { type: 'penalty', iterations: 1, lambda: 1 } })).toBe(more({ convolutionL2: 0.001 }));
    expect(more({ denseL2: 0.001 })).toBe(0);
  });
});

describe('an attack', () => {
  const plan = planOf(normalised, 32);
  const attackBytes = estimateAttackBytes(plan, 32, around);

  it('takes weights, statistics, the clean images and a pass for the gradient of images', () => {
    const { parameters, statistics, peak } = passOf(plan);
    const pass = peak({ batchSize: 32, mode: 'inference', gradients: 'input', threads: 2 });
    const floats = parameters + statistics + 32 * imageFloats + pass;
    expect(attackBytes).toBe(4 * floats + smallTensorsBytes);
    const divided: Plan = { ...plan, model: { ...plan.model, spectralNorm: { type: 'normalization', iterations: 1 } } };
    expect(estimateAttackBytes(divided, 32, around) - attackBytes).toBe(4 * parameters);
    const penalised: Plan = {
      ...plan,
      model: { ...plan.model, spectralNorm: { type: 'penalty', iterations: 1, lambda: 1 } },
    };
    expect(estimateAttackBytes(penalised, 32, around)).toBe(attackBytes);
  });

  it('of tests counts where tests attack', () => {
    expect(estimateStepBytes(plan, around)).toBeLessThan(attackBytes);
    const checked = (testEveryEpochs: number, robustSamples: number) => () => {
      const observe = { ...plan.observe, testEveryEpochs, robustSamples };
      checkMemory({ ...plan, observe }, around, device(attackBytes - 1));
    };
    expect(checked(1, 1)).toThrow('Set training.batchSize to 31 or less.');
    expect(checked(0, 1)).not.toThrow();
    expect(checked(1, 0)).not.toThrow();
  });
});

describe('what is said', () => {
  it('is of no more images than there are, and of as many noisy copies as a batch has', () => {
    const plan = planOf(normalised, 5000);
    expect(() => {
      checkMemory(plan, around, device(1e6));
    }).toThrow(/^Batches of 1000 images need/);
    const context = { trainedEpsilon: null, testSamples: 1000 };
    const smoothing = completeEvaluation('smoothing', { samples: 10, batchSize: 5000 }, context);
    expect(() => {
      checkEvaluationMemory(plan, smoothing, around, device(1e6));
    }).toThrow(/^Batches of 5000 images need/);
  });

  it('lets a batch of one image be one, and half of an odd batch the smaller one', () => {
    const plan = planOf(normalised, 127);
    const one = device(estimateStepBytes(planOf(normalised, 1), around));
    expect(() => {
      checkMemory(plan, around, one);
    }).toThrow('Set training.batchSize to 1 or less.');
    expect(lackOfStepMemory(plan, around, one, null).message).toContain('set training.batchSize to 1 or less');
    expect(lackOfStepMemory(plan, around, device(1e12), null).message).toContain('to 63 or less');
  });

  it.each([
    [1, '1 MB'],
    [412_500_000, '413 MB'],
    [999_999_999, '1000 MB'],
    [1e9, '1.0 GB'],
    [1.25e9, '1.3 GB'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});
