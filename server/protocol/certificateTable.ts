// The certificates that an experiment may name beside attacks: what proves, image by image, that no perturbation up to some length
// fools the network. A new one is an entry here, its file in server/certificate, and its line in certificates.ts there.
import { onceOver, type EvaluationEntry } from './attackEntry.ts';
import { leadingKeys, trailingKeys, usualEpsilon, type NumberKey, type ValuesOfKeys } from './attackKey.ts';

const onlyL2 = { ...leadingKeys.norm, choices: { l2: leadingKeys.norm.choices.l2 }, byDefault: 'l2' } as const;

const epsilonOfL2 = {
  ...leadingKeys.epsilon,
  description: 'ε, the perturbation that the headline figure is certified for.',
  byDefault: usualEpsilon.l2,
} as const satisfies NumberKey;

export const certificateTable = {
  smoothing: {
    name: 'randomised smoothing',
    description:
      'Certifies not the network but its vote over normal noise, under L2, with a chance of error for each image; where the vote is close it abstains (Cohen et al., 2019).',
    equation: 'g(x) = argmax_c P(f(x + N(0, σ²I)) = c);  R = σ·Φ⁻¹(p_A),  p_A the lower Clopper–Pearson bound at α',
    strength: 'usual',
    isNearest: true,
    keys: {
      norm: onlyL2,
      epsilon: epsilonOfL2,
      sigma: {
        kind: 'number',
        description:
          'σ, the standard deviation of the noise; a network trained without noise rarely stands much of it.',
        ...{ min: 0, max: 100, isMinExcluded: true, isPixelLength: true, byDefault: 0.25 },
        unit: 'pixel values of [0, 1]',
      },
      selection: {
        kind: 'number',
        description: 'n₀, noisy copies of an image by which the class is chosen.',
        ...{ min: 1, max: 1_000_000, isInteger: true, byDefault: 100 },
      },
      draws: {
        kind: 'number',
        description:
          'n, further noisy copies that the class is counted on; the paper takes 100,000. The largest radius grows with it.',
        ...{ min: 1, max: 10_000_000, isInteger: true, byDefault: 10_000 },
      },
      failure: {
        kind: 'number',
        description: 'α, the chance that the radius of an image says too much.',
        ...{ min: 0, max: 0.5, isMinExcluded: true, byDefault: 0.001 },
      },
      samples: {
        ...trailingKeys.samples,
        byDefault: {
          computed: '100, or all test images where there are fewer',
          of: (_, { testSamples }) => Math.min(100, testSamples ?? Infinity),
        },
      },
      batchSize: { ...trailingKeys.batchSize, description: 'Noisy copies that go through the network at once.' },
      seed: { ...trailingKeys.seed, description: 'Another number gives other noise.' },
      weights: trailingKeys.weights,
    },
    title: ({ sigma, draws }) => `smoothing σ ${String(Number(Number(sigma).toPrecision(4)))} × ${String(draws)}`,
    runs: () => onceOver,
  },
  ibp: {
    name: 'interval bounds',
    description:
      'Sends all that a perturbation can make of an image through the network as an interval of each value, under L∞: sound, and loose unless the network was trained for it (Gowal et al., 2018).',
    equation: 'μ′ = Wμ + b, r′ = |W|r;  f([l, u]) for activations;  certified where min z_y − max_{k≠y} z_k > 0',
    strength: 'usual',
    isNearest: true,
    keys: {
      norm: { ...leadingKeys.norm, choices: { linf: leadingKeys.norm.choices.linf }, byDefault: 'linf' },
      epsilon: {
        ...leadingKeys.epsilon,
        max: 1,
        description: 'ε, the perturbation that the headline figure is certified for.',
      },
      searches: {
        kind: 'number',
        description: "Values of ε that each image's radius is searched with.",
        ...{ min: 1, max: 60, isInteger: true, byDefault: 16 },
      },
      samples: trailingKeys.samples,
      batchSize: { ...trailingKeys.batchSize, description: 'Images certified at once.' },
      weights: trailingKeys.weights,
    },
    title: () => 'interval bounds',
    runs: () => onceOver,
  },
  lipschitz: {
    name: 'Lipschitz bound',
    description:
      'Multiplies by how much each layer can lengthen a difference at most, under L2 (Szegedy et al., 2014; 3.12, 3.13): an upper bound of the Lipschitz constant, far above it in deep networks.',
    equation: 'L ≤ ∏ Lip(fᵢ);  KAF: Lip(f) ≤ ‖α‖₁·√(2γ/e);  R = (z_y − max_{k≠y} z_k)/(√2·L)',
    strength: 'usual',
    isNearest: true,
    keys: {
      norm: onlyL2,
      epsilon: epsilonOfL2,
      samples: trailingKeys.samples,
      batchSize: { ...trailingKeys.batchSize, description: 'Images certified at once.' },
      weights: trailingKeys.weights,
    },
    title: () => 'Lipschitz bound',
    runs: () => onceOver,
  },
} as const satisfies Readonly<Record<string, EvaluationEntry>>;

export type CertificateName = keyof typeof certificateTable;
export const certificateNames = Object.keys(certificateTable) as CertificateName[];

/** A certificate with every setting spelled out. */
export type PlanOfCertificate<C extends CertificateName> = { readonly attack: C } & ValuesOfKeys<
  (typeof certificateTable)[C]['keys']
>;
