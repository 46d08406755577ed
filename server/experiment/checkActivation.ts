// What of an activation function contradicts itself, and choices that are known to fail; wherever in the experiment it stands.
import { activationFunction, type TypedActivation } from '../formula/activationFunction.ts';
import { kafKernels } from '../formula/kafKernels.ts';
import type { StartTarget } from '../formula/startTargets.ts';
import { FormulaError } from '../formula/parseFormula.ts';
import { isKaf, kernelsOf, type ActivationPlan, type TrainingPlan } from '../protocol/plan.ts';
import { closestName } from './closestName.ts';
import type { PlanIssue } from './experimentText.ts';

interface Place {
  /** For example `model.activation`. */
  readonly path: string;
  readonly training: TrainingPlan;
  /** Whether γ was written rather than derived. */
  readonly hasOwnGamma: boolean;
}

export function checkActivation(activation: ActivationPlan, { path, training, hasOwnGamma }: Place): PlanIssue[] {
  const issues: PlanIssue[] = [];
  if (activation.type === 'elu' && activation.alpha !== 1 && training.threat !== null) {
    const remedy = 'With α ≠ 1 ELU has a corner at 0, which costs robustness in adversarial training (§5.2).';
    issues.push(warning(`${path}.alpha`, '1 in adversarial training', String(activation.alpha), remedy));
  }
  if (activation.type === 'step' && activation.straightThrough === 0) {
    const remedy = 'A step has no gradient of its own: all layers before it stay as they start.';
    issues.push(warning(`${path}.straightThrough`, 'above 0', '0', remedy));
  }
  if (activation.type === 'k-wta' && activation.lowering && activation.lowering.to >= activation.ratio) {
    const { ratio, lowering } = activation;
    const remedy = 'Raise the ratio, with which training starts, or remove the lowering.';
    issues.push(error(`${path}.lowering.to`, `below the ratio (${ratio})`, String(lowering.to), remedy));
  }
  if (activation.type === 'srelu' && activation.left > activation.right) {
    const { left, right } = activation;
    const remedy = 'Exchange left and right.';
    issues.push(error(`${path}.left`, `at most right (${right})`, String(left), remedy));
  }
  if (activation.type === 'formula') issues.push(...checkFormula(activation, path));
  if (!isKaf(activation)) return issues;
  const { init } = activation;
  if (init.type === 'ridge' && activation.type === 'residual-kaf') {
    const remedy = 'A residual KAF already holds Swish: a ridge start adds a second function to it. Use {normal: 0}.';
    issues.push(warning(`${path}.init`, '{normal: σ} for residual-kaf', `{ridge: ${init.target}}`, remedy));
  } else if (init.type === 'ridge' && hasCorner(init.target) && !kernelsOf(activation).includes('relu')) {
    const remedy =
      'Gaussian kernels fit the corner of ReLU only within 0.05, with large coefficients; elu or swish fit within 0.014.';
    issues.push(warning(`${path}.init.ridge`, 'a smooth target', `"${init.target}"`, remedy));
  }
  if (
    init.type === 'ridge' &&
    activation.kernels?.join() === 'relu' &&
    !hasCorner(init.target) &&
    init.target !== 'swish'
  ) {
    const remedy = 'A sum of such kernels is 0 up to the first element of the dictionary; relu or swish nearly are.';
    const expected = '"relu" or "swish" with such kernels';
    issues.push(warning(`${path}.init.ridge`, expected, `"${init.target}"`, remedy));
  }
  const automatic = activation.gamma * ((2 * activation.boundary) / (activation.dictionary - 1)) ** 2;
  const hasWidth = kernelsOf(activation).some((name) => kafKernels[name].hasWidth);
  if (hasOwnGamma && !hasWidth) {
    const remedy = 'These kernels have no width. Remove the key.';
    issues.push(warning(`${path}.gamma`, 'no γ with such kernels', rounded(activation.gamma), remedy));
  } else if (hasOwnGamma && (automatic > 4 || automatic < 1 / 100)) {
    const meaning =
      automatic > 4 ? 'narrower than their spacing: the function has holes' : 'so wide that they are all alike';
    const remedy = `The kernels are ${meaning}. γ = auto is 1/(6Δ²) = ${rounded(activation.gamma / (6 * automatic))}.`;
    issues.push(warning(`${path}.gamma`, 'γ between 1/(100Δ²) and 4/Δ²', rounded(activation.gamma), remedy));
  }
  return issues;
}

function hasCorner(target: StartTarget): boolean {
  return target === 'relu' || target === 'leaky-relu';
}

function checkFormula(activation: TypedActivation, path: string): PlanIssue[] {
  const issues: PlanIssue[] = activation.parameters.flatMap(({ name, start, min, max }) => {
    if (start >= (min ?? -Infinity) && start <= (max ?? Infinity)) return [];
    const expected = `a start between min and max (${min ?? '−∞'} to ${max ?? '∞'})`;
    return [error(`${path}.parameters.${name}`, expected, String(start), 'Change one of the three.')];
  });
  try {
    activationFunction(activation);
  } catch (cause) {
    if (!(cause instanceof FormulaError)) throw cause;
    const { expected, got, start, end, names } = cause;
    const written = activation.formula.slice(start, end);
    const meant = names.length > 0 ? closestName(written, names) : undefined;
    const remedy = meant
      ? `Did you mean ${meant}?`
      : 'Correct the formula here; the hover over the key names what it may call.';
    const issue = error(`${path}.formula`, expected, got, remedy);
    issues.push({ ...issue, within: { start, end }, ...(meant ? { replacement: meant } : {}) });
  }
  return issues;
}

function error(path: string, expected: string, got: string, remedy: string): PlanIssue {
  return { path, severity: 'error', expected, got, remedy };
}

function warning(path: string, expected: string, got: string, remedy: string): PlanIssue {
  return { path, severity: 'warning', expected, got, remedy };
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)));
}
