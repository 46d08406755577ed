// Every training method that an experiment may name: what it is, its settings, the threats that it defends against. Settings,
// completion, hovers, schemas and documents come from here; server/trainer/methods has a file with the algorithm for each.
// A new method is an entry here, its file, and its line in server/trainer/methods/methods.ts.
import type { AttackKeys, ChoiceKey, NumberKey, ValuesOfKeys } from './attackKey.ts';
import { completeKeys, usualEpsilon } from './attackKey.ts';

type Norm = 'linf' | 'l2';
type Values = Readonly<Record<string, unknown>>;

export interface MethodEntry {
  /** For people. */
  readonly name: string;
  readonly description: string;
  readonly equation: string;
  /** Of the threats that it defends against; none of them without an attack. */
  readonly norms: readonly Norm[];
  /** α where the experiment names none, in ε; 0 without an attack. */
  readonly stepSize: number;
  readonly keys: AttackKeys;
  /** Whether one step is all that it trains against, so that training is watched for catastrophic overfitting. */
  readonly isSingleStep?: true;
  /** Updates that are made on each batch. */
  readonly updates: (values: Values) => number;
  /** What the pass that moves the weights takes besides a batch, where it is more. */
  readonly holds?: (values: Values) => Held;
}

export interface Held {
  /** Batches that go through at once. */
  readonly batches: number;
  /** Tensors as large as the batch's images, beside it. */
  readonly images: number;
  /** Tensors for each parameter, beside its gradient. */
  readonly gradients: number;
}

const ofBatch = {
  batch: { description: "The batch's own, which leave no trace in the running ones; with dropout." },
  moving: { description: "The batch's own, which move the running ones, too, as in the code of Wong et al. (2020)." },
} as const;

const statisticsKey = {
  kind: 'choice',
  description: 'By which statistics batches are normalised while images are attacked.',
  choices: {
    ...ofBatch,
    running: { description: "The running ones, as in a test, without dropout, as in MadryLab's robustness." },
  },
  byDefault: 'batch',
} as const satisfies ChoiceKey;

const startKey = <const C extends ChoiceKey['choices'], const D extends keyof C & string>(choices: C, byDefault: D) =>
  ({
    ...{ kind: 'choice', description: 'Where the attack starts.', choices, byDefault },
  }) as const satisfies ChoiceKey;

const ballStart = { description: 'Uniformly in the ball, pixel values below 0 and above 1 among them.' };
const imageStart = { description: 'Uniformly in the ball, then clipped to [0, 1].' };
const zeroStart = { description: 'At the image itself.' };

const stepsKey = <const D extends number>(byDefault: D) =>
  ({
    ...{ kind: 'number', description: 'Steps of the attack.', unit: 'steps', min: 1, max: 1000, isInteger: true },
    byDefault,
  }) as const satisfies NumberKey;

const once = () => 1;

export const methodTable = {
  standard: {
    name: 'standard',
    description: 'Clean images: minimise the loss (2.5).',
    equation: 'min_θ E ℓ(f_θ(x), y)',
    ...{ norms: [], stepSize: 0, keys: {}, updates: once },
  },
  'fgsm-rs': {
    name: 'FGSM-RS',
    isSingleStep: true,
    description:
      'Adversarial training by one signed step from a random start (Wong, Rice & Kolter, 2020; thesis 6.2, 6.3).',
    equation: 'δ ~ U(−ε, ε);  δ ← clip(δ + α·sign ∇ₓℓ(f(x+δ), y), −ε, ε);  train on clip(x + δ, 0, 1)',
    norms: ['linf'],
    stepSize: 10 / 8,
    keys: {
      start: { ...startKey({ ball: ballStart, image: imageStart }, 'ball'), before: 'ball' },
      statistics: { ...statisticsKey, before: 'batch' },
    },
    updates: once,
  },
  fgsm: {
    name: 'FGSM',
    isSingleStep: true,
    description:
      'One signed step from the image itself (Goodfellow et al., 2015); from about 8/255 on it ends in catastrophic overfitting.',
    equation: 'train on clip(x + α·sign ∇ₓℓ(f(x), y), 0, 1)',
    ...{ norms: ['linf'], stepSize: 1, keys: { statistics: statisticsKey }, updates: once },
  },
  'n-fgsm': {
    name: 'N-FGSM',
    isSingleStep: true,
    description: 'One signed step from noise larger than the ball, and no projection onto it (de Jorge et al., 2022).',
    equation: 'η ~ U(−kε, kε);  train on clip(x + η + α·sign ∇ₓℓ(f(x + η), y), 0, 1)',
    norms: ['linf'],
    stepSize: 1,
    keys: {
      noise: { kind: 'number', description: 'k, the noise in ε.', min: 0, max: 10, byDefault: 2 },
      start: startKey({ image: { description: 'The noisy image is clipped to [0, 1].' }, ball: ballStart }, 'image'),
      statistics: statisticsKey,
    },
    updates: once,
  },
  pgd: {
    name: 'PGD-AT',
    description: 'Several projected steps (Madry et al., 2018, eq. 2.1): strong, and as many times dearer.',
    equation: 'x₀ ~ U(B(x, ε));  xₜ₊₁ = clip(Π(xₜ + α·sign ∇ₓℓ(f(xₜ), y)), 0, 1);  l2: g/‖g‖₂;  train on x_T',
    norms: ['linf', 'l2'],
    stepSize: 1 / 4,
    keys: {
      steps: stepsKey(7),
      start: startKey({ image: imageStart, ball: ballStart, zero: zeroStart }, 'image'),
      statistics: statisticsKey,
    },
    updates: once,
  },
  free: {
    name: 'Free-AT',
    isSingleStep: true,
    description:
      'Each batch several times; one pass gives the step of the weights and that of the perturbation, which is kept for the next batch (Shafahi et al., 2019, algorithm 1).',
    equation: 'm times a batch:  θ ← θ − η·∇_θ ℓ(f(x + δ), y);  δ ← clip(δ + α·sign ∇ₓℓ(f(x + δ), y), −ε, ε)',
    norms: ['linf'],
    stepSize: 1,
    keys: {
      replays: {
        kind: 'number',
        description: 'm, updates on each batch; an epoch has m times as many steps.',
        ...{ min: 1, max: 100, isInteger: true, byDefault: 8 },
      },
    },
    updates: ({ replays }) => Number(replays),
    holds: () => ({ batches: 1, images: 2, gradients: 0 }),
  },
  trades: {
    name: 'TRADES',
    description: 'The loss on clean images, and how far the answers move under attack (Zhang et al., 2019).',
    equation: 'min_θ E ℓ(f(x), y) + β·max_{x′ ∈ B(x, ε)} KL(softmax f(x) ‖ softmax f(x′))',
    norms: ['linf'],
    stepSize: 1 / 4,
    keys: {
      beta: { kind: 'number', description: 'β, 1/λ of the paper.', min: 0, max: 1000, byDefault: 6 },
      steps: stepsKey(10),
      noise: {
        kind: 'number',
        description: 'Standard deviation of the normal noise that the attack starts from.',
        ...{ min: 0, max: 1, byDefault: 0.001, isPixelLength: true },
      },
      statistics: { ...statisticsKey, byDefault: 'running' },
    },
    updates: once,
    holds: () => ({ batches: 2, images: 3, gradients: 0 }),
  },
  gradalign: {
    name: 'GradAlign',
    isSingleStep: true,
    description:
      'FGSM with a penalty where the gradient at a random point of the ball turns away from that at the image (Andriushchenko & Flammarion, 2020).',
    equation: 'ℓ(f(x + α·sign ∇ₓℓ), y) + λ·(1 − cos(∇ₓℓ(x), ∇ₓℓ(x + η))),  η ~ U(−ε, ε)',
    norms: ['linf'],
    stepSize: 10 / 8,
    keys: {
      lambda: {
        ...{ kind: 'number', description: 'λ of the penalty.', min: 0, max: 1000 },
        byDefault: {
          computed: '0.02·10^(255·ε/8): 0.2 at 8/255',
          of: (_, { trainedEpsilon }) =>
            Math.min(1000, 0.02 * 10 ** ((255 * (trainedEpsilon ?? usualEpsilon.linf)) / 8)),
        },
      },
      through: {
        kind: 'choice',
        description: 'Through which of the two gradients the penalty moves the weights.',
        choices: {
          random: { description: "Through that at the random point alone, as the authors' code; cheaper." },
          both: { description: 'Through both, as the equation.' },
        },
        byDefault: 'random',
      },
      statistics: { ...statisticsKey, choices: ofBatch },
    },
    updates: once,
    holds: ({ through }) => ({ batches: 1, images: through === 'both' ? 5 : 3, gradients: 2 }),
  },
  ensemble: {
    name: 'L∞ + L2',
    description:
      'Perturbations of both norms, each within a ball of its own (Tramèr & Boneh, 2019; Maini et al., 2020).',
    equation: 'max: the worse of both PGDs;  average: both;  msd: of both steps the worse, at every step',
    norms: ['linf'],
    stepSize: 1 / 4,
    keys: {
      combine: {
        kind: 'choice',
        description: 'How the threats are joined.',
        choices: {
          max: { description: 'Each image as the attack left it whose loss is the larger (Tramèr & Boneh, "max").' },
          average: { description: 'Each image once for each attack (Tramèr & Boneh, "avg").' },
          msd: {
            description: 'At every step the norm whose step raises the loss the most (Maini et al., algorithm 1).',
          },
        },
        byDefault: 'max',
      },
      steps: stepsKey(7),
      l2Epsilon: {
        ...{ kind: 'number', description: 'ε under L2; the threat has that under L∞.', min: 0, max: 100 },
        ...{ isMinExcluded: true, byDefault: usualEpsilon.l2 },
      },
      l2StepSize: {
        ...{ kind: 'number', description: 'α under L2.', min: 0, max: 100, isMinExcluded: true },
        byDefault: {
          computed: 'a quarter of l2Epsilon',
          of: ({ l2Epsilon }) => Math.max(Number.MIN_VALUE, Number(l2Epsilon) / 4),
        },
      },
      start: startKey({ zero: zeroStart, image: imageStart, ball: ballStart }, 'zero'),
      statistics: statisticsKey,
    },
    updates: once,
    holds: ({ combine }) => ({ batches: combine === 'average' ? 2 : 1, images: 1, gradients: 0 }),
  },
} as const satisfies Readonly<Record<string, MethodEntry>>;

export type MethodName = keyof typeof methodTable;
export const methodNames = Object.keys(methodTable) as MethodName[];

/** A method with every setting spelled out. */
export type PlanOfMethod<M extends MethodName> = { readonly type: M } & ValuesOfKeys<(typeof methodTable)[M]['keys']>;
export type MethodPlan = { [M in MethodName]: PlanOfMethod<M> }[MethodName];

export function methodEntry(name: MethodName): MethodEntry {
  return methodTable[name];
}

/** The plan with what is not given at its default. Checks nothing. */
export function completeMethod(type: MethodName, given: Values, epsilon: number | null): MethodPlan {
  const context = { trainedEpsilon: epsilon, testSamples: null };
  return { type, ...completeKeys(methodEntry(type).keys, given, context) } as unknown as MethodPlan;
}

/** What a step of it takes beside what standard training does. */
export function heldBy(plan: MethodPlan): Held {
  return methodEntry(plan.type).holds?.({ ...plan }) ?? { batches: 1, images: 0, gradients: 0 };
}

/** Updates on each batch. */
export function updatesPerBatch(plan: MethodPlan): number {
  return methodEntry(plan.type).updates({ ...plan });
}
