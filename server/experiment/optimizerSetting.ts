// How the weights follow the gradient: optimizers, schedules of the learning rate and clipping, as settings.
import { flag, number, variants } from './setting.ts';

const rate = { min: 0, max: 1, isMaxExcluded: true };
const share = { min: 0, max: 1, isMinExcluded: true };
const learningRate = { min: 0, max: 100, isMinExcluded: true };
const inEpochs = { isInteger: true, unit: 'epochs' };
const epochs = { min: 0, max: 1_000_000 };

const addedDecay = number('λ of λ·w added to the gradient of convolution and dense kernels.', { min: 0, max: 10 }, 0);

const moments = {
  beta1: number('Decay of the first moment.', rate, 0.9),
  beta2: number('Decay of the second moment.', rate, 0.999),
  epsilon: number('Added to the denominator.', share, '1e-8'),
};

export const optimizerSetting = variants(
  'How the weights follow the gradient.',
  'type',
  {
    adam: {
      description: 'Adam (Kingma & Ba, 2015).',
      equation: 'm ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − η·m̂/(√v̂ + ε)',
      keys: { ...moments, weightDecay: addedDecay },
    },
    adamw: {
      description: 'Adam with the decay apart from the gradient (Loshchilov & Hutter, 2019).',
      equation: 'w ← w − ηλw;  then as Adam without λ',
      keys: {
        ...moments,
        weightDecay: number('λ of η·λ·w taken of convolution and dense kernels.', { min: 0, max: 10 }, 0.01),
      },
    },
    sgd: {
      description: 'Stochastic gradient descent with momentum (2.12).',
      equation: 'v ← μv + g + λw;  w ← w − ηv;  nesterov: w ← w − η(g + λw + μv)',
      keys: {
        momentum: number('μ, the share of the last update that is kept.', rate, 0.9),
        weightDecay: addedDecay,
        nesterov: flag("Nesterov's momentum: the gradient looks ahead.", false),
      },
    },
  },
  'adam',
);

const cooldownEpochs = number('Epochs, of those of the training, at min in the end.', epochs, 0, inEpochs);
const min = number('η at the end.', learningRate, { computed: '0.0001 with adam, 0.01 with sgd' });
const max = number('η at the peak.', learningRate, { computed: '0.003 with adam, 0.2 with sgd' });
const start = number('η, the learning rate.', learningRate, { computed: '0.001 with adam, 0.05 with sgd' });

export const scheduleSetting = variants(
  'The learning rate η, step by step.',
  'type',
  {
    constant: { description: 'The same learning rate at every step.', keys: { learningRate: start } },
    triangular: {
      description: 'Linear from min to max at half of the steps and back, then cooldownEpochs at min (Fig. 7.1).',
      keys: {
        min: number('η at both ends.', learningRate, { computed: '0.0001 with adam, 0.01 with sgd' }),
        max,
        cooldownEpochs,
        peak: number(
          'The share of the steps, before the cooldown, after which max is reached.',
          { ...share, isMaxExcluded: true },
          0.5,
        ),
      },
    },
    step: {
      description: 'A share of what it was after every so many epochs.',
      equation: 'η·factorⁿ, n = ⌊epochs done/everyEpochs⌋',
      keys: {
        learningRate: start,
        factor: number('What it is multiplied by.', share, 0.1),
        everyEpochs: number(
          'After so many epochs.',
          { min: 1, max: 1_000_000 },
          { computed: 'a third of the epochs' },
          inEpochs,
        ),
      },
    },
    cosine: {
      description: 'Half a cosine from max to min over all steps (Loshchilov & Hutter, 2017).',
      equation: 'min + (max − min)·(1 + cos(π·i/T))/2',
      keys: {
        min,
        max,
        warmupEpochs: number(
          'Epochs, of those of the training, of a linear rise from min before.',
          epochs,
          0,
          inEpochs,
        ),
      },
    },
    'one-cycle': {
      description: 'Half cosines from max/25 to max and down to min, then cooldownEpochs at min (Smith & Topin, 2019).',
      keys: {
        min,
        max,
        peak: number(
          'The share of the steps, before the cooldown, after which max is reached.',
          { ...share, isMaxExcluded: true },
          0.3,
        ),
        cooldownEpochs,
      },
    },
  },
  'constant',
);

const limit = <const D extends number>(description: string, byDefault: D) => ({
  limit: number(description, { min: 0, max: 1_000_000, isMinExcluded: true }, byDefault),
});

export const clippingSetting = variants(
  'What gradients are held to before the weights follow them; norms are recorded as they were before.',
  'type',
  {
    none: { description: 'Nothing.', keys: {} },
    global: {
      description: 'The norm of all gradients together (Pascanu et al., 2013).',
      equation: 'g ← g·min(1, limit/‖all g‖)',
      keys: limit('The largest norm.', 1),
    },
    layer: {
      description: 'The norm of the gradient of each tensor by itself.',
      equation: 'g ← g·min(1, limit/‖g‖)',
      keys: limit('The largest norm.', 1),
    },
    adaptive: {
      description: 'The norm of the gradient of each unit, by that of its weights (Brock et al., 2021).',
      equation: 'g ← g·min(1, limit·max(‖w‖, 10⁻³)/‖g‖)',
      keys: limit("The largest norm, as a share of the weights'.", 0.01),
    },
  },
  'none',
);
