// How much memory a plan needs, before anything is opened: so that what can't fit fails at once, with what would.
import { measurePass } from '../model/passMemory.ts';
import type { NetworkEnds } from '../model/layout.ts';
import type { OptimizerPlan, Plan } from '../protocol/plan.ts';

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

export interface AvailableMemory {
  /** For example `what the runtime wasm can address`. */
  readonly what: string;
  readonly bytes: number;
}

/** Peak bytes of tensors in a training step: weights, what the optimizer remembers, the attack, activations and gradients. */
export function estimateStepBytes(plan: Plan, ends: NetworkEnds): number {
  return 4 * stepFloats(plan, ends, plan.training.batchSize);
}

/** @throws NotEnoughMemoryError where training, its tests or an evaluation of the plan needs more than there is. */
export function checkMemory(plan: Plan, ends: NetworkEnds, available: AvailableMemory): void {
  const { training, observe, evaluation } = plan;
  const attack = (batchSize: number) => attackFloats(plan, ends, batchSize);
  const isTestAttacked = observe.testEveryEpochs > 0 && observe.robustSamples > 0;
  check('training.batchSize', training.batchSize, available, (batchSize) =>
    Math.max(stepFloats(plan, ends, batchSize), isTestAttacked ? attack(batchSize) : 0),
  );
  evaluation.forEach((item, index) => {
    check(`evaluation[${index}].batchSize`, Math.min(item.batchSize, item.samples), available, attack);
  });
}

function stepFloats({ model, training }: Plan, ends: NetworkEnds, batchSize: number): number {
  const { parameters, statistics, peak } = measurePass(model, ends);
  const images = batchSize * ends.imageShape.reduce((product, size) => product * size, 1);
  const update = peak({ batchSize, gradients: 'all' });
  // Beside the attacked images there are the clean ones and the noise that was added to them.
  const attack = training.threat ? 2 * images + peak({ batchSize, gradients: 'input' }) : 0;
  return parameters * (1 + momentsOf(training.optimizer)) + statistics + Math.max(update, attack);
}

/** Of a step of projected gradient descent, which holds the clean images beside those that it moves. */
function attackFloats({ model }: Plan, ends: NetworkEnds, batchSize: number): number {
  const { parameters, statistics, peak } = measurePass(model, ends);
  const images = batchSize * ends.imageShape.reduce((product, size) => product * size, 1);
  return parameters + statistics + images + peak({ batchSize, gradients: 'input' });
}

function momentsOf(optimizer: OptimizerPlan): number {
  switch (optimizer.type) {
    case 'adam':
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
  const needBytes = 4 * floatsOf(batchSize);
  if (needBytes <= bytes) return;
  let fitting = 0;
  let tooLarge = batchSize;
  while (tooLarge - fitting > 1) {
    const middle = Math.floor((fitting + tooLarge) / 2);
    if (4 * floatsOf(middle) <= bytes) fitting = middle;
    else tooLarge = middle;
  }
  const remedy =
    fitting > 0
      ? `Set ${path} to ${fitting} or less.`
      : 'Not even a batch of one image fits: choose a smaller network.';
  throw new NotEnoughMemoryError(
    `Batches of ${batchSize} images need about ${bytesText(needBytes)} of memory; ${what} is ${bytesText(bytes)}. ${remedy}`,
    { needBytes, haveBytes: bytes },
  );
}

/** For example `412 MB`. */
export function bytesText(bytes: number): string {
  return bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
