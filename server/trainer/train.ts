// The training loop: from a plan and its data to records and states. It knows no socket, clock or file; the runtime must be
// open. The same plan and data give the same events on the same runtime, also when resumed from any of its states.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readAhead } from '../data/batches.ts';
import type { Dataset, Samples } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { datasetEnds } from '../network/datasetEnds.ts';
import { beginHistograms } from '../probe/histograms.ts';
import { beginShapes } from '../probe/shapes.ts';
import { measureWeights, normsRecord, type Measured } from '../probe/norms.ts';
import type { Plan } from '../protocol/plan.ts';
import type { CollapsedRecord, DivergedRecord, RunRecord, TestRecord } from '../protocol/records.ts';
import type { Reading } from '../tensor/read.ts';
import { epochsBefore, learningRate, stepsInEpoch, type TrainingLength } from './schedule.ts';
import { observeResponses } from './observeResponses.ts';
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
  /** How many steps may be under way before what the first of them says is read; by default 0. The records are the same. */
  readonly stepsBehind?: number | undefined;
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

async function* runEpochs(
  training: Training,
  { from, signal, stepsBehind, onWait }: TrainOptions,
): AsyncGenerator<TrainerEvent> {
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
  if (!from && plan.observe.shapesEverySteps > 0) yield record(beginShapes(network, 0)());

  const batches = readAhead(dataset.train, batchOrders(training, from?.step ?? 0, steps), { onWait });
  try {
    yield* runSteps(training, { from, signal, stepsBehind, batches, length: { epochs, stepsPerEpoch } });
  } finally {
    await batches.return();
  }
}

interface Steps extends Pick<TrainOptions, 'from' | 'signal' | 'stepsBehind'> {
  readonly batches: AsyncGenerator<Samples, void>;
  readonly length: TrainingLength;
}

async function* runSteps(
  training: Training,
  { from, signal, stepsBehind = 0, batches, length }: Steps,
): AsyncGenerator<TrainerEvent> {
  const { epochs, stepsPerEpoch } = length;
  const { plan } = training;
  const steps = epochs * stepsPerEpoch;
  let step = from?.step ?? 0;
  let epoch = from?.epoch ?? 0;
  if (training.stopping?.isSpent) return;
  const underWay: StepUnderWay[] = [];
  for (;;) {
    await nextTurn();
    const isEpochEnd = step === (epoch + 1) * stepsPerEpoch;
    if (isEpochEnd || signal.aborted) {
      if (yield* tellSteps(training, underWay, { leave: 0, epoch })) return;
    }
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
    underWay.push(runStep(training, samples!, step, length));
    step++;
    const isWatched = training.watch !== null && isTurn(step, training.watch.plan.everySteps);
    if (yield* tellSteps(training, underWay, { leave: isWatched ? 0 : stepsBehind, epoch })) return;
    const ending = yield* watchStep(training, step);
    if (!ending) continue;
    yield checkpoint(captureState(training, { step, epoch }));
    yield record(ending);
    return;
  }
}

/**
 * Reads the oldest steps under way until so many are left: none where somebody is about to look at the weights.
 * @returns whether one of them was not made, which ends training
 */
async function* tellSteps(
  training: Training,
  underWay: StepUnderWay[],
  { leave, epoch }: { readonly leave: number; readonly epoch: number },
): AsyncGenerator<TrainerEvent, boolean> {
  while (underWay.length > leave) {
    const { step, told } = underWay.shift()!;
    const { records, divergence } = told();
    for (const made of records) yield record(made);
    if (!divergence) continue;
    // The steps behind it changed nothing.
    yield checkpoint(captureState(training, { step: step - 1, epoch }));
    yield record(divergence);
    return true;
  }
  return false;
}

/** Looks where it is the watch's turn. @returns the collapse that ends training; null to go on */
async function* watchStep(training: Training, step: number): AsyncGenerator<TrainerEvent, CollapsedRecord | null> {
  const { watch } = training;
  if (!watch || !isTurn(step, watch.plan.everySteps)) return null;
  const { onCollapse, factor } = watch.plan;
  const { record: look, hasCollapsed, isSound } = await watch.look(step);
  yield record(look);
  if (!hasCollapsed) {
    if (onCollapse !== 'roll-back' || !isSound) return null;
    watch.good = captureTensors(training);
    watch.goodStep = step;
    return null;
  }
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  const found = `${percent(look.fgsm)} withstand one step, ${percent(look.pgd)} withstand ${watch.plan.steps}.`;
  const collapse = { type: 'collapsed', step, action: onCollapse, to: null } as const;
  if (onCollapse === 'roll-back' && watch.good) {
    restoreTensors(training, watch.good);
    watch.memory = { ...watch.memory, isCollapsed: false, rateFactor: watch.memory.rateFactor * factor };
    const message = `${found} Training goes on from the weights of step ${watch.goodStep}, its learning rate times ${factor}.`;
    yield record({ ...collapse, to: watch.goodStep, message });
    return null;
  }
  if (onCollapse === 'tell') {
    yield record({ ...collapse, message: found });
    return null;
  }
  return { ...collapse, action: 'stop', message: `${found} Training was stopped.` };
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
  if (plan.observe.shiftSamples > 0) {
    const responses = await observeResponses(average?.network ?? network, dataset, plan);
    yield record({ type: 'responses', step, ...responses, ...(average && { weights: 'average' }) });
  }
  return told;
}

/** A step that was given to the device. */
interface StepUnderWay {
  /** From 1. */
  readonly step: number;
  readonly told: Reading<StepOutcome>;
}

interface StepOutcome {
  readonly records: readonly RunRecord[];
  /** Not null: the update was not made. */
  readonly divergence: DivergedRecord | null;
}

/** The update after `stepsDone` others. */
function runStep(training: Training, samples: Samples, stepsDone: number, length: TrainingLength): StepUnderWay {
  const { plan, network } = training;
  const { observe } = plan;
  const step = stepsDone + 1;
  const epochsDone = epochsBefore(step, length.stepsPerEpoch);
  network.setEpoch(epochsDone);
  const isObserved = isTurn(step, observe.normsEverySteps);
  const hasHistograms = isTurn(step, observe.histogramsEverySteps);
  const rate = learningRate(plan.training.schedule, step, length) * (training.watch?.memory.rateFactor ?? 1);
  const updated = updateOnce(training, samples, stepsDone, { learningRate: rate, isObserved, hasHistograms });
  const weights = isObserved ? measureWeights(network) : null;
  const spreads = hasHistograms ? beginHistograms(network.parameters.map(({ variable }) => variable)) : null;
  const shapes = isTurn(step, observe.shapesEverySteps) ? beginShapes(network, step) : null;
  const epoch = epochsDone + 1;
  const told = (): StepOutcome => {
    const { loss, accuracy, measured, isMade, moved, histograms } = updated();
    if (!isMade) {
      // The weights are as they were before it.
      const norms = normsRecord((weights ?? measureWeights(network))(), measured, step);
      return { records: [norms], divergence: divergenceOf(network, loss, measured, step) };
    }
    const records: RunRecord[] = [{ type: 'step', step, epoch, loss, accuracy, learningRate: rate }];
    if (weights) records.push(normsRecord(weights(), measured, step));
    if (moved) records.push({ type: 'updates', step, ...moved });
    if (spreads && histograms) records.push({ type: 'histograms', step, weights: spreads(), gradients: histograms });
    if (shapes) records.push(shapes());
    return { records, divergence: null };
  };
  return { step, told };
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
