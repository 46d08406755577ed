// How a setting of an attack is declared (attackTable.ts), the settings that all attacks share, and the type of plan that
// declarations stand for. Settings of experiment files, schemas, options of the command line and forms are made from these.

/** What a default may depend on: the settings before it, and what is known of the run. */
export interface DefaultContext {
  /** ε of the threat that was trained against under L∞; null for none. */
  readonly trainedEpsilon: number | null;
  /** Test images that there are. */
  /** Null where only the disk tells. */
  readonly testSamples: number | null;
}

export interface ComputedDefault<T> {
  /** For people. */
  readonly computed: string;
  readonly of: (before: Readonly<Record<string, unknown>>, context: DefaultContext) => T;
}

interface AnyKey {
  /** One line. */
  readonly description: string;
  /** For a form, where the key's own name won't do. */
  readonly label?: string;
}

export interface NumberKey extends AnyKey {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
  readonly isMinExcluded?: true;
  readonly isMaxExcluded?: true;
  readonly isInteger?: true;
  /** A length in pixel values of [0, 1]. */
  readonly isPixelLength?: true;
  readonly unit?: string;
  readonly byDefault: number | ComputedDefault<number>;
  /** In plans that were written before the key was. */
  readonly before?: number;
}

export interface Choice {
  readonly description: string;
  readonly equation?: string;
}

export interface ChoiceKey extends AnyKey {
  readonly kind: 'choice';
  readonly choices: Readonly<Record<string, Choice>>;
  readonly byDefault: string;
  readonly before?: string;
}

/** Ascending numbers, none by default. */
export interface ListKey extends AnyKey {
  readonly kind: 'list';
  readonly item: NumberKey;
  readonly maxLength: number;
  readonly before?: readonly number[];
}

/** The id of a run beside the one at hand, or the path of a file or folder; it has to be given. */
export interface PlaceKey extends AnyKey {
  readonly kind: 'place';
  /** In an experiment file, after "expected"; and what to do where nothing is said. */
  readonly expected: string;
  readonly remedy: string;
  readonly before?: string;
}

export type AttackKey = NumberKey | ChoiceKey | ListKey | PlaceKey;
export type AttackKeys = Readonly<Record<string, AttackKey>>;

/** The values with what is not given at its default. @param before values of keys that come before these */
export function completeKeys(
  keys: AttackKeys,
  given: Readonly<Record<string, unknown>>,
  context: DefaultContext,
  before: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const values: Record<string, unknown> = { ...before };
  for (const [name, key] of Object.entries(keys)) {
    const byDefault = key.kind === 'list' ? [] : key.kind === 'place' ? '' : key.byDefault;
    values[name] = given[name] ?? (isComputed(byDefault) ? byDefault.of(values, context) : byDefault);
  }
  return values;
}

function isComputed(value: unknown): value is ComputedDefault<number> {
  return typeof value === 'object' && value !== null && 'of' in value;
}

type ValueOfKey<K> = K extends { readonly choices: infer C }
  ? keyof C & string
  : K extends { readonly kind: 'list' }
    ? readonly number[]
    : K extends { readonly kind: 'place' }
      ? string
      : number;
/** The values that a plan has for such keys. */
export type ValuesOfKeys<K> = { readonly [N in keyof K]: ValueOfKey<K[N]> };

/** ε of the papers' comparisons: Madry et al. (2018) under L∞, Rice et al. (2020) under L2. */
export const usualEpsilon = { linf: 8 / 255, l2: 0.5 } as const;

const epsilonRange = { kind: 'number', min: 0, max: 100, isMinExcluded: true, isPixelLength: true } as const;

/** Longest path that is taken. */
export const placeCharacters = 4000;

/** Whether a place is the id of a run, and no path. */
export function isRunId(place: string): boolean {
  return /^[^~/\\]+$/.test(place) && !/^\.|\.safetensors$/.test(place);
}

/** A place in short: of a run its id without the time, of a checkpoint the file behind it. */
export function placeName(place: string): string {
  const parts = place.split(/[/\\]/).filter((part) => part !== '' && part !== 'checkpoints');
  const names = parts.slice(place.endsWith('.safetensors') ? -2 : -1);
  return names.map((name) => name.replace(/^\d{8}-\d{6}-(?=.)/, '')).join('/');
}

/** Whether values are lengths in pixel values, which are at most 1 under L∞. */
export function isPixelLength(key: AttackKey): boolean {
  const number = key.kind === 'list' ? key.item : key;
  return number.kind === 'number' && (number.isPixelLength ?? false);
}

/** Of every attack, before its own. */
export const leadingKeys = {
  norm: {
    kind: 'choice',
    description: 'Norm of the perturbation.',
    choices: {
      linf: { description: 'Largest change of any pixel value (3.3).', equation: '‖δ‖∞ ≤ ε' },
      l2: { description: 'Euclidean length (3.4).', equation: '‖δ‖₂ ≤ ε' },
    },
    byDefault: 'linf',
  },
  epsilon: {
    ...epsilonRange,
    description: 'ε, the largest perturbation.',
    label: 'ε',
    unit: 'pixel values of [0, 1]',
    byDefault: {
      computed: "the training threat's, else 8/255; 0.5 with l2",
      of: ({ norm }, { trainedEpsilon }) => (norm === 'l2' ? usualEpsilon.l2 : (trainedEpsilon ?? usualEpsilon.linf)),
    },
  },
} as const satisfies AttackKeys;

/** Of attacks within a ball of ε. */
export const curveKeys = {
  epsilons: {
    kind: 'list',
    description: 'More values of ε, for a curve: each is attacked too, and what falls at one has fallen at all above.',
    label: 'curve of ε',
    item: { ...epsilonRange, description: 'A value of ε.', byDefault: 8 / 255 },
    maxLength: 50,
    before: [],
  },
} as const satisfies AttackKeys;

/** Of every evaluation. */
const weightsKey = {
  kind: 'choice',
  description:
    'Which weights, of a run that averages them (`training.weightAverage`); of any other there are only its own.',
  choices: {
    averaged: { description: 'Their moving average, as tests go by.' },
    raw: { description: 'As they were trained.' },
  },
  byDefault: 'averaged',
  before: 'averaged',
} as const satisfies ChoiceKey;

/** Of every attack, after its own. */
export const trailingKeys = {
  samples: {
    kind: 'number',
    description: 'The first so many test images.',
    label: 'images',
    min: 1,
    max: 100_000,
    isInteger: true,
    unit: 'images',
    byDefault: {
      computed: '1000, or all test images where there are fewer',
      of: (_, { testSamples }) => Math.min(1000, testSamples ?? Infinity),
    },
  },
  batchSize: {
    kind: 'number',
    description: 'Images attacked at once.',
    label: 'batch size',
    min: 1,
    max: 10_000,
    isInteger: true,
    unit: 'images',
    byDefault: 128,
  },
  keep: {
    kind: 'number',
    description: 'Of the first so many images, the attacked ones are kept in a file beside the checkpoint.',
    label: 'images kept',
    min: 0,
    max: 1000,
    isInteger: true,
    unit: 'images',
    byDefault: 0,
    before: 0,
  },
  seed: {
    kind: 'number',
    description: 'Another number gives other random starts, directions and draws on the same weights.',
    min: 0,
    max: 4_294_967_295,
    isInteger: true,
    byDefault: 0,
    before: 0,
  },
  weights: weightsKey,
  protocol: {
    kind: 'choice',
    description: 'What counts as robust.',
    choices: {
      'worst-case': { description: 'True labels; right on the clean image and under every restart and step.' },
    },
    byDefault: 'worst-case',
  },
} as const satisfies AttackKeys;

/** Of attacks that the thesis's toolbox had, in place of the key that all have. */
export const protocolKey = {
  ...trailingKeys.protocol,
  choices: {
    ...trailingKeys.protocol.choices,
    thesis: {
      description:
        "Beside it, from the same passes, the thesis's toolbox: away from the predicted label, the single best restart over the whole set, a wrong image that comes to be right counts. It flatters.",
    },
  },
} as const satisfies ChoiceKey;

/** α of attacks whose steps are of one length. */
export const stepSizeKey = {
  kind: 'number',
  description: 'α, the length of a step.',
  label: 'step size α',
  min: 0,
  max: 100,
  isMinExcluded: true,
  isPixelLength: true,
  unit: 'pixel values of [0, 1]',
  byDefault: {
    computed: 'a quarter of epsilon (2/255 at 8/255)',
    // A quarter of the smallest double is 0, which is no length.
    of: ({ epsilon }) => Math.max(Number.MIN_VALUE, (epsilon as number) / 4),
  },
} as const satisfies NumberKey;

export function stepsKey<const D extends number>(byDefault: D) {
  return {
    kind: 'number',
    description: 'Steps of each restart.',
    min: 1,
    max: 10_000,
    isInteger: true,
    unit: 'steps',
    byDefault,
  } as const satisfies NumberKey;
}

export function restartsKey<const D extends number>(byDefault: D) {
  return {
    kind: 'number',
    description: 'Random starts; a sample counts as robust only if it withstands all.',
    min: 1,
    max: 1000,
    isInteger: true,
    byDefault,
  } as const satisfies NumberKey;
}

export const expectationKey = {
  kind: 'number',
  description: 'Passes that each gradient is averaged over, for networks with random parts.',
  min: 1,
  max: 1000,
  isInteger: true,
  byDefault: 1,
} as const satisfies NumberKey;

export const momentumKey = {
  kind: 'number',
  description: 'μ, the share of the last direction that is kept (Dong et al., 2018).',
  min: 0,
  max: 1,
  byDefault: 0,
  before: 0,
} as const satisfies NumberKey;

export const targetsKey = {
  kind: 'number',
  description: 'Classes towards which it goes, from the likeliest wrong one.',
  min: 1,
  max: 1000,
  isInteger: true,
  byDefault: 9,
} as const satisfies NumberKey;

/** What an attack raises; z are logits, π their order from the largest. */
export const lossKey = {
  kind: 'choice',
  description: 'What the attack raises.',
  choices: {
    margin: {
      description:
        "The largest other logit above the true one's (Carlini & Wagner, 2017): no scale of logits hides it.",
      equation: 'max_{i≠y} zᵢ − z_y',
    },
    'cross-entropy': {
      description: 'Cross-entropy (§2.2.1); its gradient vanishes where logits are large, which flatters the network.',
      equation: '−log softmax(z)_y',
    },
    dlr: {
      description: 'Difference of logits ratio (Croce & Hein, 2020): the same for any scale of logits.',
      equation: '−(z_y − max_{i≠y} zᵢ)/(z_π₁ − z_π₃)',
    },
  },
  byDefault: 'margin',
  before: 'cross-entropy',
} as const satisfies ChoiceKey;

export type LossName = keyof typeof lossKey.choices;
