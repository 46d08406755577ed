// The activation functions of the made-up runs: their plans, what their layers say of themselves, and coefficients before and after.
import {
  activationFunction,
  usualActivation,
  type FormulaActivation,
} from '../../../server/formula/activationFunction.ts';
import type { KafKernelName } from '../../../server/formula/kafKernels.ts';
import { dictionaryElements, fitRidge, fitRidge2d } from '../../../server/formula/ridge.ts';
import type { ActivationPlan, KafPlan } from '../../../server/protocol/plan.ts';
import type { ShapeInfo } from '../../../server/protocol/records.ts';

export interface RunActivationData {
  readonly description: string;
  readonly plan: ActivationPlan;
  /** Null where nothing is trained. */
  readonly info: ((layer: string, channels: number) => ShapeInfo) | null;
  readonly layer: string;
  /** One channel's coefficients before training. */
  readonly start: readonly number[];
  /** By how much, about, training moved each. */
  readonly moved: number;
}

const size = 20;
const boundary = 3;
const gamma = 1 / (6 * (6 / 19) ** 2);
const elements = { size, boundary, gamma };
const dictionary = [...dictionaryElements(elements)];
const init = { type: 'normal', std: 0.3 } as const;
const kafPlan: KafPlan = { type: 'kaf', dictionary: size, boundary, gamma, init };
const swish = (x: number) => x / (1 + Math.exp(-x));

function kaf(description: string, kernels: readonly KafKernelName[] | null, type: KafPlan['type']): RunActivationData {
  const names = kernels ? { kernelNames: kernels } : {};
  const alpha = [...fitRidge({ ...elements, ...(kernels ? { kernels } : {}) }, swish, 1e-2)];
  return {
    description,
    plan: { ...kafPlan, type, ...(kernels ? { kernels } : {}) },
    info: (layer, channels) => ({ layer, channels, dictionary, gamma, base: 'none', ...names }),
    layer: 'kaf',
    start: (kernels ?? ['']).flatMap(() => alpha.map((value) => value / (kernels?.length ?? 1))),
    moved: kernels?.includes('relu') || kernels?.includes('softplus') ? 0.05 : 0.12,
  };
}

function formula(description: string, plan: FormulaActivation, moved: number): RunActivationData {
  const { formula: made, parameters } = activationFunction(plan);
  return {
    ...{ description, plan, moved, layer: plan.type },
    info: (layer, channels) => ({ layer, channels, formula: made.text }),
    start: parameters.map(({ start }) => start),
  };
}

const typed = 'x * sigmoid(a * x) + b * sin(c * x)';
const typedStarts = { a: 1, b: 0, c: 2 };
const gamma2d = 1 / (4 * (6 / 9) ** 2);
const axis = { size: 10, boundary, gamma: gamma2d };

export const runActivations = {
  kaf: kaf('KAF 20', null, 'kaf'),
  'kaf-free': kaf('free KAF 20', null, 'kaf-free'),
  'kaf-relu': kaf('KAF 20 ReLU', ['relu'], 'kaf'),
  'kaf-softplus': kaf('KAF 20 softplus', ['softplus'], 'kaf'),
  'kaf-rational-quadratic': kaf('KAF 20 rational quadratic', ['rational-quadratic'], 'kaf'),
  'multi-kaf': kaf('multi-KAF 20 Gaussian + softplus', ['gaussian', 'softplus'], 'multi-kaf'),
  'kaf-2d': {
    description: '2D-KAF 10²',
    plan: { type: 'kaf-2d', dictionary: axis.size, boundary, gamma: gamma2d, init },
    info: (layer, channels) => ({ layer, channels, axis: [...dictionaryElements(axis)], gamma: gamma2d }),
    layer: 'kaf2d',
    start: [...fitRidge2d(axis, swish, 1e-2)],
    moved: 0.35,
  },
  spline: {
    description: 'spline 20 from swish',
    plan: { type: 'spline', points: size, boundary, basis: 'catmull-rom', start: 'swish', noise: 0 },
    info: (layer, channels) => ({ layer, channels, dictionary, spline: 'catmull-rom' }),
    layer: 'spline',
    start: dictionary.map(swish),
    moved: 0.25,
  },
  formula: formula(
    typed,
    {
      type: 'formula',
      formula: typed,
      parameters: Object.entries(typedStarts).map(([name, start]) => ({ name, start, min: null, max: null })),
    },
    0.4,
  ),
  prelu: formula('PReLU', usualActivation('prelu'), 0.2),
  srelu: formula('SReLU', usualActivation('srelu'), 0.3),
  apl: formula('APL', usualActivation('apl'), 0.2),
  pade: formula('Padé', usualActivation('pade'), 0.1),
  relu: { description: 'ReLU', plan: { type: 'relu' }, info: null, layer: 'relu', start: [], moved: 0 },
} as const satisfies Readonly<Record<string, RunActivationData>>;

export type RunActivation = keyof typeof runActivations;

/** As `runActivations` has it. */
export function runActivation(name: RunActivation): RunActivationData {
  return runActivations[name];
}

export function isRunActivation(name: string): name is RunActivation {
  return Object.hasOwn(runActivations, name);
}
