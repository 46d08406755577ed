// The activation functions that are a formula, one line each: what an experiment may name, what its kernels are made of on every
// runtime, the reference that these are checked against, and what the documents say. Equation numbers: Peconi (2020).
import { fitPade } from './fitPade.ts';
import { startTargets, type StartTarget } from './startTargets.ts';

/** A word of an activation function that says how it is made. */
export interface ActivationWord {
  readonly description: string;
  readonly words: Readonly<Record<string, { readonly description: string }>>;
  readonly byDefault: string;
  /** What stands before it where the function is named in short. */
  readonly symbol?: string;
}

/** A number of an activation function: a constant of its formula, or where a trained coefficient starts. */
export interface ActivationNumber {
  readonly description: string;
  readonly min: number;
  readonly max: number;
  readonly isMinExcluded?: true;
  readonly isInteger?: true;
  readonly unit?: string;
  readonly byDefault: number;
  /** As the equation writes it, where that is not the key. */
  readonly symbol?: string;
  /** Trained from there, each channel its own. */
  readonly isTrained?: true;
  /** What training keeps a trained coefficient at least at. */
  readonly atLeast?: number;
}

export type ActivationKey = ActivationNumber | ActivationWord;

/** What the keys of an activation function say. */
export type ActivationValues = Readonly<Record<string, number | string>>;

export interface ActivationDefinition {
  /** For people. */
  readonly name: string;
  readonly description: string;
  readonly equation: string;
  readonly keys: Readonly<Record<string, ActivationKey>>;
  /** Of x and the keys; or made by the keys' values, where they say how long it is. */
  readonly formula: string | ((values: never) => MadeFormula);
  /** See FormulaText. */
  readonly slope?: string;
}

export interface MadeFormula {
  readonly formula: string;
  /** Where each coefficient starts. */
  readonly starts: Readonly<Record<string, number>>;
  /** Standard deviation of normal noise on them. */
  readonly noise?: number;
}

function define<const D extends ActivationDefinition>(definition: D): D {
  return definition;
}

const trained = { min: -100, max: 100, isTrained: true } as const;
const positive = { min: 0, max: 1000, isMinExcluded: true } as const;

export const activations = {
  relu: define({
    name: 'ReLU',
    description: 'Rectified linear unit (2.16).',
    equation: 'f(x) = max(0, x)',
    keys: {},
    formula: 'max(x, 0)',
  }),
  elu: define({
    name: 'ELU',
    description: 'Exponential linear unit (2.18).',
    equation: 'f(x) = x for x ≥ 0, α(eˣ − 1) for x < 0',
    keys: {
      alpha: {
        description: 'α, the negative limit; smooth at 0 only for α = 1.',
        symbol: 'α',
        ...{ min: 0, max: 10, isMinExcluded: true, byDefault: 1 },
      },
    },
    formula: 'where(x > 0, x, alpha * expm1(x))',
  }),
  selu: define({
    name: 'SELU',
    description: 'SELU: ELU scaled so that it keeps mean 0 and variance 1 (Klambauer et al., 2017).',
    equation: 'f(x) = λx for x ≥ 0, λα(eˣ − 1) for x < 0;  λ = 1.0507, α = 1.6733',
    keys: {},
    formula: '1.0507009873554805 * where(x > 0, x, 1.6732632423543772 * expm1(x))',
  }),
  swish: define({
    name: 'Swish',
    description: 'Swish, also SiLU (2.19).',
    equation: 'f(x) = x·σ(x)',
    keys: {},
    // Below −100 the value is under 4e-42 in magnitude; clamping there keeps −∞·0 out.
    formula: 'max(x, -100) * sigmoid(x)',
  }),
  'swish-beta': define({
    name: 'Swish-β',
    description: 'Swish whose β is trained, a channel its own (Ramachandran et al., 2017).',
    equation: 'f(x) = x·σ(βx)',
    keys: { beta: { description: 'β before training.', ...trained, byDefault: 1 } },
    formula: 'x * sigmoid(beta * x)',
  }),
  pssilu: define({
    name: 'PSSiLU',
    description: 'Parametric shifted SiLU, α and β trained, a channel its own (Dai et al., 2021).',
    equation: 'f(x) = x·(σ(αx) − β)/(1 − β)',
    keys: {
      alpha: { description: 'α before training.', ...trained, byDefault: 1 },
      beta: { description: 'β before training.', min: -100, max: 0.99, isTrained: true, byDefault: 0 },
    },
    formula: 'x * (sigmoid(alpha * x) - beta) / (1 - beta)',
  }),
  gelu: define({
    name: 'GELU',
    description: 'GELU, with the exact normal distribution Φ (§5.2).',
    equation: 'f(x) = x·Φ(x)',
    keys: {},
    // Φ(x) = ½·erfc(−x/√2); beyond −40 it is 0.
    formula: '0.5 * max(x, -40) * erfc(-0.7071067811865476 * x)',
  }),
  mish: define({
    name: 'Mish',
    description: 'Mish (Misra, 2019).',
    equation: 'f(x) = x·tanh(log(1 + eˣ))',
    keys: {},
    formula: 'max(x, -100) * tanh(softplus(x))',
  }),
  'leaky-relu': define({
    name: 'leaky ReLU',
    description: 'Leaky ReLU (2.17).',
    equation: 'f(x) = x for x > 0, slope·x otherwise',
    keys: {
      slope: { description: 'The slope below 0.', min: 0, max: 1, isMinExcluded: true, byDefault: 0.01 },
    },
    formula: 'where(x > 0, x, slope * x)',
  }),
  softplus: define({
    name: 'softplus',
    description: 'Parametric softplus (§5.2).',
    equation: 'f(x) = (1/a)·log(1 + exp(a·x))',
    keys: { a: { description: 'a; nearer to ReLU the larger.', ...positive, byDefault: 1 } },
    // Beyond 40 the logarithm adds nothing; a·x may overflow.
    formula: 'where(a * x > 40, x, softplus(a * x) / a)',
  }),
  'param-softplus': define({
    name: 'ParamSoftplus',
    description: 'Softplus whose a is trained, a channel its own (Dai et al., 2021).',
    equation: 'f(x) = (1/a)·log(1 + exp(a·x))',
    keys: {
      a: { description: 'a before training.', min: 0.01, max: 100, isTrained: true, atLeast: 0.01, byDefault: 10 },
    },
    formula: 'where(a * x > 40, x, softplus(a * x) / a)',
  }),
  'smooth-relu': define({
    name: 'SmoothReLU',
    description: 'SmoothReLU (Fig. 5.3; Xie et al., 2020).',
    equation: 'f(x) = x − (1/β)·log(βx + 1) for x ≥ 0, 0 otherwise',
    keys: { beta: { description: 'β; nearer to ReLU the larger.', symbol: 'β', ...positive, byDefault: 1 } },
    // The smaller of the two keeps ∞ − ∞ out.
    formula: 'where(x <= 0, 0, x - log1p(min(beta * x, 3e38)) / beta)',
  }),
  tanh: define({
    name: 'tanh',
    description: 'Hyperbolic tangent (2.15).',
    equation: 'f(x) = tanh(x)',
    keys: {},
    formula: 'tanh(x)',
  }),
  sigmoid: define({
    name: 'sigmoid',
    description: 'Logistic sigmoid (2.13).',
    equation: 'f(x) = σ(x) = 1/(1 + exp(−x))',
    keys: {},
    formula: 'sigmoid(x)',
  }),
  'hard-sigmoid': define({
    name: 'hard sigmoid',
    description: 'Piecewise linear sigmoid (Howard et al., 2019).',
    equation: 'f(x) = min(1, max(0, x/6 + ½))',
    keys: {},
    formula: 'clip(x / 6 + 0.5, 0, 1)',
  }),
  'hard-swish': define({
    name: 'hard Swish',
    description: 'Swish by the piecewise linear sigmoid (Howard et al., 2019).',
    equation: 'f(x) = x·min(1, max(0, x/6 + ½))',
    keys: {},
    // The clamp keeps −∞·0 out.
    formula: 'max(x, -3) * clip(x / 6 + 0.5, 0, 1)',
  }),
  'hard-tanh': define({
    name: 'hard tanh',
    description: 'Piecewise linear hyperbolic tangent (Collobert, 2004).',
    equation: 'f(x) = min(1, max(−1, x))',
    keys: {},
    formula: 'clip(x, -1, 1)',
  }),
  snake: define({
    name: 'Snake',
    description: 'Snake, its frequency a trained, a channel its own (Ziyin et al., 2020); for what is periodic.',
    equation: 'f(x) = x + sin²(ax)/a',
    keys: {
      a: { description: 'a before training.', min: 0.01, max: 100, isTrained: true, atLeast: 0.01, byDefault: 1 },
    },
    formula: 'x + sin(a * x)^2 / a',
  }),
  step: define({
    name: 'step',
    description: 'Threshold (2.4), trained through a gradient that it does not have.',
    equation: 'f(x) = 1 for x ≥ 0, 0 otherwise',
    keys: {
      straightThrough: {
        description: 'The gradient passes straight through where |x| is below this; 0 for no gradient.',
        ...{ min: 0, max: 1000, byDefault: 1 },
      },
    },
    formula: 'where(x >= 0, 1, where(x < 0, 0, x))',
    // Bengio et al. (2013), clipped by Hubara et al. (2016, eq. 4).
    slope: 'where(abs(x) < straightThrough, 1, 0)',
  }),
  prelu: define({
    name: 'PReLU',
    description: 'PReLU: leaky ReLU whose slope is trained, a channel its own (He et al., 2015).',
    equation: 'f(x) = x for x > 0, a·x otherwise',
    keys: { slope: { description: 'a before training.', ...trained, byDefault: 0.25 } },
    formula: 'where(x > 0, x, slope * x)',
  }),
  'generalized-tanh': define({
    name: 'generalised tanh',
    description: 'Generalised hyperbolic tangent, a and b trained, a channel its own (Chen & Chang, 1996).',
    equation: 'f(x) = a(1 − exp(−b·x))/(1 + exp(−b·x))',
    keys: {
      scale: { description: 'a before training.', ...trained, byDefault: 1 },
      rate: { description: 'b before training; 2 starts as tanh.', ...trained, byDefault: 2 },
    },
    formula: 'scale * tanh(rate * x / 2)',
  }),
  srelu: define({
    name: 'SReLU',
    description: 'S-shaped ReLU, all four coefficients trained, a channel its own (4.1).',
    equation: 'f(x) = tʳ + aʳ(x − tʳ) for x ≥ tʳ, tˡ + aˡ(x − tˡ) for x ≤ tˡ, x between',
    keys: {
      left: { description: 'tˡ before training.', ...trained, byDefault: 0 },
      leftSlope: { description: 'aˡ before training.', ...trained, byDefault: 0.2 },
      right: { description: 'tʳ before training.', ...trained, byDefault: 1 },
      rightSlope: { description: 'aʳ before training.', ...trained, byDefault: 1 },
    },
    formula: 'where(x >= right, right + rightSlope * (x - right), where(x <= left, left + leftSlope * (x - left), x))',
  }),
  apl: define({
    name: 'APL',
    description: 'Adaptive piecewise linear unit, a and b trained, a channel its own (4.2); starts as ReLU.',
    equation: 'f(x) = max(0, x) + Σᵢ aᵢ·max(0, bᵢ − x)',
    keys: {
      hinges: {
        description: 'S, the number of hinges.',
        ...{ min: 1, max: 64, isInteger: true, unit: 'hinges', byDefault: 3 },
      },
      reach: {
        description: 'b is spread evenly over [−reach, reach] before training.',
        min: 0,
        max: 100,
        byDefault: 1,
      },
    },
    formula: ({ hinges, reach }: { readonly hinges: number; readonly reach: number }) => {
      const numbers = Array.from({ length: hinges }, (_, index) => index);
      // A single hinge is at 0.
      const place = (index: number) => (hinges === 1 ? 0 : -reach + (2 * reach * index) / (hinges - 1));
      return {
        formula: ['max(x, 0)', ...numbers.map((i) => `a${i} * max(b${i} - x, 0)`)].join(' + '),
        starts: Object.fromEntries([
          ...numbers.map((i) => [`a${i}`, 0] as const),
          ...numbers.map((i) => [`b${i}`, place(i)] as const),
        ]),
      };
    },
  }),
  polynomial: define({
    name: 'polynomial',
    description: 'Polynomial, its coefficients trained, a channel its own (4.3); starts as the identity.',
    equation: 'f(x) = Σᵢ cᵢxⁱ',
    keys: { degree: { description: 'The highest power.', min: 1, max: 16, isInteger: true, byDefault: 3 } },
    formula: ({ degree }: { readonly degree: number }) => ({
      formula: horner('c', 0, degree),
      starts: Object.fromEntries(Array.from({ length: degree + 1 }, (_, power) => [`c${power}`, power === 1 ? 1 : 0])),
    }),
  }),
  pade: define({
    name: 'Padé',
    description:
      'Padé activation unit: a quotient of polynomials whose denominator is never below 1, trained, a channel its own (Molina et al., 2020).',
    equation: 'f(x) = Σⱼ aⱼxʲ/(1 + |Σₖ bₖxᵏ|), j = 0 … 5, k = 1 … 4',
    keys: {
      start: {
        description: 'The function that it starts as, on ±3.',
        words: startTargets,
        byDefault: 'leaky-relu',
        symbol: 'from',
      },
      noise: { description: 'σ of normal noise on a and b before training.', min: 0, max: 100, byDefault: 0 },
    },
    formula: ({ start, noise }: { readonly start: StartTarget; readonly noise: number }) => {
      const { a, b } = fitPade(startTargets[start].at);
      const starts = [...a.map((value, j) => [`a${j}`, value]), ...b.map((value, k) => [`b${k + 1}`, value])];
      const formula = `(${horner('a', 0, 5)}) / (1 + abs(x * (${horner('b', 1, 4)})))`;
      return { formula, starts: Object.fromEntries(starts) as Record<string, number>, noise };
    },
  }),
} as const satisfies Readonly<Record<string, ActivationDefinition>>;

/** c₀ + x·(c₁ + x·(…)). */
function horner(letter: string, first: number, last: number): string {
  return first === last ? `${letter}${first}` : `${letter}${first} + x * (${horner(letter, first + 1, last)})`;
}

export type ActivationName = keyof typeof activations;
