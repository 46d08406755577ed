// Published recipes of training by name: what the keys of `training` are where an experiment does not say them. As their authors'
// public code has them; what is of another network or data set (normalisation, the network itself) is not in them.
import { isMap, isScalar, Scalar } from 'yaml';
import type { Document, YAMLMap } from 'yaml';
import { resolveAlias } from './experimentText.ts';

interface Preset {
  readonly description: string;
  /** As they would stand below `training`. */
  readonly keys: Readonly<Record<string, unknown>>;
}

/** Of Wong, Rice & Kolter (2020) on CIFAR-10, whatever the attack. */
const wong = {
  batchSize: 128,
  optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  augmentation: { crop: 4, flip: true },
};
const ofWong = { start: 'image', statistics: 'moving' };
/** From and to 0 in their code, which is no learning rate here. */
const cyclic = (max: number) => ({ type: 'triangular', min: 1e-6, max });

export const trainingPresets = {
  'wong-fgsm': {
    description: 'FGSM-RS of Wong, Rice & Kolter (2020) for CIFAR-10: 15 epochs, learning rate to 0.2 and back.',
    keys: {
      ...{
        ...wong,
        method: { type: 'fgsm-rs', ...ofWong },
        threat: { norm: 'linf', epsilon: '8/255', stepSize: '10/255' },
      },
      ...{ epochs: 15, schedule: cyclic(0.2) },
    },
  },
  'wong-pgd': {
    description:
      'PGD-7 of Wong, Rice & Kolter (2020) for CIFAR-10: 15 epochs, steps of 2/255, learning rate to 0.2 and back.',
    keys: {
      ...{
        ...wong,
        method: { type: 'pgd', steps: 7, ...ofWong },
        threat: { norm: 'linf', epsilon: '8/255', stepSize: '2/255' },
      },
      ...{ epochs: 15, schedule: cyclic(0.2) },
    },
  },
  'wong-free': {
    description:
      'Free-AT of Wong, Rice & Kolter (2020) for CIFAR-10: 11 epochs of 8 updates a batch, learning rate to 0.04 and back.',
    keys: {
      ...{
        ...wong,
        method: { type: 'free', replays: 8 },
        threat: { norm: 'linf', epsilon: '8/255', stepSize: '8/255' },
      },
      ...{ epochs: 11, schedule: cyclic(0.04) },
    },
  },
  'n-fgsm': {
    description: 'N-FGSM of de Jorge et al. (2022) for CIFAR-10: 30 epochs, learning rate to 0.2 and back.',
    keys: {
      ...wong,
      method: { type: 'n-fgsm', noise: 2, ...ofWong },
      threat: { norm: 'linf', epsilon: '8/255', stepSize: '8/255' },
      ...{ epochs: 30, schedule: cyclic(0.2) },
    },
  },
  gradalign: {
    description:
      'FGSM + GradAlign of Andriushchenko & Flammarion (2020) for CIFAR-10: 30 epochs, λ 0.2 at 8/255, learning rate to 0.3.',
    keys: {
      ...wong,
      method: { type: 'gradalign', lambda: 0.2, statistics: 'moving' },
      threat: { norm: 'linf', epsilon: '8/255', stepSize: '10/255' },
      ...{ epochs: 30, schedule: { ...cyclic(0.3), peak: 0.4 } },
    },
  },
  'madry-pgd': {
    description:
      "MadryLab's robustness for CIFAR-10: PGD-7, running statistics under attack, SGD at 0.1, a tenth of it every 50 of 150 epochs.",
    keys: {
      ...wong,
      method: { type: 'pgd', steps: 7, start: 'zero', statistics: 'running' },
      threat: { norm: 'linf', epsilon: '8/255', stepSize: '2/255' },
      ...{ epochs: 150, schedule: { type: 'step', learningRate: 0.1, factor: 0.1, everyEpochs: 50 } },
    },
  },
  thesis: {
    description:
      'Peconi (2020), §7.1: FGSM-RS, plain SGD, 60 epochs of 128, a triangular learning rate whose ends depend on the activation.',
    keys: {
      method: { type: 'fgsm-rs', start: 'ball', statistics: 'batch' },
      threat: { norm: 'linf', epsilon: '8/255', stepSize: '10/255' },
      ...{ epochs: 60, batchSize: 128, optimizer: { type: 'sgd', momentum: 0, weightDecay: 0 } },
      schedule: { type: 'triangular', min: 0.01, max: 1 },
    },
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof trainingPresets;

/** Fills in below `training` what its preset says and the experiment doesn't; changes the document, without ranges. */
export function applyPreset(document: Document): void {
  const training = isMap(document.contents) ? resolveAlias(document, document.contents.get('training', true)) : null;
  if (!isMap(training)) return;
  const name = resolveAlias(document, training.get('preset', true));
  if (!isScalar(name) || typeof name.value !== 'string' || !Object.hasOwn(trainingPresets, name.value)) return;
  fillIn(document, training, trainingPresets[name.value as PresetName].keys);
}

/** What chooses among mappings: where the text chooses otherwise, a mapping of the preset's says nothing of it. */
const tags = ['type', 'norm'];

function fillIn(document: Document, map: YAMLMap, keys: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(keys)) {
    const written = resolveAlias(document, map.get(key, true));
    if (written === undefined) map.set(new Scalar(key), document.createNode(value));
    else if (isScalar(written) && isRecord(value)) expandTag(document, map, key, written, value);
    else if (isMap(written) && isRecord(value) && chooseTheSame(document, written, value))
      fillIn(document, written, value);
  }
}

/** `optimizer: sgd` is a mapping with that type alone, to which the preset's adds what is of the same type. */
function expandTag(
  document: Document,
  map: YAMLMap,
  key: string,
  written: Scalar,
  value: Readonly<Record<string, unknown>>,
): void {
  const tag = tags.find((name) => Object.hasOwn(value, name));
  if (tag === undefined || written.value !== value[tag]) return;
  map.set(new Scalar(key), document.createNode(value));
}

function chooseTheSame(document: Document, written: YAMLMap, value: Readonly<Record<string, unknown>>): boolean {
  return tags.every((tag) => {
    const own = resolveAlias(document, written.get(tag, true));
    return own === undefined || !isScalar(own) || own.value === value[tag];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
