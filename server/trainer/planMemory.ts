// How much memory a plan needs, before anything is opened: so that what can't fit fails at once, with what would.
import { measurePass } from '../model/passMemory.ts';
import { networkEnds } from '../network/datasetEnds.ts';
import type { NetworkEnds } from '../network/layout.ts';
import { surrogatePlaces } from '../protocol/evaluationPlan.ts';
import { heldBy } from '../protocol/methodTable.ts';
import { trainingSamples, type EvaluationPlan, type OptimizerPlan, type Plan } from '../protocol/plan.ts';

/** A plan does not fit; says what to change. */
export class NotEnoughMemoryError extends Error {
  override readonly name = 'NotEnoughMemoryError';
  readonly needBytes: number;
  readonly haveBytes: number;

  constructor(message: string, { needBytes, haveBytes }: { needBytes: number; haveBytes: number }) {
    super(message);
    this.needBytes = needBytes;
    this.haveBytes = haveBytes;
  }
}

/** Labels, and tensors of one value a channel or a class, which nobody counts. */
const smallTensorsBytes = 200_000;

/** A memory that a plan must fit into. */
export interface AvailableMemory {
  /** For example `what the runtime wasm can address`. */
  readonly what: string;
  readonly bytes: number;
}

/** What the need depends on besides the plan. */
export interface Surroundings {
  readonly ends: NetworkEnds;
  /** Of the runtime. */
  readonly threads: number;
  /** The other networks of attacks by transfer, by the place that `from` names; those that an evaluation does not ask for don't count. */
  readonly surrogates?: ReadonlyMap<string, NetworkBeside>;
}

export interface NetworkBeside {
  readonly model: Plan['model'];
  readonly ends: NetworkEnds;
}

/**
 * Peak bytes of a training step: weights, what the optimizer remembers, the attack, activations, gradients, and scratch of the
 * kernels of `wasm`. What that runtime takes is at least 85 % of it, and no more.
 */
export function estimateStepBytes(plan: Plan, around: Surroundings): number {
  return bytesOf(stepFloats(plan, around, stepImages(plan)));
}

/** The same on threads of the processor; null of data that only the disk knows. */
export function stepBytesOf(plan: Plan, threads: number): number | null {
  const ends = networkEnds(plan);
  return ends && estimateStepBytes(plan, { ends, threads });
}

/** Of an attack by projected gradient descent; of a transfer beside all the other networks that there are. */
export function estimateAttackBytes(plan: Plan, batchSize: number, around: Surroundings): number {
  return bytesOf(attackFloats(plan, around, batchSize, [...(around.surrogates?.values() ?? [])]));
}

/** @throws NotEnoughMemoryError where training, its tests or an evaluation of the plan needs more than there is. */
export function checkMemory(plan: Plan, around: Surroundings, available: AvailableMemory): void {
  const { observe, evaluation } = plan;
  const attack = (batchSize: number) => attackFloats(plan, around, batchSize, []);
  const isTestAttacked = observe.testEveryEpochs > 0 && observe.robustSamples > 0;
  check('training.batchSize', stepImages(plan), available, (batchSize) =>
    Math.max(stepFloats(plan, around, batchSize), isTestAttacked ? attack(batchSize) : 0),
  );
  evaluation.forEach((item, index) => {
    check(
      `evaluation[${index}].batchSize`,
      attackedImages(plan, item),
      available,
      evaluationFloats(plan, item, around),
    );
  });
}

/** For an evaluation that is not in the plan. @throws NotEnoughMemoryError where it needs more than there is. */
export function checkEvaluationMemory(
  plan: Plan,
  evaluation: EvaluationPlan,
  around: Surroundings,
  available: AvailableMemory,
): void {
  const floatsOf = evaluationFloats(plan, evaluation, around);
  check('the batch size', attackedImages(plan, evaluation), available, floatsOf);
}

/** What to say, with a batch that would fit, where a device has no memory left for a step. */
export function lackOfStepMemory(
  plan: Plan,
  around: Surroundings,
  device: AvailableMemory,
  cause: unknown,
): NotEnoughMemoryError {
  const floatsOf = (batchSize: number) => stepFloats(plan, around, batchSize);
  return lack('training.batchSize', stepImages(plan), device, { floatsOf, cause });
}

/** The same for an evaluation. */
export function lackOfAttackMemory(
  plan: Plan,
  evaluation: EvaluationPlan,
  around: Surroundings,
  device: AvailableMemory,
  cause: unknown,
): NotEnoughMemoryError {
  const floatsOf = evaluationFloats(plan, evaluation, around);
  return lack('the batch size', attackedImages(plan, evaluation), device, { floatsOf, cause });
}

function stepImages({ training, dataset }: Plan): number {
  return Math.min(training.batchSize, trainingSamples(dataset) ?? Infinity);
}

/** Smoothing's batches are of noisy copies. */
function attackedImages({ dataset }: Plan, { attack, batchSize, samples }: EvaluationPlan): number {
  if (attack === 'smoothing') return batchSize;
  return Math.min(batchSize, samples, dataset.testSamples ?? Infinity);
}

function stepFloats({ model, training, observe }: Plan, { ends, threads }: Surroundings, batchSize: number): number {
  const { parameters, statistics, largestKernel, peak } = measurePass(model, ends);
  const images = batchSize * ends.sampleShape.reduce((product, size) => product * size, 1);
  // The kernels divided by their spectral norms.
  const divided = model.spectralNorm?.type === 'normalization' ? parameters : 0;
  // A penalty's share of a gradient, and the sum, beside all the gradients.
  const penalized = Math.max(
    model.denseL2 > 0 || model.spectralNorm ? largestKernel.dense : 0,
    model.convolutionL2 > 0 || model.spectralNorm ? largestKernel.convolution : 0,
  );
  const held = heldBy(training.method);
  const pass = peak({ batchSize: held.batches * batchSize, mode: 'training', gradients: 'all', threads });
  const beside = held.images * images + held.gradients * parameters;
  // What an update moves is told by the weights before it.
  const observed =
    observe.normsEverySteps > 0 ? parameters + Math.max(largestKernel.dense, largestKernel.convolution) : 0;
  const update = beside + Math.max(pass, images + parameters + Math.max(2 * penalized, observed));
  // Beside the attacked images there are the clean ones and the noise that was added to them.
  const attack = training.threat ? 2 * images + peak({ batchSize, mode: 'training', gradients: 'input', threads }) : 0;
  const average = training.weightAverage ? parameters + statistics : 0;
  return parameters * (1 + momentsOf(training.optimizer)) + statistics + average + divided + Math.max(update, attack);
}

/** By batch size, of an evaluation's steps with the other networks that it asks for. */
function evaluationFloats(plan: Plan, evaluation: EvaluationPlan, around: Surroundings): (batchSize: number) => number {
  const beside = surrogatePlaces(evaluation, plan.evaluation).flatMap((place) => around.surrogates?.get(place) ?? []);
  return (batchSize) => attackFloats(plan, around, batchSize, beside);
}

/**
 * Of a step of projected gradient descent, which holds the clean images beside those that it moves; and the weights of all networks
 * where one of them only judges, whose passes do not come at once.
 */
function attackFloats(
  { model }: Pick<Plan, 'model'>,
  { ends, threads }: Surroundings,
  batchSize: number,
  beside: readonly NetworkBeside[],
): number {
  const images = batchSize * ends.sampleShape.reduce((product, size) => product * size, 1);
  const networks = [{ model, ends }, ...beside].map((network) => {
    const { parameters, statistics, peak } = measurePass(network.model, network.ends);
    const divided = network.model.spectralNorm?.type === 'normalization' ? parameters : 0;
    return {
      held: parameters + divided + statistics,
      pass: peak({ batchSize, mode: 'inference', gradients: 'input', threads }),
    };
  });
  const held = networks.reduce((sum, network) => sum + network.held, 0);
  return held + images + Math.max(...networks.map(({ pass }) => pass));
}

function momentsOf(optimizer: OptimizerPlan): number {
  switch (optimizer.type) {
    case 'adam':
    case 'adamw':
      return 2;
    case 'sgd':
      return optimizer.momentum === 0 ? 0 : 1;
    default:
      return optimizer satisfies never;
  }
}

function check(
  path: string,
  batchSize: number,
  { what, bytes }: AvailableMemory,
  floatsOf: (batchSize: number) => number,
): void {
  const needBytes = bytesOf(floatsOf(batchSize));
  if (needBytes <= bytes) return;
  const fitting = largestFitting(batchSize, bytes, floatsOf);
  const remedy =
    fitting > 0
      ? `Set ${path} to ${fitting} or less.`
      : 'Not even a batch of one image fits: choose a smaller network.';
  throw new NotEnoughMemoryError(
    `Batches of ${batchSize} images need about ${bytesText(needBytes)} of memory; ${what} is ${bytesText(bytes)}. ${remedy}`,
    { needBytes, haveBytes: bytes },
  );
}

/** The largest batch smaller than `tooLarge` that takes no more; 0 where there is none. */
function largestFitting(tooLarge: number, bytes: number, floatsOf: (batchSize: number) => number): number {
  let fitting = 0;
  let larger = tooLarge;
  while (larger - fitting > 1) {
    const middle = Math.floor((fitting + larger) / 2);
    if (bytesOf(floatsOf(middle)) <= bytes) fitting = middle;
    else larger = middle;
  }
  return fitting;
}

/** A batch that was too large although the estimate let it pass: kernels take more than is known, and others may use the device. */
function lack(
  path: string,
  batchSize: number,
  { what, bytes }: AvailableMemory,
  { floatsOf, cause }: { readonly floatsOf: (batchSize: number) => number; readonly cause: unknown },
): NotEnoughMemoryError {
  const needBytes = bytesOf(floatsOf(batchSize));
  const fitting = Math.min(Math.floor(batchSize / 2), largestFitting(batchSize, bytes, floatsOf));
  const remedy = fitting > 0 ? `set ${path} to ${fitting} or less` : 'choose a smaller network';
  const message = `${what[0]!.toUpperCase()}${what.slice(1)} is at an end with batches of ${batchSize} images, which need about ${bytesText(needBytes)} of its ${bytesText(bytes)}. End what else takes of it, or ${remedy}.`;
  return Object.assign(new NotEnoughMemoryError(message, { needBytes, haveBytes: bytes }), { cause });
}

function bytesOf(floats: number): number {
  return 4 * floats + smallTensorsBytes;
}

/** For example `412 MB`. */
export function bytesText(bytes: number): string {
  return bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
