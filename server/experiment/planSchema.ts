// What a plan on a disk must be before it is trusted: the types of protocol/plan.ts, the ranges of settings.ts, the
// contradictions of checkPlan.ts. Keys that came after a plan was written get their defaults here, and nowhere else.
import { z } from 'zod';
import { activations, type ActivationKey, type ActivationName } from '../formula/activations.ts';
import { kafKernelNames } from '../formula/kafKernels.ts';
import { startTargetNames } from '../formula/startTargets.ts';
import { isParameterName } from '../formula/parseFormula.ts';
import { datasetDeclaration, datasetNames, type DatasetName } from '../protocol/datasets.ts';
import { initializerNames } from '../protocol/initializers.ts';
import { evaluationPlanSchema, methodPlanSchema } from '../protocol/evaluationSchema.ts';
import { methodEntry } from '../protocol/methodTable.ts';
import {
  runtimeNames,
  torchDeviceNames,
  type ActivationPlan,
  type DatasetPlan,
  type LayerPlan,
  type Plan,
} from '../protocol/plan.ts';
import { checkPlan } from './checkPlan.ts';
import { isPublished } from './datasetSetting.ts';
import { pathNames } from './settingAt.ts';
import type { NumberSetting, Setting } from './setting.ts';
import { experimentSettings } from './settings.ts';

/** As long as a path may be; a plan's name may be that of a file. */
const maxTextLength = 8192;

const text = z.string().min(1).max(maxTextLength);

function datasetSchema<const N extends DatasetName>(name: N) {
  const at = `dataset.${name}`;
  const isCounted = datasetDeclaration(name).samples !== null;
  const size = (key: string) => (isCounted ? numberOf(`${at}.${key}`) : numberOf(`${at}.${key}`).nullable());
  return z.strictObject({
    name: z.literal(name),
    ...{ trainSamples: size('trainSamples'), testSamples: size('testSamples') },
    validationSamples: numberOf(`${at}.validationSamples`).exactOptional(),
  });
}

/** Those that are a path and how many samples: a schema each, of one shape to the type checker. */
const published = datasetNames
  .filter((name) => isPublished(name) && name !== 'cifar100')
  .map((name) => datasetSchema(name).extend({ path: text }));

const dataset = z.discriminatedUnion('name', [
  datasetSchema('shapes').extend(numbers('dataset.shapes', 'seed')),
  datasetSchema('cifar100').extend({ path: text, labels: z.enum(['fine', 'coarse']) }),
  datasetSchema('folder').extend({
    ...{ path: text, testPath: text.nullable(), colors: z.enum(['rgb', 'grey']) },
    ...numbers('dataset.folder', 'testShare', 'seed', 'size'),
  }),
  datasetSchema('table').extend({
    ...{ path: text, testPath: text.nullable(), label: text, separator: z.enum([',', ';', '\t', ' ']) },
    ...numbers('dataset.table', 'testShare', 'seed'),
  }),
  datasetSchema('arrays').extend({
    ...{ path: text, x: text, y: text, xTest: text, yTest: text },
    ...numbers('dataset.arrays', 'testShare', 'seed'),
  }),
  ...published,
]) as unknown as z.ZodType<DatasetPlan>;

function kafSchema<const T extends 'kaf' | 'residual-kaf' | 'kaf-free' | 'multi-kaf'>(type: T) {
  const at = `model.activation.${type}`;
  const several = z.array(z.enum(kafKernelNames)).min(2).max(kafKernelNames.length);
  const kernels = {
    'kaf-free': {},
    kaf: { kernels: z.array(z.enum(kafKernelNames)).length(1).exactOptional() },
    'residual-kaf': { kernels: z.array(z.enum(kafKernelNames)).length(1).exactOptional() },
    'multi-kaf': { kernels: several.refine((names) => new Set(names).size === names.length, 'expected each once') },
  }[type];
  return z.strictObject({
    type: z.literal(type),
    ...kernels,
    ...numbers(at, 'dictionary', 'boundary', 'gamma'),
    init: initSchema(at),
  });
}

function initSchema(at: string) {
  return z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('normal'), std: numberOf(`${at}.init.normal.normal`) }),
    z.strictObject({
      type: z.literal('ridge'),
      target: z.enum(startTargetNames),
      ...numbers(`${at}.init.ridge`, 'epsilon'),
    }),
  ]);
}

/** An activation function that is its name and some numbers. */
function functionSchema<const T extends string, const K extends string = never>(type: T, ...keys: readonly K[]) {
  return z.strictObject({ type: z.literal(type), ...numbers(`model.activation.${type}`, ...keys) });
}

const finite = z.number().min(-1e6).max(1e6);

/** Those that are a formula with a name: a schema each, of one shape to the type checker. */
const namedActivations = (Object.keys(activations) as ActivationName[]).map((type) => {
  const keys = Object.entries<ActivationKey>(activations[type].keys);
  const words = keys.flatMap(([key, said]) => ('words' in said ? [[key, z.enum(Object.keys(said.words))]] : []));
  const ofNumbers = keys.filter(([, said]) => !('words' in said)).map(([key]) => key);
  return functionSchema(type, ...ofNumbers).extend(Object.fromEntries(words) as Record<string, z.ZodType>);
});

const activation = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('formula'),
    formula: text,
    parameters: z
      .array(
        z.strictObject({
          name: z.string().refine(isParameterName),
          start: finite,
          min: finite.nullable(),
          max: finite.nullable(),
        }),
      )
      .max(16),
  }),
  functionSchema('k-wta', 'ratio').extend({
    // Added after version 0.1.0, which had only these.
    rounding: z.enum(['floor', 'ceiling']).default('ceiling'),
    over: z.enum(['layer', 'channel']).default('layer'),
    ties: z.enum(['index', 'all']).default('all'),
    lowering: z
      .strictObject(numbers('model.activation.k-wta.lowering', 'to', 'by', 'everyEpochs', 'afterEpochs'))
      .exactOptional(),
  }),
  functionSchema('spline', 'points', 'boundary', 'noise').extend({
    basis: z.enum(['catmull-rom', 'b-spline']),
    start: z.enum(startTargetNames),
  }),
  functionSchema('maxout', 'maps'),
  functionSchema('kaf-2d', 'dictionary', 'boundary', 'gamma').extend({ init: initSchema('model.activation.kaf-2d') }),
  kafSchema('kaf'),
  kafSchema('residual-kaf'),
  kafSchema('kaf-free'),
  kafSchema('multi-kaf'),
  ...namedActivations,
]) as unknown as z.ZodType<ActivationPlan>;

const kernel = {
  bias: z.boolean(),
  initializer: z.enum(initializerNames),
};
const padding = z.enum(['same', 'valid']);
const named = { name: z.string().min(1).max(60).exactOptional() };
const pool = { ...layerNumbers('max-pool', 'size', 'stride'), padding };
/** Deeper than anybody writes, so that a hostile plan is no endless descent. */
const maxDepth = 24;

function layersSchema(depth: number): z.ZodType<readonly LayerPlan[]> {
  const inner = z.lazy(() => (depth > 0 ? layersSchema(depth - 1) : z.never()));
  const layer = z.discriminatedUnion('type', [
    z.strictObject({
      ...{ type: z.literal('conv'), ...layerNumbers('conv', 'channels', 'size', 'stride'), padding },
      ...kernel,
      ...named,
    }),
    z.strictObject({
      type: z.literal('dense'),
      units: z.union([z.literal('classes'), layerNumbers('dense', 'units').units]),
      ...kernel,
      ...named,
    }),
    z.strictObject({ type: z.enum(['batch-norm', 'layer-norm']), ...named }),
    z.strictObject({ type: z.literal('group-norm'), ...layerNumbers('group-norm', 'groups'), ...named }),
    z.strictObject({ type: z.literal('activation'), activation: activation.nullable(), ...named }),
    z.strictObject({ type: z.literal('dropout'), rate: z.number().min(0).lt(1) }),
    z.strictObject({ type: z.enum(['max-pool', 'average-pool']), ...pool }),
    z.strictObject({ type: z.enum(['global-average-pool', 'flatten']) }),
    z.strictObject({ type: z.literal('repeat'), ...layerNumbers('repeat', 'times'), layers: inner }),
    z.strictObject({ type: z.literal('block'), layers: inner }),
    z.strictObject({ type: z.literal('residual'), branch: inner, skip: inner, scale: z.enum(['none', 'trained']) }),
    z.strictObject({ type: z.literal('concat'), ways: z.array(inner).min(1).max(32) }),
  ]);
  return z.array(layer).max(1000) as unknown as z.ZodType<readonly LayerPlan[]>;
}

const network = z.union([
  z.enum(['light', 'vgg', 'preact-resnet18']),
  z.strictObject({ type: z.literal('resnet'), ...numbers('model.network.resnet', 'depth') }),
  z.strictObject({ type: z.literal('cnn5'), ...numbers('model.network.cnn5', 'blocks') }),
  z.strictObject({ type: z.literal('mlp'), ...numbers('model.network.mlp', 'hiddenLayers', 'units') }),
  z.strictObject({ type: z.literal('layers'), layers: layersSchema(maxDepth) }),
]);

const spectralNorm = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('normalization'), ...numbers('model.spectralNorm.normalization', 'iterations') }),
  z.strictObject({ type: z.literal('penalty'), ...numbers('model.spectralNorm.penalty', 'iterations', 'lambda') }),
]);

const threat = z.discriminatedUnion('norm', [
  z.strictObject({ norm: z.literal('linf'), ...numbers('training.threat.linf', 'epsilon', 'stepSize') }),
  z.strictObject({ norm: z.literal('l2'), ...numbers('training.threat.l2', 'epsilon', 'stepSize') }),
]);

const optimizer = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sgd'),
    ...numbers('training.optimizer.sgd', 'momentum', 'weightDecay'),
    nesterov: z.literal(true).exactOptional(),
  }),
  z.strictObject({
    type: z.enum(['adam', 'adamw']),
    ...numbers('training.optimizer.adam', 'beta1', 'beta2', 'epsilon', 'weightDecay'),
  }),
]);

const schedule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant'), ...numbers('training.schedule.constant', 'learningRate') }),
  z.strictObject({
    type: z.literal('triangular'),
    ...numbers('training.schedule.triangular', 'min', 'max', 'cooldownEpochs'),
    peak: numberOf('training.schedule.triangular.peak').exactOptional(),
  }),
  z.strictObject({
    type: z.literal('step'),
    ...numbers('training.schedule.step', 'learningRate', 'factor', 'everyEpochs'),
  }),
  z.strictObject({ type: z.literal('cosine'), ...numbers('training.schedule.cosine', 'min', 'max', 'warmupEpochs') }),
  z.strictObject({
    type: z.literal('one-cycle'),
    ...numbers('training.schedule.one-cycle', 'min', 'max', 'peak', 'cooldownEpochs'),
  }),
]);

const keep = z.union([
  z.literal('all'),
  z.strictObject({ ...numbers('checkpoints.keep', 'last', 'everyEpochs'), best: z.boolean() }),
]);

/**
 * A plan as it is read from a run's folder or a checkpoint. Keys that this version doesn't know are refused: they mean
 * something that it would not do.
 */
export const planSchema: z.ZodType<Plan, unknown> = z
  .strictObject({
    version: z.literal(1),
    name: text,
    seed: numberOf('seed'),
    runtime: z.enum(['auto', ...runtimeNames]),
    device: z.enum(torchDeviceNames).exactOptional(),
    tf32: z.literal(true).exactOptional(),
    threads: numberOf('threads').nullable(),
    parts: numberOf('parts').exactOptional(),
    part: z.strictObject({ index: z.int().min(0), of: numberOf('parts') }).exactOptional(),
    dataset,
    model: z.strictObject({
      network,
      activation,
      dropout: z.array(numberOf('model.dropout.[]')).max(5),
      ...numbers('model', 'denseL2', 'convolutionL2'),
      alphaL1: numberOf('model.alphaL1').exactOptional(),
      alphaL2: numberOf('model.alphaL2').exactOptional(),
      spectralNorm: spectralNorm.exactOptional(),
      initializer: z
        .strictObject({ type: z.enum(initializerNames), ...numbers('model.initializer.he-uniform', 'gain') })
        .exactOptional(),
      normalization: z
        .union([
          z.literal('dataset'),
          z.strictObject({
            mean: z.array(numberOf('model.normalization.mean.[]')).min(1).max(4),
            std: z.array(numberOf('model.normalization.std.[]')).min(1).max(4),
          }),
        ])
        .nullable(),
    }),
    training: z.strictObject({
      method: methodPlanSchema,
      loss: z.enum(['cross-entropy', 'least-squares', 'binary-cross-entropy']).exactOptional(),
      threat: threat.nullable(),
      ...numbers('training', 'epochs', 'batchSize', 'checkpointEveryEpochs'),
      optimizer,
      schedule,
      augmentation: z.strictObject({ ...numbers('training.augmentation', 'crop'), flip: z.boolean() }),
      clipping: z
        .strictObject({
          type: z.enum(['global', 'layer', 'adaptive']),
          ...numbers('training.clipping.global', 'limit'),
        })
        .exactOptional(),
      labelSmoothing: numberOf('training.labelSmoothing').exactOptional(),
      earlyStopping: z.strictObject(numbers('training.earlyStopping', 'patience', 'minDelta')).exactOptional(),
      chooseBy: z.enum(['loss', 'robustAccuracy']).exactOptional(),
      watch: z
        .strictObject({
          ...numbers('training.watch', 'everySteps', 'samples', 'steps', 'gap', 'factor'),
          onCollapse: z.enum(['tell', 'stop', 'roll-back']),
        })
        .exactOptional(),
      weightAverage: z
        .strictObject({
          ...numbers('training.weightAverage', 'decay'),
          warmUp: z.boolean(),
          statistics: z.enum(['average', 'trained']),
        })
        .exactOptional(),
    }),
    observe: z.strictObject({
      normsEverySteps: numberOf('observe.norms'),
      shapesEverySteps: numberOf('observe.shapes'),
      testEveryEpochs: numberOf('observe.test'),
      ...numbers('observe', 'robustSamples', 'robustSteps'),
      // Added after version 0.1.0, as is `checkpoints`.
      tensorboard: z.boolean().default(true),
      histogramsEverySteps: numberOf('observe.histograms').default(0),
      shiftSamples: numberOf('observe.shiftSamples').default(0),
    }),
    checkpoints: z.strictObject({ keep }).default({ keep: 'all' }),
    evaluation: z.array(evaluationPlanSchema).max(20),
  })
  .superRefine((plan, context) => {
    const { method, threat: planned } = plan.training;
    const isClean = methodEntry(method.type).norms.length === 0;
    if (isClean !== (planned === null)) {
      const message = isClean ? `expected null with method ${method.type}` : `expected one with ${method.type}`;
      context.addIssue({ code: 'custom', path: ['training', 'threat'], message });
    }
    for (const { severity, path, expected, got } of checkPlan(null, plan)) {
      if (severity !== 'error') continue;
      context.addIssue({ code: 'custom', path: pathNames(path), message: `expected ${expected}, got ${got}` });
    }
  });

/**
 * The plan that a value from a disk is, with the defaults of keys that came later.
 * @throws Error with a line for each thing that is wrong: `training.epochs: …`
 */
export function completePlan(value: unknown): Plan {
  const parsed = planSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'plan'}: ${message}`);
  throw new Error(lines.join('\n'), { cause: parsed.error });
}

/** Numbers of a mapping whose keys are called in the plan as in the file. */
function numbers<const K extends string>(path: string, ...keys: readonly K[]): Record<K, z.ZodNumber> {
  return Object.fromEntries(keys.map((key) => [key, numberOf(`${path}.${key}`)])) as Record<K, z.ZodNumber>;
}

/** Numbers of a kind of declared layer. */
function layerNumbers<const K extends string>(kind: string, ...keys: readonly K[]): Record<K, z.ZodNumber> {
  return numbers(`model.network.layers.layers.[].${kind}.${kind}`, ...keys);
}

/** A number within the range that the setting at a path has. */
function numberOf(path: string): z.ZodNumber {
  const { isInteger, range } = numberSetting(path);
  let schema: z.ZodNumber = isInteger ? z.int() : z.number();
  schema = range.isMinExcluded ? schema.gt(range.min) : schema.min(range.min);
  return range.isMaxExcluded ? schema.lt(range.max) : schema.max(range.max);
}

/** By the names of keys and variants, `[]` for the items of a list. */
function numberSetting(path: string): NumberSetting {
  let setting: Setting | undefined = experimentSettings;
  let names: readonly string[] = path.split('.');
  while (setting && names.length > 0) {
    const [first = '', second = ''] = names;
    const isVariant: boolean = setting.kind === 'variant';
    const next: Setting | undefined =
      setting.kind === 'group'
        ? setting.keys[first]
        : setting.kind === 'list'
          ? setting.item
          : setting.kind === 'variant'
            ? setting.variants[first]?.keys[second]
            : undefined;
    names = names.slice(isVariant ? 2 : 1);
    setting = next;
  }
  if (setting?.kind !== 'number') throw new Error(`the experiment has no number ${path}`);
  return setting;
}
