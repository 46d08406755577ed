// The activation functions an experiment may name, with their equations. Equation numbers: Peconi (2020).
import { keyedVariants, number, optionalGroup, variants, word } from './setting.ts';

const anyNumber = { min: -100, max: 100 };
const positive = { min: 0, max: 1000, isMinExcluded: true };
const share = { min: 0, max: 1, isMinExcluded: true };
const epochs = { min: 1, max: 10_000 };

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
    '{normal: 0} for residual-kaf, {normal: 0.3} otherwise',
  ),
};

const splineKeys = {
  points: number(
    'Q, the number of control points: at knots spread evenly over [−boundary, boundary], Δ = 2b/(Q − 1) apart.',
    { min: 4, max: 256 },
    21,
    { isInteger: true, unit: 'points' },
  ),
  boundary: number(
    'b, the last knot. A span needs a knot on either side, so the curve ends at b − Δ.',
    { min: 0.001, max: 100 },
    3,
  ),
  basis: word(
    'B, how a curve is made of control points.',
    {
      'catmull-rom': {
        description: 'Through the control points; its slope is continuous.',
        equation: 'B = ½[[−1, 3, −3, 1], [2, −5, 4, −1], [−1, 0, 1, 0], [0, 2, 0, 0]]',
      },
      'b-spline': {
        description: 'Near the control points, and smoother: its curvature is continuous too.',
        equation: 'B = ⅙[[−1, 3, −3, 1], [3, −6, 3, 0], [−3, 0, 3, 0], [1, 4, 1, 0]]',
      },
    },
    'catmull-rom',
  ),
  start: word(
    'The function whose values at the knots the control points have before training.',
    {
      tanh: { description: 'Hyperbolic tangent, as in the literature.' },
      relu: { description: 'ReLU.' },
      elu: { description: 'ELU.' },
      swish: { description: 'Swish.' },
      identity: { description: 'The identity; constant beyond ±(b − Δ), as every spline is.' },
    },
    'tanh',
  ),
  noise: number('σ of normal noise on the control points before training.', { min: 0, max: 100 }, 0),
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
    'kaf-free': {
      description: 'KAF whose dictionary and bandwidth are trained as well, a channel its own (§7.1); slower.',
      equation: 'f(x) = Σᵢ αᵢ exp(−γ(x − dᵢ)²)',
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
    gelu: {
      description: 'GELU, with the exact normal distribution Φ (§5.2).',
      equation: 'f(x) = x·Φ(x)',
      keys: {},
    },
    'leaky-relu': {
      description: 'Leaky ReLU (2.17).',
      equation: 'f(x) = x for x > 0, slope·x otherwise',
      keys: { slope: number('The slope below 0.', { min: 0, max: 1, isMinExcluded: true }, 0.01) },
    },
    softplus: {
      description: 'Parametric softplus (§5.2).',
      equation: 'f(x) = (1/a)·log(1 + exp(a·x))',
      keys: { a: number('a; nearer to ReLU the larger.', positive, 1) },
    },
    'smooth-relu': {
      description: 'SmoothReLU (Fig. 5.3; Xie et al., 2020).',
      equation: 'f(x) = x − (1/β)·log(βx + 1) for x ≥ 0, 0 otherwise',
      keys: { beta: number('β; nearer to ReLU the larger.', positive, 1) },
    },
    tanh: { description: 'Hyperbolic tangent (2.15).', equation: 'f(x) = tanh(x)', keys: {} },
    sigmoid: { description: 'Logistic sigmoid (2.13).', equation: 'f(x) = σ(x) = 1/(1 + exp(−x))', keys: {} },
    step: {
      description: 'Threshold (2.4), trained through a gradient that it does not have.',
      equation: 'f(x) = 1 for x ≥ 0, 0 otherwise',
      keys: {
        straightThrough: number(
          'The gradient passes straight through where |x| is below this; 0 for no gradient.',
          { min: 0, max: 1000 },
          1,
        ),
      },
    },
    'k-wta': {
      description: 'k-winners-take-all (5.1): of all values of a sample the largest stay, ties included.',
      equation: 'f(x)ᵢ = xᵢ where xᵢ is among the k largest of x, 0 otherwise;  k = ⌈ratio·n⌉',
      keys: {
        ratio: number('The share of winners.', share, 0.2),
        lowering: optionalGroup(
          "Lowers the share of winners in the course of training; {} is the thesis's way from 0.3.",
          {
            to: number('The share at which it stays.', share, 0.15),
            by: number('How much at a time.', share, 0.01),
            everyEpochs: number('Epochs from one time to the next.', epochs, 2, { isInteger: true, unit: 'epochs' }),
            afterEpochs: number('Epochs before the first time.', { ...epochs, min: 0 }, 10, {
              isInteger: true,
              unit: 'epochs',
            }),
          },
          'none: the share is the same in all epochs',
        ),
      },
    },
    prelu: {
      description: 'PReLU: leaky ReLU whose slope is trained, a channel its own (He et al., 2015).',
      equation: 'f(x) = x for x > 0, a·x otherwise',
      keys: { slope: number('a before training.', anyNumber, 0.25) },
    },
    'generalized-tanh': {
      description: 'Generalised hyperbolic tangent, a and b trained, a channel its own (Chen & Chang, 1996).',
      equation: 'f(x) = a(1 − exp(−b·x))/(1 + exp(−b·x))',
      keys: {
        scale: number('a before training.', anyNumber, 1),
        rate: number('b before training; 2 starts as tanh.', anyNumber, 2),
      },
    },
    srelu: {
      description: 'S-shaped ReLU, all four coefficients trained, a channel its own (4.1).',
      equation: 'f(x) = tʳ + aʳ(x − tʳ) for x ≥ tʳ, tˡ + aˡ(x − tˡ) for x ≤ tˡ, x between',
      keys: {
        left: number('tˡ before training.', anyNumber, 0),
        leftSlope: number('aˡ before training.', anyNumber, 0.2),
        right: number('tʳ before training.', anyNumber, 1),
        rightSlope: number('aʳ before training.', anyNumber, 1),
      },
    },
    apl: {
      description: 'Adaptive piecewise linear unit, a and b trained, a channel its own (4.2); starts as ReLU.',
      equation: 'f(x) = max(0, x) + Σᵢ aᵢ·max(0, bᵢ − x)',
      keys: {
        hinges: number('S, the number of hinges.', { min: 1, max: 64 }, 3, { isInteger: true, unit: 'hinges' }),
        reach: number('b is spread evenly over [−reach, reach] before training.', { min: 0, max: 100 }, 1),
      },
    },
    polynomial: {
      description: 'Polynomial, its coefficients trained, a channel its own (4.3); starts as the identity.',
      equation: 'f(x) = Σᵢ cᵢxⁱ',
      keys: { degree: number('The highest power.', { min: 1, max: 16 }, 3, { isInteger: true }) },
    },
    spline: {
      description: 'Spline activation function (4.4): cubic, its control points trained, a channel its own.',
      equation: 'f(x) = uᵀB·[qᵢ₋₁, qᵢ, qᵢ₊₁, qᵢ₊₂] for x between the knots i and i + 1; constant beyond ±(b − Δ)',
      keys: splineKeys,
    },
    maxout: {
      description:
        'Maxout (4.5): the largest of K linear maps, each normalised by itself; the layer before has K times the weights. Not for resnets.',
      equation: 'f(x) = maxₖ (wₖᵀx + bₖ)',
      keys: {
        maps: number('K, the linear maps of a unit.', { min: 2, max: 16 }, 2, { isInteger: true, unit: 'maps' }),
      },
    },
  },
  'kaf',
);
