// What one key means for another: values that contradict (errors), and choices that the thesis or its successors saw fail (warnings).
import { activationFunction, type TypedActivation } from '../formula/activations.ts';
import { FormulaError } from '../formula/parseFormula.ts';
import {
  isKaf,
  type EvaluationPlan,
  type ModelPlan,
  type NetworkPlan,
  type Plan,
  type TrainingPlan,
} from '../protocol/plan.ts';
import { isPixelLength } from '../protocol/attackKey.ts';
import { attackKeys } from '../protocol/attackTable.ts';
import { closestName } from './closestName.ts';
import { networkText } from './describePlan.ts';
import type { FoundIssue } from './experimentText.ts';
import { defaultDropout, isKafValues } from './makePlan.ts';
import type { ExperimentValues } from './settings.ts';

/** An issue without its range, which the caller knows by the path. */
export type PlanIssue = Omit<FoundIssue, 'range'>;

/**
 * Every contradiction in an experiment whose keys are right one by one. `values` tells what was written, `plan` what it means;
 * null for a plan whose text is not at hand: then what only the text could tell is not found, none of which is an error.
 */
export function checkPlan(values: ExperimentValues | null, plan: Plan): PlanIssue[] {
  return [
    ...checkSeeds(values),
    ...checkModel(values, plan.model, plan.training),
    ...checkTraining(values, plan),
    ...checkSchedule(values, plan.training),
    ...checkObservation(plan),
    ...plan.evaluation.flatMap((item, index) => checkEvaluation(item, `evaluation[${index}]`, plan)),
  ];
}

function checkSeeds(values: ExperimentValues | null): PlanIssue[] {
  if (values?.seed === undefined || values.seeds === undefined) return [];
  return [error('seed', 'seed or seeds', 'both', 'Remove one of the two.')];
}

function checkModel(values: ExperimentValues | null, model: ModelPlan, training: TrainingPlan): PlanIssue[] {
  const issues = checkDepth(model.network);
  const nDropout = dropoutLayers(model.network);
  if (model.dropout.length !== nDropout) {
    const has = nDropout > 0 ? `${nDropout} dropout layers; use 0 for none` : 'no dropout layers: remove the key';
    const remedy = `The network ${networkText(model.network)} has ${has}.`;
    issues.push(error('model.dropout', `a list of ${nDropout} rates`, `a list of ${model.dropout.length}`, remedy));
  }
  model.dropout.forEach((rate, index) => {
    if (rate <= 0.6) return;
    const got = String(rate);
    const remedy = `This is the share of units dropped, not kept: did you mean ${rounded(1 - rate)}?`;
    issues.push(warning(`model.dropout[${index}]`, 'a drop rate of at most 0.6', got, remedy));
  });
  const { activation } = model;
  if (activation.type === 'elu' && activation.alpha !== 1 && training.method !== 'standard') {
    const remedy = 'With α ≠ 1 ELU has a corner at 0, which costs robustness in adversarial training (§5.2).';
    issues.push(warning('model.activation.alpha', '1 in adversarial training', String(activation.alpha), remedy));
  }
  if (activation.type === 'step' && activation.straightThrough === 0) {
    const remedy = 'A step has no gradient of its own: all layers before it stay as they start.';
    issues.push(warning('model.activation.straightThrough', 'above 0', '0', remedy));
  }
  if (activation.type === 'k-wta' && activation.lowering && activation.lowering.to >= activation.ratio) {
    const { ratio, lowering } = activation;
    const remedy = 'Raise the ratio, with which training starts, or remove the lowering.';
    issues.push(error('model.activation.lowering.to', `below the ratio (${ratio})`, String(lowering.to), remedy));
  }
  if (activation.type === 'srelu' && activation.left > activation.right) {
    const { left, right } = activation;
    const remedy = 'Exchange left and right.';
    issues.push(error('model.activation.left', `at most right (${right})`, String(left), remedy));
  }
  if (activation.type === 'maxout' && typeof model.network !== 'string') {
    const remedy =
      'A residual sum has one value for each unit, not several linear maps. Choose the network light or vgg.';
    const expected = `a function of one value, with ${networkText(model.network)}`;
    issues.push(error('model.activation', expected, 'maxout', remedy));
  }
  if (activation.type === 'formula') issues.push(...checkFormula(activation));
  if (!isKaf(activation)) return issues;
  const { init } = activation;
  if (init.type === 'ridge' && activation.type === 'residual-kaf') {
    const remedy = 'A residual KAF already holds Swish: a ridge start adds a second function to it. Use {normal: 0}.';
    issues.push(warning('model.activation.init', '{normal: σ} for residual-kaf', `{ridge: ${init.target}}`, remedy));
  } else if (init.type === 'ridge' && init.target === 'relu') {
    const remedy =
      'Gaussian kernels fit the corner of ReLU only within 0.05, with large coefficients; elu or swish fit within 0.014.';
    issues.push(warning('model.activation.init.ridge', 'a smooth target', '"relu"', remedy));
  }
  const automatic = activation.gamma * ((2 * activation.boundary) / (activation.dictionary - 1)) ** 2;
  const written = values?.model.activation;
  const isWritten = written && isKafValues(written) && written.gamma !== 'auto';
  if (isWritten && (automatic > 4 || automatic < 1 / 100)) {
    const meaning =
      automatic > 4 ? 'narrower than their spacing: the function has holes' : 'so wide that they are all alike';
    const remedy = `The kernels are ${meaning}. γ = auto is 1/(6Δ²) = ${rounded(activation.gamma / (6 * automatic))}.`;
    issues.push(warning('model.activation.gamma', 'γ between 1/(100Δ²) and 4/Δ²', rounded(activation.gamma), remedy));
  }
  return issues;
}

function checkFormula(activation: TypedActivation): PlanIssue[] {
  const issues: PlanIssue[] = activation.parameters.flatMap(({ name, start, min, max }) => {
    if (start >= (min ?? -Infinity) && start <= (max ?? Infinity)) return [];
    const expected = `a start between min and max (${min ?? '−∞'} to ${max ?? '∞'})`;
    return [error(`model.activation.parameters.${name}`, expected, String(start), 'Change one of the three.')];
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
    const issue = error('model.activation.formula', expected, got, remedy);
    issues.push({ ...issue, within: { start, end }, ...(meant ? { replacement: meant } : {}) });
  }
  return issues;
}

function checkDepth(network: NetworkPlan): PlanIssue[] {
  if (typeof network === 'string' || (network.depth - 2) % 6 === 0) return [];
  const shallower = 6 * Math.floor((network.depth - 2) / 6) + 2;
  const remedy = `Three stages of equally many blocks of two convolutions make ${shallower} or ${shallower + 6} layers.`;
  return [error('model.network.depth', 'a depth of 6n + 2', String(network.depth), remedy)];
}

function dropoutLayers(network: NetworkPlan): number {
  return typeof network === 'string' ? defaultDropout[network].length : 0;
}

function checkTraining(values: ExperimentValues | null, plan: Plan): PlanIssue[] {
  const issues: PlanIssue[] = [];
  const { method, threat, batchSize } = plan.training;
  const { trainSamples } = plan.dataset;
  if (batchSize > trainSamples) {
    const remedy = 'Make the batch smaller or take more training images.';
    issues.push(error('training.batchSize', `at most the ${trainSamples} training images`, String(batchSize), remedy));
  }
  if (method === 'standard' && values?.training.threat) {
    const remedy = 'Standard training has no threat: it is ignored. Set training.method to fgsm-rs, or remove it.';
    issues.push(warning('training.threat', 'no threat with method standard', 'a threat', remedy));
  }
  if (!threat) return issues;
  issues.push(...checkEpsilon('training.threat.epsilon', threat.epsilon));
  // At 16/255 against ε = 8/255 robustness fell to 0 (Wong et al., 2020).
  if (threat.stepSize > 1.5 * threat.epsilon) {
    const remedy = 'Steps this long end in catastrophic overfitting; 1.25 · ε is the usual choice.';
    const got = rounded(threat.stepSize);
    issues.push(warning('training.threat.stepSize', 'at most 1.5 · ε', got, remedy));
  }
  return issues;
}

function checkSchedule(values: ExperimentValues | null, { schedule, optimizer, epochs }: TrainingPlan): PlanIssue[] {
  const issues: PlanIssue[] = [];
  if (schedule.type === 'triangular' && schedule.min > schedule.max) {
    const { min, max } = schedule;
    issues.push(error('training.schedule.min', `at most max (${max})`, String(min), 'Exchange min and max.'));
  }
  const written = values?.training.schedule;
  if (written?.type === 'triangular' && written.cooldownEpochs >= epochs) {
    const remedy = 'The cooldown is part of the epochs and is shortened, so that one is left for the triangle.';
    const got = String(written.cooldownEpochs);
    issues.push(warning('training.schedule.cooldownEpochs', `less than the epochs (${epochs})`, got, remedy));
  }
  const key = schedule.type === 'constant' ? 'learningRate' : 'max';
  const peak = schedule.type === 'constant' ? schedule.learningRate : schedule.max;
  const limit = optimizer.type === 'adam' ? 0.05 : 5;
  if (peak > limit) {
    const remedy = `With ${optimizer.type} such a learning rate usually diverges.`;
    issues.push(warning(`training.schedule.${key}`, `at most ${limit} with ${optimizer.type}`, String(peak), remedy));
  }
  return issues;
}

function checkObservation({ observe, dataset }: Plan): PlanIssue[] {
  if (observe.robustSamples <= dataset.testSamples) return [];
  return [tooManySamples('observe.robustSamples', observe.robustSamples, dataset.testSamples)];
}

function checkEvaluation(item: EvaluationPlan, path: string, { dataset }: Plan): PlanIssue[] {
  const issues = item.norm === 'linf' ? checkEpsilon(`${path}.epsilon`, item.epsilon) : [];
  if (item.samples > dataset.testSamples)
    issues.push(tooManySamples(`${path}.samples`, item.samples, dataset.testSamples));
  if (item.norm === 'linf') issues.push(...checkLengths(item, path));
  if (!('stepSize' in item)) return issues;
  if (item.stepSize * item.steps < item.epsilon) {
    const remedy = `${item.steps} steps of this length cannot cross the ball: the attack flatters the network.`;
    issues.push(warning(`${path}.stepSize`, 'steps · stepSize of at least ε', rounded(item.stepSize), remedy));
  } else if (item.stepSize > 2 * item.epsilon) {
    const remedy = 'Every step ends in a corner of the ball: a quarter of ε is the usual choice.';
    issues.push(warning(`${path}.stepSize`, 'at most 2 · ε', rounded(item.stepSize), remedy));
  }
  return issues;
}

/** Under L2 a perturbation may be longer than any pixel value. */
function checkLengths(item: EvaluationPlan, path: string): PlanIssue[] {
  const lengths = Object.entries(attackKeys(item.attack)).flatMap(([name, key]) => {
    if (!isPixelLength(key)) return [];
    return [{ ...item }[name as 'epsilon']].flat().map((value) => ({ name, value }));
  });
  return lengths
    .filter(({ value }) => value > 1)
    .map(({ name, value }) =>
      error(`${path}.${name}`, 'at most 1 with norm linf', rounded(value), 'No pixel value can change by more.'),
    );
}

function checkEpsilon(path: string, epsilon: number): PlanIssue[] {
  if (epsilon < 0.5) return [];
  const remedy = 'From 0.5 on every image can be turned into plain grey: no network can be robust.';
  return [warning(path, 'ε below 0.5', rounded(epsilon), remedy)];
}

function tooManySamples(path: string, samples: number, testSamples: number): PlanIssue {
  const remedy = 'Attack fewer images or raise dataset.testSamples.';
  return error(path, `at most the ${testSamples} test images`, String(samples), remedy);
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
