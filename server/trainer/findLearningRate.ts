// The sweep that finds a learning rate: training steps as the plan's, each with a larger rate, until the loss explodes.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readAhead } from '../data/batches.ts';
import type { Dataset } from '../data/split.ts';
import { hasExploded, smoothedLoss, type SweepOptions, type SweepPoint } from '../protocol/learningRates.ts';
import type { Plan } from '../protocol/plan.ts';
import { clearHalted } from '../tensor/ops/step.ts';
import { batchOrders, openTraining, updateOnce, type Training } from './training.ts';
import { captureTensors, restoreTensors } from './trainingState.ts';

/**
 * Smith (2017), section 3.3: the rate of step i of n is from·(to/from)^((i − 1)/(n − 1)). Of the loss that the plan's method
 * minimises, which for adversarial training is that under attack. Ends early where the loss explodes or is not finite, or the
 * signal aborts.
 */
export async function* findLearningRate(
  plan: Plan,
  dataset: Dataset,
  options: SweepOptions & { readonly signal: AbortSignal },
): AsyncGenerator<SweepPoint> {
  const { watch: _, weightAverage: __, ...training } = plan.training;
  const opened = openTraining({ ...plan, training }, dataset);
  try {
    yield* sweep(opened, options);
  } finally {
    opened.dispose();
  }
}

/** The same of a training that is open: leaves its weights, moments and all that it remembers as they were. */
export async function* sweep(
  training: Training,
  { from, to, steps, signal }: SweepOptions & { readonly signal: AbortSignal },
): AsyncGenerator<SweepPoint> {
  const before = captureTensors(training);
  const batches = readAhead(training.dataset.train, batchOrders(training, 0, steps));
  const points: SweepPoint[] = [];
  try {
    for (let step = 1; step <= steps; step++) {
      await nextTurn();
      if (signal.aborted) return;
      const { value: samples } = await batches.next();
      const learningRate = steps === 1 ? from : from * (to / from) ** ((step - 1) / (steps - 1));
      const { loss, isMade } = updateOnce(training, samples!, step - 1, { learningRate })();
      const smoothed = smoothedLoss([...points.map((point) => point.loss), loss]);
      points.push({ step, learningRate, loss, smoothed });
      yield points.at(-1)!;
      if (!isMade || hasExploded(points)) return;
    }
  } finally {
    await batches.return();
    restoreTensors(training, before);
    clearHalted(training.halted);
  }
}
