// From an experiment's values to the plan: computes the defaults that depend on other keys. Checks nothing.
import path from 'node:path';
import { completeEvaluation } from '../protocol/evaluationPlan.ts';
import type {
  ActivationPlan,
  DatasetPlan,
  KafInit,
  ModelPlan,
  NetworkPlan,
  ObservationPlan,
  Plan,
  SchedulePlan,
  ThreatPlan,
  TrainingPlan,
} from '../protocol/plan.ts';
import type { ExperimentValues } from './settings.ts';

export interface PlanPlace {
  /** Absolute path of the experiment file, from whose folder relative paths start; null for none (they start at the home folder). */
  readonly file: string | null;
  readonly homeFolder: string;
}

type Values = ExperimentValues;

const defaultThreat: ThreatPlan = { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 };
const cifar10Normalization = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };
/** One rate for each dropout layer. */
export const defaultDropout = { light: [0.2, 0.3, 0.4], vgg: [0.2, 0.25, 0.3, 0.4] } as const;
/** Of the thesis's residual networks, on all kernels. */
const residualL2 = 5e-4;

/** One plan, for one seed. */
export function makePlan(values: Values, seed: number, place: PlanPlace): Plan {
  const dataset = datasetPlan(values.dataset, place);
  const training = trainingPlan(values.training, dataset.trainSamples);
  return {
    version: 1,
    name: experimentName(values, place),
    seed,
    runtime: values.runtime,
    threads: values.threads === 'auto' ? null : values.threads,
    dataset,
    model: modelPlan(values.model),
    training,
    observe: observationPlan(values.observe, dataset.testSamples),
    checkpoints: values.checkpoints,
    evaluation: (values.evaluation ?? []).map(({ attack, ...given }) =>
      completeEvaluation(attack, given, {
        trainedEpsilon: training.threat?.epsilon ?? null,
        testSamples: dataset.testSamples,
      }),
    ),
  };
}

/** The seeds to run, in order. */
export function experimentSeeds(values: Values): readonly number[] {
  return values.seeds ?? [values.seed ?? 0];
}

export function experimentName(values: Values, place: PlanPlace): string {
  const fromFile = place.file === null ? '' : path.basename(place.file).replace(/(\.kaf)?\.ya?ml$/i, '');
  return values.name ?? (fromFile || 'experiment');
}

/** The spacing rule of the thesis: γ = 1/(6Δ²), Δ = 2·boundary/(dictionary − 1). */
export function automaticGamma(dictionary: number, boundary: number): number {
  const spacing = (2 * boundary) / (dictionary - 1);
  return 1 / (6 * spacing * spacing);
}

function datasetPlan(values: Values['dataset'], place: PlanPlace): DatasetPlan {
  if (values.name === 'shapes') {
    const { name, trainSamples, testSamples, seed } = values;
    return { name, trainSamples, testSamples, seed };
  }
  const { name, trainSamples, testSamples } = values;
  return { name, path: absolutePath(values.path, place), trainSamples, testSamples };
}

function absolutePath(written: string, { file, homeFolder }: PlanPlace): string {
  if (written === '~') return homeFolder;
  if (/^~[/\\]/.test(written)) return path.join(homeFolder, written.slice(2));
  return path.resolve(file === null ? homeFolder : path.dirname(file), written);
}

function modelPlan(values: Values['model']): ModelPlan {
  const { activation, normalization } = values;
  const network = networkPlan(values.network);
  const isResidual = typeof network !== 'string';
  return {
    network,
    activation: activationPlan(activation),
    dropout: values.dropout ?? (isResidual ? [] : defaultDropout[network]),
    denseL2: values.denseL2 ?? (isResidual ? residualL2 : 0.0012),
    convolutionL2: values.convolutionL2 ?? (isResidual ? residualL2 : 0),
    normalization:
      normalization === 'none'
        ? null
        : normalization === 'cifar10'
          ? cifar10Normalization
          : { mean: normalization.mean ?? [0, 0, 0], std: normalization.std ?? [1, 1, 1] },
  };
}

function networkPlan(values: Values['model']['network']): NetworkPlan {
  switch (values.type) {
    case 'light':
    case 'vgg':
      return values.type;
    case 'resnet20':
      return { type: 'resnet', depth: 20 };
    case 'resnet56':
      return { type: 'resnet', depth: 56 };
    case 'resnet':
      return { type: 'resnet', depth: values.depth };
  }
}

/** Most are planned as they are written. */
function activationPlan(values: Values['model']['activation']): ActivationPlan {
  if (values.type === 'k-wta') {
    const { type, lowering } = values;
    // The thesis lowers it from 0.3.
    const ratio = values.ratio ?? (lowering ? 0.3 : 0.2);
    return { type, ratio, ...(lowering && { lowering }) };
  }
  if (values.type === 'formula') {
    const parameters = Object.entries(values.parameters).map(([name, { start, min, max }]) => ({
      ...{ name, start, min: min ?? null, max: max ?? null },
    }));
    return { type: values.type, formula: values.formula, parameters };
  }
  if (!isKafValues(values)) return { ...values };
  const { type, dictionary, boundary } = values;
  const gamma = values.gamma === 'auto' ? automaticGamma(dictionary, boundary) : values.gamma;
  return { type, dictionary, boundary, gamma, init: kafInit(type, values.init) };
}

type KafValues = Extract<Values['model']['activation'], { dictionary: number }>;

export function isKafValues(values: Values['model']['activation']): values is KafValues {
  return 'dictionary' in values;
}

function kafInit(type: KafValues['type'], init: KafValues['init']): KafInit {
  if (!init) return { type: 'normal', std: type === 'residual-kaf' ? 0 : 0.3 };
  if (init.normal !== undefined) return { type: 'normal', std: init.normal };
  return { type: 'ridge', target: init.ridge, epsilon: init.epsilon };
}

function trainingPlan(values: Values['training'], trainSamples: number): TrainingPlan {
  const { method, epochs, optimizer, augmentation, checkpointEveryEpochs } = values;
  return {
    method,
    threat: method === 'standard' ? null : threatPlan(values.threat),
    epochs,
    batchSize: values.batchSize ?? Math.min(128, trainSamples),
    optimizer,
    schedule: schedulePlan(values.schedule, optimizer.type, epochs),
    augmentation,
    checkpointEveryEpochs,
  };
}

function threatPlan(values: Values['training']['threat']): ThreatPlan {
  if (!values) return defaultThreat;
  return {
    norm: values.norm,
    epsilon: values.epsilon,
    stepSize: values.stepSize ?? Math.min(1, (values.epsilon * 10) / 8),
  };
}

function schedulePlan(values: Values['training']['schedule'], optimizer: 'adam' | 'sgd', epochs: number): SchedulePlan {
  const isAdam = optimizer === 'adam';
  if (values.type === 'constant') {
    return { type: 'constant', learningRate: values.learningRate ?? (isAdam ? 0.001 : 0.05) };
  }
  return {
    type: 'triangular',
    min: values.min ?? (isAdam ? 1e-4 : 0.01),
    max: values.max ?? (isAdam ? 0.003 : 0.2),
    // So that a long experiment may be tried for one epoch; checkPlan.ts warns.
    cooldownEpochs: Math.min(values.cooldownEpochs, epochs - 1),
  };
}

function observationPlan(values: Values['observe'], testSamples: number): ObservationPlan {
  return {
    normsEverySteps: values.norms,
    shapesEverySteps: values.shapes,
    testEveryEpochs: values.test,
    robustSamples: values.robustSamples ?? Math.min(256, testSamples),
    robustSteps: values.robustSteps,
    tensorboard: values.tensorboard,
  };
}
