// What one key means for another: values that contradict (errors), and choices that the thesis or its successors saw fail (warnings).
import { activationsOf } from '../network/activations.ts';
import { datasetEnds, networkEnds } from '../network/datasetEnds.ts';
import { datasetDeclaration } from '../protocol/datasets.ts';
import {
  isKaf,
  trainingSamples,
  type DatasetPlan,
  type EvaluationPlan,
  type MethodPlan,
  type ModelPlan,
  type Plan,
  type ThreatPlan,
  type TrainingPlan,
} from '../protocol/plan.ts';
import { isPixelLength } from '../protocol/attackKey.ts';
import { isAttackPlan } from '../protocol/evaluationPlan.ts';
import { evaluationKeys } from '../protocol/evaluationTable.ts';
import { methodEntry } from '../protocol/methodTable.ts';
import { checkActivation } from './checkActivation.ts';
import { checkNetwork } from './checkNetwork.ts';
import type { PlanIssue } from './experimentText.ts';
import { isKafValues } from './makePlan.ts';
import type { ExperimentValues } from './settings.ts';

/**
 * Every contradiction in an experiment whose keys are right one by one. `values` tells what was written, `plan` what it means;
 * null for a plan whose text is not at hand: then what only the text could tell is not found, none of which is an error.
 */
export function checkPlan(values: ExperimentValues | null, plan: Plan): PlanIssue[] {
  return [
    ...checkSeeds(values),
    ...checkDataset(plan.dataset),
    ...checkLoss(plan),
    ...checkNetwork(plan.model, networkEnds(plan)),
    ...checkModel(plan.model),
    ...checkActivations(plan, values),
    ...checkTraining(values, plan),
    ...checkSchedule(values, plan.training),
    ...checkStopping(plan),
    ...checkParts(plan),
    ...checkObservation(plan),
    ...plan.evaluation.flatMap((item, index) => checkEvaluation(item, `evaluation[${index}]`, plan)),
  ];
}

function checkSeeds(values: ExperimentValues | null): PlanIssue[] {
  if (values?.seed === undefined || values.seeds === undefined) return [];
  return [error('seed', 'seed or seeds', 'both', 'Remove one of the two.')];
}

function checkParts({ parts = 1, evaluation }: Plan): PlanIssue[] {
  if (parts === 1 || evaluation.some(isAttackPlan)) return [];
  const remedy = 'Only attacks are cut by test images: give evaluation one, or remove it.';
  return [error('parts', '1 where evaluation has no attack', String(parts), remedy)];
}

function checkLoss({ dataset, training: { loss, labelSmoothing = 0 } }: Plan): PlanIssue[] {
  if (loss !== undefined && labelSmoothing > 0) {
    const remedy = 'Labels are smoothed for cross-entropy only: remove it.';
    return [error('training.labelSmoothing', '0 with another loss', String(labelSmoothing), remedy)];
  }
  const nClasses = datasetEnds(dataset)?.nClasses ?? 2;
  if (loss !== 'binary-cross-entropy' || nClasses === 2) return [];
  const remedy = `${dataset.name} has ${nClasses} classes: use cross-entropy.`;
  return [error('training.loss', 'a loss of so many classes', loss, remedy)];
}

function checkDataset(dataset: DatasetPlan): PlanIssue[] {
  const { trainSamples, validationSamples = 0 } = dataset;
  if (trainSamples === null || validationSamples < trainSamples) return [];
  const remedy = 'Keep fewer back, so that some are left to train on.';
  const expected = `less than the training samples (${trainSamples})`;
  return [error('dataset.validationSamples', expected, String(validationSamples), remedy)];
}

function checkModel(model: ModelPlan): PlanIssue[] {
  const issues: PlanIssue[] = [];
  model.dropout.forEach((rate, index) => {
    if (rate <= 0.6) return;
    const got = String(rate);
    const remedy = `This is the share of units dropped, not kept: did you mean ${rounded(1 - rate)}?`;
    issues.push(warning(`model.dropout[${index}]`, 'a drop rate of at most 0.6', got, remedy));
  });
  const activations = [model.activation, ...activationsOf(model).map((layer) => layer.activation)];
  for (const key of ['alphaL1', 'alphaL2'] as const) {
    const lambda = model[key] ?? 0;
    if (activations.some(isKaf) || lambda === 0) continue;
    const remedy = `The activation ${model.activation.type} has no such coefficients: remove the key.`;
    issues.push(warning(`model.${key}`, '0 without KAFs', String(lambda), remedy));
  }
  return issues;
}

/** The model's activation function, and those that a layer has alone. */
function checkActivations({ model, training }: Plan, values: ExperimentValues | null): PlanIssue[] {
  const { network } = model;
  const isDeclared = typeof network !== 'string' && network.type === 'layers';
  const own = isDeclared ? activationsOf(model).filter(({ isOwn }) => isOwn) : [];
  const paths = new Map(own.map(({ path, activation }) => [`model.network.${path}.activation`, activation]));
  const written = values?.model.activation;
  const hasOwnGamma = written !== undefined && isKafValues(written) && written.gamma !== 'auto';
  return [
    ...checkActivation(model.activation, { path: 'model.activation', training, hasOwnGamma }),
    ...[...paths].flatMap(([path, activation]) => checkActivation(activation, { path, training, hasOwnGamma: true })),
  ];
}

/** What the disk tells of other data sets is found when they are opened. */
function isTable({ name }: DatasetPlan): boolean {
  return datasetDeclaration(name).ends?.sampleShape.length === 1 || name === 'table';
}

function checkTraining(values: ExperimentValues | null, plan: Plan): PlanIssue[] {
  const issues: PlanIssue[] = [];
  const { crop, flip } = plan.training.augmentation;
  if (isTable(plan.dataset) && (crop > 0 || flip)) {
    const key = crop > 0 ? 'crop' : 'flip';
    const remedy = 'A row of a table can be neither cropped nor mirrored: remove it.';
    const expected = `no augmentation with ${plan.dataset.name}`;
    issues.push(error(`training.augmentation.${key}`, expected, String(crop > 0 ? crop : flip), remedy));
  }
  const { method, threat, batchSize } = plan.training;
  const nSamples = trainingSamples(plan.dataset);
  if (nSamples !== null && nSamples > 0 && batchSize > nSamples) {
    const remedy = 'Make the batch smaller or take more training samples.';
    issues.push(error('training.batchSize', `at most the ${nSamples} training samples`, String(batchSize), remedy));
  }
  if (!threat && values?.training.threat) {
    const remedy = 'Standard training has no threat: it is ignored. Set training.method to fgsm-rs, or remove it.';
    issues.push(warning('training.threat', 'no threat with method standard', 'a threat', remedy));
  }
  if (!threat) return issues;
  return [...issues, ...checkThreat(method, threat, plan)];
}

function checkThreat(method: MethodPlan, threat: ThreatPlan, { dataset, training: { loss } }: Plan): PlanIssue[] {
  const issues: PlanIssue[] = [];
  const { type } = method;
  const { norms } = methodEntry(type);
  if (!norms.includes(threat.norm)) {
    const remedy = `Set training.method to one that knows it, such as pgd, or the norm to ${norms.join(' or ')}.`;
    issues.push(error('training.threat.norm', `${norms.join(' or ')} with method ${type}`, threat.norm, remedy));
  }
  if (threat.norm === 'linf') issues.push(...checkEpsilon('training.threat.epsilon', threat.epsilon, dataset));
  if (type === 'trades' && loss === 'least-squares') {
    const remedy = 'TRADES compares the probabilities of a softmax: use cross-entropy.';
    issues.push(error('training.loss', 'cross-entropy with method trades', loss, remedy));
  }
  // At 16/255 against ε = 8/255 robustness fell to 0 (Wong et al., 2020).
  if (threat.stepSize > 1.5 * threat.epsilon) {
    const remedy = 'Steps this long end in catastrophic overfitting; 1.25 · ε is the usual choice.';
    const got = rounded(threat.stepSize);
    issues.push(warning('training.threat.stepSize', 'at most 1.5 · ε', got, remedy));
  }
  if ('steps' in method && threat.stepSize * method.steps < threat.epsilon) {
    const remedy = `${method.steps} steps of this length cannot cross the ball.`;
    issues.push(
      warning('training.threat.stepSize', 'steps · stepSize of at least ε', rounded(threat.stepSize), remedy),
    );
  }
  if (type === 'fgsm' && threat.norm === 'linf' && threat.epsilon > 6 / 255 && !isTable(dataset)) {
    const remedy = 'From the image itself one step ends in catastrophic overfitting: use fgsm-rs, n-fgsm or gradalign.';
    issues.push(warning('training.method', 'a random start at this ε', type, remedy));
  }
  return issues;
}

function checkSchedule(values: ExperimentValues | null, { schedule, optimizer, epochs }: TrainingPlan): PlanIssue[] {
  const issues: PlanIssue[] = [];
  if ('min' in schedule && schedule.min > schedule.max) {
    const { min, max } = schedule;
    issues.push(error('training.schedule.min', `at most max (${max})`, String(min), 'Exchange min and max.'));
  }
  const written = values?.training.schedule;
  if (written && 'cooldownEpochs' in written && written.cooldownEpochs >= epochs) {
    const remedy = 'The cooldown is part of the epochs and is shortened, so that one is left for the triangle.';
    const got = String(written.cooldownEpochs);
    issues.push(warning('training.schedule.cooldownEpochs', `less than the epochs (${epochs})`, got, remedy));
  }
  const key = 'max' in schedule ? 'max' : 'learningRate';
  const peak = 'max' in schedule ? schedule.max : schedule.learningRate;
  const limit = optimizer.type === 'sgd' ? 5 : 0.05;
  if (peak > limit) {
    const remedy = `With ${optimizer.type} such a learning rate usually diverges.`;
    issues.push(warning(`training.schedule.${key}`, `at most ${limit} with ${optimizer.type}`, String(peak), remedy));
  }
  return issues;
}

function checkStopping({ training, dataset, observe }: Plan): PlanIssue[] {
  const { earlyStopping, chooseBy } = training;
  const isUnheld = (dataset.validationSamples ?? 0) === 0;
  const remedy = 'Set dataset.validationSamples: test samples are for final figures and choose nothing.';
  if (chooseBy && isUnheld) return [error('training.chooseBy', 'samples kept back to choose by', 'none', remedy)];
  if (chooseBy === 'robustAccuracy' && observe.robustSamples === 0) {
    const toAttack = 'Set observe.robustSamples to how many of the samples kept back are attacked.';
    return [error('training.chooseBy', 'samples that tests attack', 'observe.robustSamples 0', toAttack)];
  }
  if (!earlyStopping) return [];
  const path = 'training.earlyStopping';
  if (isUnheld) return [error(path, 'samples kept back with early stopping', 'none', remedy)];
  if (observe.testEveryEpochs > 0) return [];
  return [error(path, 'tests with early stopping', 'observe.test 0', 'Set observe.test to 1.')];
}

function checkObservation({ observe, dataset }: Plan): PlanIssue[] {
  if (dataset.testSamples === null || observe.robustSamples <= dataset.testSamples) return [];
  return [tooManySamples('observe.robustSamples', observe.robustSamples, dataset.testSamples)];
}

function checkEvaluation(item: EvaluationPlan, path: string, { dataset }: Plan): PlanIssue[] {
  const issues = item.norm === 'linf' ? checkEpsilon(`${path}.epsilon`, item.epsilon, dataset) : [];
  if (dataset.testSamples !== null && item.samples > dataset.testSamples)
    issues.push(tooManySamples(`${path}.samples`, item.samples, dataset.testSamples));
  if (item.norm === 'linf') issues.push(...checkLengths(item, path));
  issues.push(...checkPlaces(item, path));
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

/** What is at a place only the disk tells. */
function checkPlaces(item: EvaluationPlan, path: string): PlanIssue[] {
  return Object.entries(evaluationKeys(item.attack)).flatMap(([name, key]) => {
    const isNamed = new Map(Object.entries(item)).get(name) !== '';
    if (key.kind !== 'place' || isNamed) return [];
    return [error(`${path}.${name}`, key.expected, 'nothing', key.remedy)];
  });
}

/** Under L2 a perturbation may be longer than any pixel value. */
function checkLengths(item: EvaluationPlan, path: string): PlanIssue[] {
  const lengths = Object.entries(evaluationKeys(item.attack)).flatMap(([name, key]) => {
    if (!isPixelLength(key)) return [];
    return [{ ...item }[name as 'epsilon']].flat().map((value) => ({ name, value }));
  });
  return lengths
    .filter(({ value }) => value > 1)
    .map(({ name, value }) =>
      error(`${path}.${name}`, 'at most 1 with norm linf', rounded(value), 'No pixel value can change by more.'),
    );
}

function checkEpsilon(path: string, epsilon: number, dataset: DatasetPlan): PlanIssue[] {
  if (epsilon < 0.5 || isTable(dataset)) return [];
  const remedy = 'From 0.5 on every image can be turned into plain grey: no network can be robust.';
  return [warning(path, 'ε below 0.5', rounded(epsilon), remedy)];
}

function tooManySamples(path: string, samples: number, testSamples: number): PlanIssue {
  const remedy = 'Attack fewer or raise dataset.testSamples.';
  return error(path, `at most the ${testSamples} test samples`, String(samples), remedy);
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
