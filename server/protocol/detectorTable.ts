// The detectors that an experiment may name beside attacks: what tells attacked images from clean ones by a layer's activations. A new one
// is an entry here, its file in server/detector, and its line in detectors.ts there.
import { onceOver, type EvaluationEntry } from './attackEntry.ts';
import { leadingKeys, trailingKeys, type NumberKey, type ValuesOfKeys } from './attackKey.ts';

const depthKey = {
  kind: 'number',
  description:
    'Whose input is looked at: 1 for the last layer, which takes the penultimate activations, 2 for the one before it. Maps are averaged over their pixels.',
  ...{ min: 1, max: 1000, isInteger: true, byDefault: 1 },
} as const satisfies NumberKey;

const fitKey = {
  kind: 'number',
  description:
    'Training images that it learns from; half as many more, which it does not learn from, decide from where on it calls an image attacked.',
  label: 'images to fit',
  ...{ min: 10, max: 100_000, isInteger: true, byDefault: 1000 },
  unit: 'images',
} as const satisfies NumberKey;

const alarmKey = {
  kind: 'number',
  description: 'The share of clean images that it may call attacked.',
  ...{ min: 0, max: 1, isMinExcluded: true, isMaxExcluded: true, byDefault: 0.05 },
} as const satisfies NumberKey;

const keys = {
  ...leadingKeys,
  depth: depthKey,
  fit: fitKey,
  falseAlarms: alarmKey,
  samples: trailingKeys.samples,
  batchSize: trailingKeys.batchSize,
  seed: trailingKeys.seed,
  weights: trailingKeys.weights,
} as const;

const whatAttacks =
  'It is tried against every attack of the experiment, PGD-20-1 at this ε where there is none; none of them knows of it.';

export const detectorTable = {
  density: {
    name: 'density detector',
    description: `Calls an image attacked whose activations are far from those of every class: normal densities of one covariance, fitted to clean images (Lee et al., 2018). ${whatAttacks}`,
    equation: 's(x) = min_c (h(x) − μ_c)ᵀ Σ⁻¹ (h(x) − μ_c)',
    strength: 'usual',
    keys,
    title: () => 'density detector',
    runs: () => onceOver,
  },
  metzen: {
    name: 'detector network',
    description: `A small network on a layer's activations that learns to tell images attacked by PGD from clean ones (Metzen et al., 2017). ${whatAttacks}`,
    equation: 's(x) = w₂ᵀ max(0, W₁h(x) + b₁) + b₂',
    strength: 'usual',
    keys,
    title: () => 'detector network',
    runs: () => onceOver,
  },
} as const satisfies Readonly<Record<string, EvaluationEntry>>;

export type DetectorName = keyof typeof detectorTable;
export const detectorNames = Object.keys(detectorTable) as DetectorName[];

/** A detector with every setting spelled out. */
export type PlanOfDetector<D extends DetectorName> = { readonly attack: D } & ValuesOfKeys<
  (typeof detectorTable)[D]['keys']
>;
