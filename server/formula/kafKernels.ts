// The kernels of kernel activation functions, one entry each: what an experiment may name, what the runtimes' kernels are made of, the
// curves on the screen and the documents. All are functions of the distance x − d alone.
import { formulaOf, type Formula } from './formula.ts';

interface Definition {
  /** For people. */
  readonly name: string;
  readonly description: string;
  /** κ(x, dᵢ), as it stands in a sum. */
  readonly summand: string;
  /** Of the distance, called x, and of gamma. */
  readonly formula: string;
  /** κ(t)/t for t → ∞: 1 for a kernel that rises for ever, beside which the rest must settle; 0 for −∞, always. */
  readonly rise: 0 | 1;
  /** Distance from which κ − rise·t is smooth in 1/t. */
  readonly reach: (gamma: number) => number;
  /**
   * Length of intervals on which a cubic through Chebyshev's nodes is off by no more than 2e-7 of κ's scale: by h⁴·max|κ⁗|/3072
   * (Süli & Mayers 2003, §8.5). Infinite where κ is a straight line on either side of 0.
   */
  readonly interval: (gamma: number) => number;
  /** Whether the matrix of κ(dᵢ, dⱼ) is positive definite, so that a ridge fit may solve with it. */
  readonly isPositiveDefinite: boolean;
  /** Whether γ means something to it. */
  readonly hasWidth: boolean;
}

export const kafKernels = {
  gaussian: {
    name: 'Gaussian',
    description: 'A bump of width 1/√(2γ), 0 far away (4.8).',
    summand: 'exp(−γ(x−dᵢ)²)',
    formula: 'exp(-gamma * x^2)',
    rise: 0,
    reach: (gamma) => Math.sqrt(20 / gamma),
    interval: (gamma) => 1 / (8.5 * Math.sqrt(2 * gamma)),
    isPositiveDefinite: true,
    hasWidth: true,
  },
  'rational-quadratic': {
    name: 'rational quadratic',
    description:
      'A bump of width 1/√γ with heavy tails: half at that distance, a hundredth at ten times (Genton, 2001).',
    summand: '1/(1 + γ(x−dᵢ)²)',
    formula: '1 / (1 + gamma * x^2)',
    rise: 0,
    reach: (gamma) => 2 / Math.sqrt(gamma),
    // max|κ⁗| = 24γ².
    interval: (gamma) => 0.07 / Math.sqrt(gamma),
    isPositiveDefinite: true,
    hasWidth: true,
  },
  relu: {
    name: 'ReLU',
    description: 'A hinge: the function is made of straight lines that bend at the dictionary. γ is not used.',
    summand: 'max(0, x−dᵢ)',
    formula: 'max(x, 0)',
    rise: 1,
    reach: () => 0,
    interval: () => Infinity,
    isPositiveDefinite: false,
    hasWidth: false,
  },
  softplus: {
    name: 'softplus',
    description: 'A hinge rounded over a width of about 2. γ is not used.',
    summand: 'log(1 + exp(x−dᵢ))',
    formula: 'softplus(x)',
    rise: 1,
    reach: () => 4,
    // max|κ⁗| = 1/8.
    interval: () => 0.26,
    isPositiveDefinite: false,
    hasWidth: false,
  },
} as const satisfies Readonly<Record<string, Definition>>;

export type KafKernelName = keyof typeof kafKernels;

export const kafKernelNames = Object.keys(kafKernels) as [KafKernelName, ...KafKernelName[]];

/** κ and κ′ of the distance x. */
export function kafKernelFormula(name: KafKernelName, gamma: number): Formula {
  return formulaOf({ formula: kafKernels[name].formula, parameters: [], constants: { gamma } });
}

/** Where nothing is said of kernels. */
export const gaussianAlone: readonly KafKernelName[] = ['gaussian'];

/** What a multi-KAF's kernels weigh: μₘ·αᵢ, `[channels, M·D]`, of α `[channels, D]` and μ `[channels, M]`. */
export function mixedCoefficients(alpha: Float32Array, mixture: Float32Array, channels: number): Float32Array {
  const [size, nKernels] = [alpha.length / channels, mixture.length / channels];
  return Float32Array.from({ length: nKernels * alpha.length }, (_, at) => {
    const [kernel, i] = [Math.floor(at / size), at % size];
    return mixture[kernel]! * alpha[Math.floor(kernel / nKernels) * size + i]!;
  });
}
