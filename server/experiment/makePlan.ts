// From an experiment's values to the plan: computes the defaults that depend on other keys. Checks nothing.
import path from 'node:path';
import { isRunId } from '../protocol/attackKey.ts';
import { completeEvaluation } from '../protocol/evaluationPlan.ts';
import { evaluationKeys, type EvaluationName } from '../protocol/evaluationTable.ts';
import {
  trainedEpsilon,
  trainingSamples,
  type ActivationPlan,
  type DatasetPlan,
  type KafInit,
  type KafPlan,
  type ModelPlan,
  type NetworkPlan,
  type ObservationPlan,
  type OptimizerPlan,
  type Plan,
  type SchedulePlan,
  type ThreatPlan,
  type TrainingPlan,
  type WatchPlan,
} from '../protocol/plan.ts';
import { datasetDeclaration } from '../protocol/datasets.ts';
import { completeMethod, methodEntry, type MethodEntry } from '../protocol/methodTable.ts';
import { namedNetwork, namedNetworks, networkAliases } from '../network/named/named.ts';
import { layerPlans } from './layersSetting.ts';
import type { ExperimentValues } from './settings.ts';

export interface PlanPlace {
  /** Absolute path of the experiment file, from whose folder relative paths start; null for none (they start at the home folder). */
  readonly file: string | null;
  readonly homeFolder: string;
}

type Values = ExperimentValues;

const cifar10Normalization = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };
/** A bump and a hinge. */
export const defaultMixture = ['gaussian', 'softplus'] as const;

/** One plan, for one seed. */
export function makePlan(values: Values, seed: number, place: PlanPlace): Plan {
  const dataset = datasetPlan(values.dataset, place, choosesAny(values));
  const training = trainingPlan(values.training, trainingSamples(dataset));
  return {
    version: 1,
    name: experimentName(values, place),
    seed,
    ...runtimePlan(values.runtime),
    threads: values.threads === 'auto' ? null : values.threads,
    ...(values.parts > 1 && { parts: values.parts }),
    dataset,
    model: modelPlan(values.model, dataset),
    training,
    observe: observationPlan(values.observe, dataset.testSamples),
    checkpoints: values.checkpoints,
    evaluation: (values.evaluation ?? []).map(({ attack, ...given }) =>
      completeEvaluation(attack, withPlaces(attack, given, place), {
        trainedEpsilon: trainedEpsilon(training),
        testSamples: dataset.testSamples,
      }),
    ),
  };
}

function runtimePlan(values: Values['runtime']): Pick<Plan, 'runtime' | 'device' | 'tf32'> {
  if (values.type !== 'torch') return { runtime: values.type };
  const { device, tf32 } = values;
  return { runtime: 'torch', ...(device !== 'auto' && { device }), ...(tf32 && { tf32 }) };
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

const separators = { comma: ',', semicolon: ';', tab: '\t', space: ' ' } as const;

/** Whether something is chosen in the course of training, which test samples must not do. */
function choosesAny({ training, checkpoints }: Values): boolean {
  const { keep } = checkpoints;
  return (keep !== 'all' && keep.best) || (training.earlyStopping !== undefined && training.earlyStopping !== 'none');
}

function datasetPlan(values: Values['dataset'], place: PlanPlace, isChosenBy: boolean): DatasetPlan {
  const { validationSamples: written, ...others } = values;
  // Of data that only the disk counts nobody knows yet how many a tenth is.
  const validationSamples = written ?? (isChosenBy ? Math.floor((others.trainSamples ?? 0) / 10) : 0);
  const held = validationSamples > 0 ? { validationSamples } : {};
  if (others.name === 'shapes') return { ...others, ...held };
  const placed = { path: absolutePath(others.path, place), ...held };
  const sizes = { trainSamples: others.trainSamples ?? null, testSamples: others.testSamples ?? null };
  const testPath = (written: string | undefined) => (written === undefined ? null : absolutePath(written, place));
  switch (others.name) {
    case 'sensorless':
    case 'susy':
    case 'arrays':
      return { ...others, ...placed, ...sizes };
    case 'folder':
      return { ...others, ...placed, ...sizes, testPath: testPath(others.testPath) };
    case 'table': {
      const separator = separators[others.separator];
      return { ...others, ...placed, ...sizes, testPath: testPath(others.testPath), separator };
    }
    default:
      return { ...others, ...placed };
  }
}

function absolutePath(written: string, { file, homeFolder }: PlanPlace): string {
  if (written === '~') return homeFolder;
  if (/^~[/\\]/.test(written)) return path.join(homeFolder, written.slice(2));
  return path.resolve(file === null ? homeFolder : path.dirname(file), written);
}

/** Ids of runs stay as they are. */
function withPlaces(attack: EvaluationName, given: object, place: PlanPlace): Readonly<Record<string, unknown>> {
  const values: Readonly<Record<string, unknown>> = { ...given };
  const placed = Object.entries(evaluationKeys(attack)).flatMap(([name, key]) => {
    const written = values[name];
    const isPath = key.kind === 'place' && typeof written === 'string' && !isRunId(written);
    return isPath ? [[name, absolutePath(written, place)] as const] : [];
  });
  return { ...values, ...Object.fromEntries(placed) };
}

function modelPlan(values: Values['model'], dataset: DatasetPlan): ModelPlan {
  const { activation, normalization } = values;
  const network = values.network ? networkPlan(values.network) : defaultNetwork(dataset);
  const named = namedNetwork(network);
  return {
    network,
    activation: activationPlan(activation),
    dropout: values.dropout ?? named?.entry.dropout(named.numbers) ?? [],
    denseL2: values.denseL2 ?? named?.entry.denseL2 ?? 0,
    convolutionL2: values.convolutionL2 ?? named?.entry.convolutionL2 ?? 0,
    // As plans were before there were such penalties.
    ...(values.alphaL1 > 0 && { alphaL1: values.alphaL1 }),
    ...(values.alphaL2 > 0 && { alphaL2: values.alphaL2 }),
    ...(values.spectralNorm.type !== 'none' && { spectralNorm: values.spectralNorm }),
    ...(values.initializer && { initializer: values.initializer }),
    normalization: normalizationPlan(normalization, dataset),
  };
}

function defaultNetwork(dataset: DatasetPlan): NetworkPlan {
  const { byDefault } = namedNetworks.mlp.keys.units;
  return mayBeTable(dataset)
    ? { type: 'mlp', hiddenLayers: namedNetworks.mlp.keys.hiddenLayers.byDefault, units: byDefault }
    : 'light';
}

/** Whether the samples are, or may turn out to be, rows of columns. */
function mayBeTable({ name }: DatasetPlan): boolean {
  const { ends } = datasetDeclaration(name);
  return ends ? ends.sampleShape.length === 1 : name === 'table' || name === 'arrays';
}

function normalizationPlan(
  written: Values['model']['normalization'],
  dataset: DatasetPlan,
): ModelPlan['normalization'] {
  switch (written ?? (mayBeTable(dataset) ? 'dataset' : 'none')) {
    case 'none':
      return null;
    case 'dataset':
      return 'dataset';
    case 'cifar10':
      return cifar10Normalization;
    default: {
      const { mean, std } = written as Exclude<typeof written, string | undefined>;
      const nChannels = (mean ?? std)?.length ?? datasetDeclaration(dataset.name).ends?.sampleShape.at(-1) ?? 3;
      return { mean: mean ?? Array<number>(nChannels).fill(0), std: std ?? Array<number>(nChannels).fill(1) };
    }
  }
}

function networkPlan(values: NonNullable<Values['model']['network']>): NetworkPlan {
  switch (values.type) {
    case 'light':
    case 'vgg':
    case 'preact-resnet18':
      return values.type;
    case 'resnet20':
    case 'resnet56':
      return networkAliases[values.type].plan;
    case 'layers':
      return { type: 'layers', layers: layerPlans(values.layers, activationPlan) };
    default:
      return values;
  }
}

/** Most are planned as they are written. */
function activationPlan(values: Values['model']['activation']): ActivationPlan {
  if (values.type === 'k-wta') {
    const { type, lowering, rounding, over, ties } = values;
    // The thesis lowers it from 0.3.
    const ratio = values.ratio ?? (lowering ? 0.3 : 0.2);
    return { type, ratio, rounding, over, ties, ...(lowering && { lowering }) };
  }
  if (values.type === 'formula') {
    const parameters = Object.entries(values.parameters).map(([name, { start, min, max }]) => ({
      ...{ name, start, min: min ?? null, max: max ?? null },
    }));
    return { type: values.type, formula: values.formula, parameters };
  }
  if (values.type === 'kaf-2d') {
    const { type, dictionary, boundary, init } = values;
    // Each element's neighbours stand in two directions.
    const gamma = values.gamma === 'auto' ? 1.5 * automaticGamma(dictionary, boundary) : values.gamma;
    return { type, dictionary, boundary, gamma, init: kafInit(type, init) };
  }
  if (!isKafValues(values)) return { ...values };
  const { type, dictionary, boundary } = values;
  const gamma = values.gamma === 'auto' ? automaticGamma(dictionary, boundary) : values.gamma;
  const kernels = plannedKernels(values);
  return { type, ...(kernels && { kernels }), dictionary, boundary, gamma, init: kafInit(type, values.init) };
}

/** As plans were before there were others, the Gaussian alone is not named. */
function plannedKernels(values: KafValues): KafPlan['kernels'] {
  switch (values.type) {
    case 'kaf':
    case 'residual-kaf':
      return values.kernel === 'gaussian' ? undefined : [values.kernel];
    case 'multi-kaf':
      return values.kernels ?? defaultMixture;
    case 'kaf-free':
      return undefined;
  }
}

type KafValues = Exclude<Extract<Values['model']['activation'], { dictionary: number }>, { type: 'kaf-2d' }>;

export function isKafValues(values: Values['model']['activation']): values is KafValues {
  return 'dictionary' in values && values.type !== 'kaf-2d';
}

function kafInit(type: KafValues['type'] | 'kaf-2d', init: KafValues['init']): KafInit {
  if (!init) return { type: 'normal', std: type === 'residual-kaf' ? 0 : 0.3 };
  if (init.normal !== undefined) return { type: 'normal', std: init.normal };
  return { type: 'ridge', target: init.ridge, epsilon: init.epsilon };
}

function trainingPlan(values: Values['training'], nSamples: number | null): TrainingPlan {
  const { loss, epochs, optimizer, augmentation, checkpointEveryEpochs } = values;
  const { type, ...given } = values.method;
  const threat = threatPlan(values.threat, methodEntry(type));
  return {
    // As plans were before there were others.
    ...(loss !== 'cross-entropy' && { loss }),
    method: completeMethod(type, given, threat?.epsilon ?? null),
    threat,
    epochs,
    batchSize: values.batchSize ?? Math.max(1, Math.min(128, nSamples ?? Infinity)),
    optimizer: optimizerPlan(optimizer),
    schedule: schedulePlan(values.schedule, optimizer.type, epochs),
    ...(values.clipping.type !== 'none' && { clipping: values.clipping }),
    ...(values.labelSmoothing > 0 && { labelSmoothing: values.labelSmoothing }),
    augmentation,
    checkpointEveryEpochs,
    ...(values.earlyStopping && values.earlyStopping !== 'none' && { earlyStopping: values.earlyStopping }),
    // As plans were before there was a choice.
    ...(values.chooseBy !== 'accuracy' && { chooseBy: values.chooseBy }),
    ...watchPlan(values.watch, methodEntry(type)),
    ...(values.weightAverage && values.weightAverage !== 'none' && { weightAverage: values.weightAverage }),
  };
}

function threatPlan(values: Values['training']['threat'], { norms, stepSize }: MethodEntry): ThreatPlan | null {
  if (norms.length === 0) return null;
  const { norm, epsilon, stepSize: written } = values ?? { norm: 'linf', epsilon: 8 / 255 };
  const most = norm === 'linf' ? 1 : Infinity;
  return { norm, epsilon, stepSize: written ?? Math.min(most, inWholeParts(epsilon * stepSize)) };
}

/** As plans were before there was a watch, none where there is none. */
function watchPlan(values: Values['training']['watch'], { isSingleStep, norms }: MethodEntry): { watch?: WatchPlan } {
  if (values === 'off' || norms.length === 0 || (!values && !isSingleStep)) return {};
  const usual = { everySteps: 50, samples: 32, steps: 10, gap: 0.1, onCollapse: 'tell', factor: 0.5 } as const;
  return { watch: values ?? usual };
}

/** 10/255 where 1.25 · 8/255 misses it by its rounding. */
function inWholeParts(length: number): number {
  const whole = Math.round(length * 255) / 255;
  return Math.abs(whole - length) < 1e-15 ? whole : length;
}

/** As plans were before there was Nesterov's momentum, without it where it is off. */
function optimizerPlan(values: Values['training']['optimizer']): OptimizerPlan {
  if (values.type !== 'sgd') return values;
  const { nesterov, ...others } = values;
  return nesterov ? { ...others, nesterov } : others;
}

function schedulePlan(
  values: Values['training']['schedule'],
  optimizer: OptimizerPlan['type'],
  epochs: number,
): SchedulePlan {
  const isAdam = optimizer !== 'sgd';
  if (values.type === 'constant') {
    return { type: 'constant', learningRate: values.learningRate ?? (isAdam ? 0.001 : 0.05) };
  }
  if (values.type === 'step') {
    const { type, factor, learningRate = isAdam ? 0.001 : 0.05 } = values;
    return { type, learningRate, factor, everyEpochs: values.everyEpochs ?? Math.max(1, Math.ceil(epochs / 3)) };
  }
  const min = values.min ?? (isAdam ? 1e-4 : 0.01);
  const max = values.max ?? (isAdam ? 0.003 : 0.2);
  if (values.type === 'cosine') return { ...values, min, max };
  // So that a long experiment may be tried for one epoch; checkPlan.ts warns.
  const cooldownEpochs = Math.min(values.cooldownEpochs, epochs - 1);
  if (values.type === 'one-cycle') return { ...values, min, max, cooldownEpochs };
  // As plans were before the peak could be moved.
  return { type: values.type, min, max, cooldownEpochs, ...(values.peak !== 0.5 && { peak: values.peak }) };
}

function observationPlan(values: Values['observe'], testSamples: number | null): ObservationPlan {
  return {
    normsEverySteps: values.norms,
    shapesEverySteps: values.shapes,
    histogramsEverySteps: values.histograms,
    testEveryEpochs: values.test,
    robustSamples: values.robustSamples ?? Math.min(256, testSamples ?? Infinity),
    robustSteps: values.robustSteps,
    shiftSamples: values.shiftSamples,
    tensorboard: values.tensorboard,
  };
}
