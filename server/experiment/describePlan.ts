// One line that tells a plan from another at a glance.
import { isFormulaActivation, type FormulaActivation } from '../formula/activationFunction.ts';
import { activations, type ActivationKey, type ActivationName, type ActivationValues } from '../formula/activations.ts';
import { kafKernels } from '../formula/kafKernels.ts';
import { methodEntry } from '../protocol/methodTable.ts';
import type { ActivationPlan, NetworkPlan, Plan, ThreatPlan } from '../protocol/plan.ts';
import { shorten } from './experimentText.ts';

/** For example `light · KAF 20 · FGSM-RS 8/255 · cifar10`. */
export function describePlan(plan: Plan): string {
  const { threat } = plan.training;
  const { name } = methodEntry(plan.training.method.type);
  const method = threat ? `${name} ${threatText(threat)}` : name;
  return [networkText(plan.model.network), activationText(plan.model.activation), method, plan.dataset.name].join(
    ' · ',
  );
}

function threatText({ norm, epsilon }: ThreatPlan): string {
  return norm === 'linf' ? pixelLengthText(epsilon) : `L2 ${String(Number(epsilon.toPrecision(4)))}`;
}

/** `8/255` where the value is a whole or half number of 255ths, else the number. */
export function pixelLengthText(value: number): string {
  const parts = value * 255;
  const nearest = Math.round(parts * 2) / 2;
  return nearest > 0 && Math.abs(parts - nearest) < 1e-9 ? `${nearest}/255` : String(Number(value.toPrecision(4)));
}

/** For example `resnet20`. */
export function networkText(network: NetworkPlan): string {
  if (typeof network === 'string') return network;
  switch (network.type) {
    case 'resnet':
      return `resnet${network.depth}`;
    case 'cnn5':
      return network.blocks === 5 ? 'cnn5' : `cnn5 of ${network.blocks} blocks`;
    case 'mlp':
      return `mlp ${network.hiddenLayers}×${network.units}`;
    case 'layers':
      return 'own layers';
    default:
      return network satisfies never;
  }
}

/** For example `KAF 20`. */
export function activationText(activation: ActivationPlan): string {
  if (isFormulaActivation(activation)) return formulaText(activation);
  switch (activation.type) {
    case 'k-wta':
      return `k-WTA ${activation.ratio}${activation.lowering ? ` → ${activation.lowering.to}` : ''}`;
    case 'spline':
      return `spline ${activation.points} from ${activation.start}`;
    case 'kaf-2d':
      return `2D-KAF ${activation.dictionary}²`;
    case 'maxout':
      return `maxout ${activation.maps}`;
    case 'kaf':
    case 'residual-kaf':
    case 'kaf-free':
    case 'multi-kaf': {
      const name = kafNames[activation.type];
      const kernels = activation.kernels?.map((kernel) => ` ${kafKernels[kernel].name}`).join(' +') ?? '';
      const start = activation.init.type === 'ridge' ? ` from ${activation.init.target}` : '';
      return `${name}${kernels} ${activation.dictionary}${start}`;
    }
  }
}

const kafNames = {
  kaf: 'KAF',
  'residual-kaf': 'residual KAF',
  'kaf-free': 'free KAF',
  'multi-kaf': 'multi-KAF',
} as const;

/** `ELU α 1.7`: the name with those of its numbers that are not as usual. */
function formulaText(activation: FormulaActivation): string {
  if (activation.type === 'formula') return shorten(activation.formula, 40);
  const { type, ...values } = activation as { type: ActivationName } & ActivationValues;
  const { name, keys } = activations[type] as { name: string; keys: Readonly<Record<string, ActivationKey>> };
  const unusual = Object.entries(values).filter(([key, value]) => value !== keys[key]?.byDefault);
  return [name, ...unusual.map(([key, value]) => `${keys[key]?.symbol ?? key} ${value}`)].join(' ');
}
