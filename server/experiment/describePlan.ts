// One line that tells a plan from another at a glance.
import type { ActivationPlan, NetworkPlan, Plan } from '../protocol/plan.ts';

/** For example `light · KAF 20 · FGSM-RS 8/255 · cifar10`. */
export function describePlan(plan: Plan): string {
  const { threat } = plan.training;
  const method = threat ? `FGSM-RS ${pixelLengthText(threat.epsilon)}` : 'standard';
  return [networkText(plan.model.network), activationText(plan.model.activation), method, plan.dataset.name].join(
    ' · ',
  );
}

/** `8/255` where the value is a whole or half number of 255ths, else the number. */
export function pixelLengthText(value: number): string {
  const parts = value * 255;
  const nearest = Math.round(parts * 2) / 2;
  return nearest > 0 && Math.abs(parts - nearest) < 1e-9 ? `${nearest}/255` : String(Number(value.toPrecision(4)));
}

/** For example `resnet20`. */
export function networkText(network: NetworkPlan): string {
  return typeof network === 'string' ? network : `${network.type}${network.depth}`;
}

function activationText(activation: ActivationPlan): string {
  switch (activation.type) {
    case 'relu':
      return 'ReLU';
    case 'elu':
      return activation.alpha === 1 ? 'ELU' : `ELU α ${activation.alpha}`;
    case 'swish':
      return 'Swish';
    case 'gelu':
      return 'GELU';
    case 'sigmoid':
    case 'tanh':
      return activation.type;
    case 'leaky-relu':
      return `leaky ReLU ${activation.slope}`;
    case 'softplus':
      return `softplus a ${activation.a}`;
    case 'smooth-relu':
      return `SmoothReLU β ${activation.beta}`;
    case 'step':
      return 'step';
    case 'k-wta':
      return `k-WTA ${activation.ratio}${activation.lowering ? ` → ${activation.lowering.to}` : ''}`;
    case 'prelu':
      return 'PReLU';
    case 'generalized-tanh':
      return 'generalised tanh';
    case 'srelu':
      return 'SReLU';
    case 'apl':
      return `APL ${activation.hinges}`;
    case 'polynomial':
      return `polynomial ${activation.degree}`;
    case 'spline':
      return `spline ${activation.points} from ${activation.start}`;
    case 'maxout':
      return `maxout ${activation.maps}`;
    case 'kaf':
    case 'residual-kaf':
    case 'kaf-free': {
      const name = { kaf: 'KAF', 'residual-kaf': 'residual KAF', 'kaf-free': 'free KAF' }[activation.type];
      const start = activation.init.type === 'ridge' ? ` from ${activation.init.target}` : '';
      return `${name} ${activation.dictionary}${start}`;
    }
  }
}
