// The training loop: from a plan and its data to records and states. It knows no socket, clock or file; the runtime must be
// open. The same plan and data give the same events on the same runtime, also when resumed from any of its states.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readAhead } from '../data/batches.ts';
import type { Dataset, Samples } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { datasetEnds } from '../network/datasetEnds.ts';
import { shapesRecord } from '../probe/shapes.ts';
import { normsRecord, type Measured } from '../probe/norms.ts';
import type { Plan } from '../protocol/plan.ts';
import type { CollapsedRecord, DivergedRecord, RunRecord, TestRecord } from '../protocol/records.ts';
import { epochsBefore, learningRate, stepsInEpoch, type TrainingLength } from './schedule.ts';
import { testNetwork } from './testing.ts';
import { batchOrders, openTraining, updateOnce, type Training } from './training.ts';
import { captureState, captureTensors, restoreState, restoreTensors, type TrainingState } from './trainingState.ts';

export type TrainerEvent =
  | { readonly type: 'record'; readonly record: RunRecord }
  | { readonly type: 'checkpoint'; readonly state: TrainingState };

export interface TrainOptions {
  /** Null to start from the initial weights. */
  readonly from: TrainingState | null;
  /** Aborting ends training after the step at hand (or within a test), with a checkpoint. */
  readonly signal: AbortSignal;
  /** Called with true where a step waits for its batch, and with false when it has come. */
  readonly onWait?: ((isWaiting: boolean) => void) | undefined;
}

/**
 * Trains by the plan. Yields `prepared` first, then from a fresh start the initial shapes, then the records of every step and
 * of every epoch's end (the last epoch is always tested, unless the plan tests never), and states to write: at the plan's
 * epochs, at the end, on abort, and with the weights before the failing step when training diverges.
 * @throws StateMismatchError where `from` belongs to another plan.
 */
export async function* train(plan: Plan, dataset: Dataset, options: TrainOptions): AsyncGenerator<TrainerEvent> {
  const training = openTraining(plan, dataset);
  try {
    yield* runEpochs(training, options);
  } finally {
    training.dispose();
  }
}

async function* runEpochs(training: Training, { from, signal, onWait }: TrainOptions): AsyncGenerator<TrainerEvent> {
  const { plan, dataset, network } = training;
  const { epochs } = plan.training;
  const stepsPerEpoch = stepsInEpoch(plan.training, dataset.train.nSamples);
  const steps = epochs * stepsPerEpoch;
  if (from) {
    restoreState(training, from);
    network.setEpoch(epochsBefore(from.step, stepsPerEpoch));
  }
  yield record({
    type: 'prepared',
    parameters: network.parameters.map(({ name, layer, shape }) => ({ name, layer, shape })),
    activations: network.activations,
    ...{ steps, stepsPerEpoch, epochs },
    ...(datasetEnds(plan.dataset)
      ? {}
      : { ends: { sampleShape: dataset.sampleShape, nClasses: dataset.classes.length } }),
  });
  if (!from && plan.observe.shapesEverySteps > 0) yield record(shapesRecord(network, 0));

  const batches = readAhead(dataset.train, batchOrders(training, from?.step ?? 0, steps), { onWait });
  try {
    yield* runSteps(training, { from, signal, batches, length: { epochs, stepsPerEpoch } });
  } finally {
    await batches.return();
  }
}

interface Steps extends Pick<TrainOptions, 'from' | 'signal'> {
  readonly batches: AsyncGenerator<Samples, void>;
  readonly length: TrainingLength;
}

async function* runSteps(training: Training, { from, signal, batches, length }: Steps): AsyncGenerator<TrainerEvent> {
  const { epochs, stepsPerEpoch } = length;
  const { plan } = training;
  const steps = epochs * stepsPerEpoch;
  let step = from?.step ?? 0;
  let epoch = from?.epoch ?? 0;
  if (training.stopping?.isSpent) return;
  for (;;) {
    await nextTurn();
    const isEpochEnd = step === (epoch + 1) * stepsPerEpoch;
    if (isEpochEnd) {
      const tested = yield* testEpoch(training, step, epoch + 1, signal);
      if (tested !== 'aborted') epoch++;
      const ended =
        tested !== 'aborted' && tested?.validation && training.stopping?.see(tested.validation, { step, epoch });
      const isDue = tested !== 'aborted' && (epoch % plan.training.checkpointEveryEpochs === 0 || epoch === epochs);
      if (ended) yield record(ended);
      if (isDue || ended || signal.aborted) yield checkpoint(captureState(training, { step, epoch }));
      if (ended) return;
      if (signal.aborted) return;
    } else if (signal.aborted) {
      yield checkpoint(captureState(training, { step, epoch }));
      return;
    }
    if (step >= steps) return;

    const { value: samples } = await batches.next();
    const outcome = runStep(training, samples!, step, length);
    for (const made of outcome.records) yield record(made);
    if (outcome.divergence) {
      yield checkpoint(captureState(training, { step, epoch }));
      yield record(outcome.divergence);
      return;
    }
    step++;
    const ending = yield* watchStep(training, step);
    if (!ending) continue;
    yield checkpoint(captureState(training, { step, epoch }));
    yield record(ending);
    return;
  }
}

/** Looks where it is the watch's turn. @returns the collapse that ends training; null to go on */
async function* watchStep(training: Training, step: number): AsyncGenerator<TrainerEvent, CollapsedRecord | null> {
  const { watch } = training;
  if (!watch || !isTurn(step, watch.plan.everySteps)) return null;
  const { onCollapse, factor } = watch.plan;
  const { record: look, hasCollapsed } = await watch.look(step);
  yield record(look);
  if (!hasCollapsed) {
    if (onCollapse !== 'roll-back' || watch.memory.isCollapsed) return null;
    watch.good = captureTensors(training);
    watch.goodStep = step;
    return null;
  }
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  const found = `Catastrophic overfitting by step ${step}: ${percent(look.fgsm)} withstand one step, ${percent(look.pgd)} withstand ${watch.plan.steps}`;
  const collapse = { type: 'collapsed', step, action: onCollapse, to: null } as const;
  const remedy = 'Use n-fgsm, gradalign or pgd, a smaller step or a lower learning rate';
  if (onCollapse === 'roll-back' && watch.good) {
    restoreTensors(training, watch.good);
    watch.memory = { ...watch.memory, isCollapsed: false, rateFactor: watch.memory.rateFactor * factor };
    const message = `${found}. Training goes on from the weights of step ${watch.goodStep}, its learning rate times ${factor}.`;
    yield record({ ...collapse, to: watch.goodStep, message });
    return null;
  }
  if (onCollapse === 'tell') {
    yield record({ ...collapse, message: `${found}. ${remedy}.` });
    return null;
  }
  return { ...collapse, action: 'stop', message: `${found}. Training was stopped. ${remedy}.` };
}

/** @returns what the test at the epoch's end told; null where the plan has none there; or that it was broken off */
async function* testEpoch(
  { plan, dataset, network, average }: Training,
  step: number,
  epoch: number,
  signal: AbortSignal,
): AsyncGenerator<TrainerEvent, TestRecord | 'aborted' | null> {
  const { testEveryEpochs } = plan.observe;
  const isDue = testEveryEpochs > 0 && (epoch % testEveryEpochs === 0 || epoch === plan.training.epochs);
  if (!isDue) return null;
  average?.network.setEpoch(epoch - 1);
  const tested = await testNetwork(average?.network ?? network, dataset, plan, signal);
  if (!tested) return 'aborted';
  const told: TestRecord = { type: 'test', step, epoch, ...tested, ...(average && { weights: 'average' }) };
  yield record(told);
  return told;
}

interface StepOutcome {
  readonly records: readonly RunRecord[];
  /** Not null: the update was not made. */
  readonly divergence: DivergedRecord | null;
}

/** The update after `stepsDone` others. */
function runStep(training: Training, samples: Samples, stepsDone: number, length: TrainingLength): StepOutcome {
  const { plan, network } = training;
  const { observe } = plan;
  const step = stepsDone + 1;
  const epochsDone = epochsBefore(step, length.stepsPerEpoch);
  network.setEpoch(epochsDone);
  const rate = learningRate(plan.training.schedule, step, length) * (training.watch?.memory.rateFactor ?? 1);
  const { loss, accuracy, measured, isMade } = updateOnce(training, samples, stepsDone, rate);
  if (!isMade) {
    const divergence = divergenceOf(network, loss, measured, step);
    return { records: [normsRecord(network, measured, step)], divergence };
  }

  const epoch = epochsDone + 1;
  const records: RunRecord[] = [{ type: 'step', step, epoch, loss, accuracy, learningRate: rate }];
  if (isTurn(step, observe.normsEverySteps)) records.push(normsRecord(network, measured, step));
  if (isTurn(step, observe.shapesEverySteps)) records.push(shapesRecord(network, step));
  return { records, divergence: null };
}

function isTurn(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}

function divergenceOf(network: Network, loss: number, gradients: Measured, step: number): DivergedRecord {
  // As the backward pass comes to them.
  const broken = network.parameters.filter((_, index) => gradients.nonFinite[index]! > 0).reverse();
  const what = Number.isFinite(loss) ? broken[0]!.name : 'loss';
  const found =
    what === 'loss'
      ? `The loss of step ${step} is ${loss}`
      : `The gradient of ${what} is not finite at step ${step}, the first on the way back (${broken.length} of ${network.parameters.length} parameters, the last is ${broken.at(-1)!.name})`;
  const orGentler = network.activations.some((info) => 'base' in info && info.base === 'none')
    ? ', or start the kernel activation functions closer to a smooth function (residual-kaf, or init ridge)'
    : '';
  return { type: 'diverged', step, quantity: what, message: `${found}. Lower the learning rate${orGentler}.` };
}

function record(made: RunRecord): TrainerEvent {
  return { type: 'record', record: made };
}

function checkpoint(state: TrainingState): TrainerEvent {
  return { type: 'checkpoint', state };
}
