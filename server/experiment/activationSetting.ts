// The activation functions an experiment may name, with their equations. Equation numbers: Peconi (2020).
import { activations, type ActivationKey, type ActivationName, type ActivationWord } from '../formula/activations.ts';
import { kafKernels, type KafKernelName } from '../formula/kafKernels.ts';
import { startTargets } from '../formula/startTargets.ts';
import { formulaLimits, isParameterName } from '../formula/parseFormula.ts';
import {
  group,
  keyedVariants,
  list,
  map,
  number,
  optionalGroup,
  text,
  variants,
  word,
  type Setting,
} from './setting.ts';

const anyNumber = { min: -1e6, max: 1e6 };
const maxParameters = 16;
const share = { min: 0, max: 1, isMinExcluded: true };
const epochs = { min: 1, max: 10_000 };

const epsilonRange = { min: 0, max: 1, isMinExcluded: true } as const;
const normalStart = {
  description: 'Drawn from a normal distribution around 0.',
  keys: { normal: number('σ, the standard deviation; 0 for all zero.', { min: 0, max: 100 }, 0.3) },
};

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
  gamma: number('γ, the bandwidth of the kernels that have one.', { min: 0, max: 1e10, isMinExcluded: true }, 'auto', {
    words: { auto: { description: '1/(6Δ²) with Δ = 2b/(D − 1), the spacing of the dictionary.' } },
  }),
  init: keyedVariants(
    'The coefficients α before training.',
    {
      normal: { ...normalStart, equation: 'αᵢ ~ N(0, σ²)' },
      ridge: {
        description: 'Fitted to another activation function by ridge regression (4.11).',
        equation: 'α = (K + εI)⁻¹ t,  Kᵢⱼ = κ(dᵢ, dⱼ),  tᵢ = target(dᵢ)',
        keys: {
          ridge: word(
            'The function to start as.',
            {
              ...startTargets,
              elu: { description: 'ELU: within 0.0134 on [−3, 3] at D = 20.' },
              swish: { description: 'Swish: within 0.0115 on [−3, 3] at D = 20.' },
              relu: { description: 'ReLU: within 0.050 on [−3, 3] at D = 20; its corner needs coefficients up to 72.' },
            },
            'elu',
          ),
          epsilon: number('ε of the ridge regression.', epsilonRange, '1e-6'),
        },
      },
    },
    '{normal: 0} for residual-kaf, {normal: 0.3} otherwise',
  ),
};

const kernelWords = Object.fromEntries(
  Object.entries(kafKernels).map(([name, { description, summand }]) => [
    name,
    { description, equation: `f(x) = Σᵢ αᵢ ${summand}` },
  ]),
) as { readonly [K in KafKernelName]: { readonly description: string; readonly equation: string } };

const oneKernelKeys = { kernel: word('κ, the kernel.', kernelWords, 'gaussian'), ...kafKeys };

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
      ...startTargets,
      tanh: { description: 'Hyperbolic tangent, as in the literature.' },
      identity: { description: 'The identity; constant beyond ±(b − Δ), as every spline is.' },
    },
    'tanh',
  ),
  noise: number('σ of normal noise on the control points before training.', { min: 0, max: 100 }, 0),
};

/** Those that are a formula with a name: their numbers, as the table has them. */
const named = Object.fromEntries(
  Object.entries(activations).map(([name, { description, equation, keys }]) => {
    const settings = Object.entries<ActivationKey>(keys).map(([key, said]) => [key, settingOf(said)] as const);
    return [name, { description, equation, keys: Object.fromEntries(settings) }] as const;
  }),
) as unknown as NamedVariants;

function settingOf(said: ActivationKey): Setting {
  if ('words' in said) return word(said.description, said.words, said.byDefault);
  const { description, byDefault, isInteger, unit, ...range } = said;
  return number(description, range, byDefault, { isInteger: isInteger ?? false, unit: unit ?? '' });
}

type NamedVariants = {
  readonly [T in ActivationName]: {
    readonly description: string;
    readonly equation: string;
    readonly keys: {
      readonly [K in keyof (typeof activations)[T]['keys']]: SettingOf<(typeof activations)[T]['keys'][K]>;
    };
  };
};
type SettingOf<K> = K extends { readonly words: infer W extends ActivationWord['words'] }
  ? ReturnType<typeof word<W, keyof W & string>>
  : typeof aNumber;
const aNumber = number('', anyNumber, 0);

export const activationSetting = variants(
  'The activation function of every layer.',
  'type',
  {
    kaf: {
      description: 'Kernel activation function: a trainable sum of kernels, one α a channel (4.6, 4.9).',
      equation: 'f(x) = Σᵢ αᵢ κ(x, dᵢ);  κ = exp(−γ(x − d)²) for Gaussian kernels',
      keys: oneKernelKeys,
    },
    'residual-kaf': {
      description: 'Swish plus a KAF that starts at 0.',
      equation: 'f(x) = x·σ(x) + Σᵢ αᵢ κ(x, dᵢ);  κ = exp(−γ(x − d)²) for Gaussian kernels',
      keys: oneKernelKeys,
    },
    'kaf-free': {
      description: 'KAF whose dictionary and bandwidth are trained as well, a channel its own (§7.1); slower.',
      equation: 'f(x) = Σᵢ αᵢ exp(−γ(x − dᵢ)²)',
      keys: kafKeys,
    },
    'multi-kaf': {
      description:
        'Multikernel activation function: a KAF of several kernels, whose weights are trained, a channel its own (Scardapane et al., 2019).',
      equation: 'f(x) = Σₘ μₘ Σᵢ αᵢ κₘ(x, dᵢ);  μₘ = 1/M before training',
      keys: {
        kernels: list(
          'κₘ, the kernels, by the names that `kernel` has in kaf.',
          word('A kernel.', kernelWords, 'gaussian'),
          {
            minLength: 2,
            maxLength: Object.keys(kafKernels).length,
            isUnique: true,
            computed: '[gaussian, softplus]',
          },
        ),
        ...kafKeys,
      },
    },
    'kaf-2d': {
      description:
        'Two-dimensional KAF (Scardapane et al., 2017): of pairs of channels, which become one; the layer before has twice the weights. Slower, and not for preact-resnet18.',
      equation: 'f(u, v) = Σᵢ Σⱼ αᵢⱼ exp(−γ((u − dᵢ)² + (v − dⱼ)²))',
      keys: {
        dictionary: number(
          'D, the number of elements of each axis; there are D² coefficients.',
          { min: 2, max: 32 },
          10,
          {
            isInteger: true,
            unit: 'elements',
          },
        ),
        boundary: kafKeys.boundary,
        gamma: number('γ, the bandwidth of the kernels.', { min: 0, max: 1e10, isMinExcluded: true }, 'auto', {
          words: { auto: { description: '1/(4Δ²) with Δ = 2b/(D − 1), the spacing of the dictionary.' } },
        }),
        init: keyedVariants(
          'The coefficients α before training.',
          {
            normal: { ...normalStart, equation: 'αᵢⱼ ~ N(0, σ²)' },
            ridge: {
              description: 'Fitted to another activation function at (u + v)/√2 by ridge regression.',
              equation: 'α = (K⊗K + εI)⁻¹ t,  Kᵢⱼ = κ(dᵢ, dⱼ),  tᵢⱼ = target((dᵢ + dⱼ)/√2)',
              keys: {
                ridge: word('The function to start as, at D = 10 within 0.05 on [−2.5, 2.5]².', startTargets, 'elu'),
                epsilon: number('ε of the ridge regression.', epsilonRange, '1e-4'),
              },
            },
          },
          '{normal: 0.3}',
        ),
      },
    },
    ...named,
    formula: {
      description: 'A function of your own, compiled as the others are; its parameters are trained, a channel its own.',
      equation: 'f(x) = the formula',
      keys: {
        formula: text(
          'f(x), of x, the parameters and numbers: + - * / ^ ( ), and functions.',
          'formula',
          formulaLimits.characters,
          'x * sigmoid(x)',
        ),
        parameters: map(
          'What is trained, by name: where every channel starts, or {start, min, max}.',
          group(
            'A trained parameter.',
            {
              start: number('The value before training.', anyNumber, 1),
              min: number('What training keeps it at or above.', anyNumber, { computed: 'none' }),
              max: number('What training keeps it at or below.', anyNumber, { computed: 'none' }),
            },
            { shorthand: 'start' },
          ),
          {
            names: 'a name of letters, digits and _ that no function has',
            isName: isParameterName,
            maxLength: maxParameters,
          },
        ),
      },
    },
    'k-wta': {
      description: 'k-winners-take-all (5.1): of all values of a sample, or of a channel, the largest stay.',
      equation: 'f(x)ᵢ = xᵢ where xᵢ is among the k largest of x, 0 otherwise;  k = ⌊ratio·n⌋, at least 1',
      keys: {
        ratio: number('The share of winners.', share, { computed: '0.3 where it is lowered, 0.2 otherwise' }),
        rounding: word(
          'How ratio·n becomes k.',
          {
            floor: { description: '⌊ratio·n⌋, as Xiao, Zhong and Zheng (2020) have it.' },
            ceiling: { description: '⌈ratio·n⌉, as the thesis has it.' },
          },
          'floor',
        ),
        over: word(
          'Among which values the winners are the largest.',
          {
            layer: { description: 'All values of a sample in the layer.' },
            channel: { description: 'The values of each channel of a sample; of a dense layer, all.' },
          },
          'layer',
        ),
        ties: word(
          'Which of several values that equal the k-th largest win.',
          {
            index: { description: 'The first of them, until there are k.' },
            all: { description: 'Every one, so that there may be more than k, as in the code of the literature.' },
          },
          'index',
        ),
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
    spline: {
      description: 'Spline activation function (4.4): cubic, its control points trained, a channel its own.',
      equation: 'f(x) = uᵀB·[qᵢ₋₁, qᵢ, qᵢ₊₁, qᵢ₊₂] for x between the knots i and i + 1; constant beyond ±(b − Δ)',
      keys: splineKeys,
    },
    maxout: {
      description:
        'Maxout (4.5): the largest of K linear maps, each normalised by itself; the layer before has K times the weights. Not for preact-resnet18.',
      equation: 'f(x) = maxₖ (wₖᵀx + bₖ)',
      keys: {
        maps: number('K, the linear maps of a unit.', { min: 2, max: 16 }, 2, { isInteger: true, unit: 'maps' }),
      },
    },
  },
  'kaf',
);
