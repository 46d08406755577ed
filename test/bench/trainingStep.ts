// One training step after the other as the trainer makes them: batch, attack, forward, backward, norms, update.
import { openDataset } from '../../server/data/dataset.ts';
import type { ActivationPlan, Plan, TrainingPlan } from '../../server/protocol/plan.ts';
import { train } from '../../server/trainer/train.ts';

/** On a busy machine the processor time of all threads says more than the time on the clock. */
export interface StepTime {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface StepOptions {
  readonly network: 'light' | 'vgg';
  readonly activation: 'kaf' | 'swish' | 'relu';
  readonly method: TrainingPlan['method'];
  /** How often the stepper may be called. */
  readonly steps: number;
}

export const batchSize = 128;

/** KAF of the thesis: D = 20 on [−3, 3], γ = 1/(6Δ²). */
const kaf: ActivationPlan = {
  type: 'kaf',
  dictionary: 20,
  boundary: 3,
  gamma: 19 ** 2 / (6 * 6 ** 2),
  init: { type: 'normal', std: 0.3 },
};

/** @returns a function that makes and times one step; the runtime must be open */
export async function makeStepper(options: StepOptions): Promise<() => Promise<StepTime>> {
  const plan = planOf(options);
  const dataset = await openDataset(plan.dataset);
  const events = train(plan, dataset, { from: null, signal: new AbortController().signal });
  return async () => {
    const startMs = performance.now();
    const startCpu = process.cpuUsage();
    for (;;) {
      const next = await events.next();
      if (next.done) throw new Error('the benchmark has used up its steps');
      const event = next.value;
      if (event.type === 'record' && event.record.type === 'diverged') throw new Error(event.record.message);
      if (event.type === 'record' && event.record.type === 'norms') {
        const { user, system } = process.cpuUsage(startCpu);
        return { ms: performance.now() - startMs, cpuMs: (user + system) / 1000 };
      }
    }
  };
}

function planOf({ network, activation, method, steps }: StepOptions): Plan {
  return {
    version: 1,
    name: 'bench',
    seed: 0,
    runtime: 'auto',
    threads: null,
    dataset: { name: 'shapes', trainSamples: batchSize * steps, testSamples: 10, seed: 0 },
    model: {
      network,
      activation: activation === 'kaf' ? kaf : { type: activation },
      dropout: network === 'light' ? [0.2, 0.3, 0.4] : [0.2, 0.25, 0.3, 0.4],
      denseL2: 0.0012,
      convolutionL2: 0,
      normalization: null,
    },
    training: {
      method,
      threat: method === 'standard' ? null : { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 },
      epochs: 1,
      batchSize,
      optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      schedule: { type: 'constant', learningRate: 1e-3 },
      augmentation: { crop: 0, flip: false },
      checkpointEveryEpochs: 1,
    },
    observe: { normsEverySteps: 1, shapesEverySteps: 0, testEveryEpochs: 0, robustSamples: 0, robustSteps: 0 },
    evaluation: [],
  };
}
