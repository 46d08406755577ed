// The activation functions an experiment may name, with their equations. Equation numbers: Peconi (2020).
import { keyedVariants, number, variants, word } from './setting.ts';

const kafKeys = {
  dictionary: number(
    'D, the number of kernels: points dᵢ spread evenly over [−boundary, boundary].',
    { min: 2, max: 256 },
    20,
    {
      isInteger: true,
      unit: 'kernels',
    },
  ),
  boundary: number('b, the end of the dictionary [−b, b].', { min: 0.001, max: 100 }, 3),
  gamma: number('γ, the bandwidth of the Gaussian kernels.', { min: 0, max: 1e10, isMinExcluded: true }, 'auto', {
    words: { auto: { description: '1/(6Δ²) with Δ = 2b/(D − 1), the spacing of the dictionary.' } },
  }),
  init: keyedVariants(
    'The coefficients α before training.',
    {
      normal: {
        description: 'Drawn from a normal distribution around 0.',
        equation: 'αᵢ ~ N(0, σ²)',
        keys: { normal: number('σ, the standard deviation; 0 for all zero.', { min: 0, max: 100 }, 0.3) },
      },
      ridge: {
        description: 'Fitted to another activation function by ridge regression (4.11).',
        equation: 'α = (K + εI)⁻¹ t,  Kᵢⱼ = κ(dᵢ, dⱼ),  tᵢ = target(dᵢ)',
        keys: {
          ridge: word(
            'The function to start as.',
            {
              elu: { description: 'ELU: within 0.0134 on [−3, 3] at D = 20.' },
              swish: { description: 'Swish: within 0.0115 on [−3, 3] at D = 20.' },
              relu: { description: 'ReLU: within 0.050 on [−3, 3] at D = 20; its corner needs coefficients up to 72.' },
            },
            'elu',
          ),
          epsilon: number('ε of the ridge regression.', { min: 0, max: 1, isMinExcluded: true }, '1e-6'),
        },
      },
    },
    '{normal: 0.3} for kaf, {normal: 0} for residual-kaf',
  ),
};

export const activationSetting = variants(
  'The activation function of every layer.',
  'type',
  {
    kaf: {
      description: 'Kernel activation function: a trainable sum of Gaussian kernels, one α a channel (4.6, 4.9).',
      equation: 'f(x) = Σᵢ αᵢ exp(−γ(x − dᵢ)²)',
      keys: kafKeys,
    },
    'residual-kaf': {
      description: 'Swish plus a KAF that starts at 0.',
      equation: 'f(x) = x·σ(x) + Σᵢ αᵢ exp(−γ(x − dᵢ)²)',
      keys: kafKeys,
    },
    relu: { description: 'Rectified linear unit (2.16).', equation: 'f(x) = max(0, x)', keys: {} },
    elu: {
      description: 'Exponential linear unit (2.18).',
      equation: 'f(x) = x for x ≥ 0, α(eˣ − 1) for x < 0',
      keys: {
        alpha: number(
          'α, the negative limit; smooth at 0 only for α = 1.',
          { min: 0, max: 10, isMinExcluded: true },
          1,
        ),
      },
    },
    swish: { description: 'Swish, also SiLU (2.19).', equation: 'f(x) = x·σ(x)', keys: {} },
  },
  'kaf',
  {
    'kaf-free': { description: 'KAF with trainable dictionary and bandwidth.' },
    'k-wta': { description: 'k-winners-take-all (5.1).' },
    gelu: { description: 'GELU.' },
    'leaky-relu': { description: 'Leaky ReLU (2.17).' },
    prelu: { description: 'PReLU.' },
    softplus: { description: 'Softplus.' },
    'smooth-relu': { description: 'SmoothReLU.' },
    tanh: { description: 'Hyperbolic tangent (2.15).' },
    sigmoid: { description: 'Sigmoid (2.13).' },
  },
);
