// A trainer that computes nothing: its records follow from the step alone, so that what is kept of a run can be told from
// what was said. The plan's name says how it behaves.
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { EvaluationPlan, Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import type { SweepPoint } from '../../server/protocol/learningRates.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import type { TrainerEvent, TrainOptions } from '../../server/trainer/train.ts';
import type { EvaluateOptions } from '../../server/trainer/evaluate.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';
import { attackPlan } from '../attack/plans.ts';

/**
 * `steps`: as the plan has it; `endless`: until it is stopped; `unsound`: its first test is no number; the others go wrong at the
 * fifth step, or before the first.
 */
export type Script = 'steps' | 'endless' | 'diverges' | 'unsound' | 'throws' | 'crashes' | 'missing-data';

export function scriptedPlan(script: Script, change: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    name: script,
    seed: 0,
    runtime: 'cpu',
    threads: null,
    dataset: { name: 'shapes', trainSamples: 40, testSamples: 10, seed: 1 },
    model: {
      network: 'light',
      activation: { type: 'kaf', dictionary: 5, boundary: 3, gamma: 1, init: { type: 'normal', std: 0.3 } },
      dropout: [0, 0, 0],
      denseL2: 0,
      convolutionL2: 0,
      normalization: null,
    },
    training: {
      method: { type: 'standard' },
      threat: null,
      epochs: 3,
      batchSize: 10,
      optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 0 },
      schedule: { type: 'constant', learningRate: 0.1 },
      augmentation: { crop: 0, flip: false },
      checkpointEveryEpochs: 1,
    },
    observe: {
      normsEverySteps: 2,
      shapesEverySteps: 4,
      testEveryEpochs: 1,
      robustSamples: 0,
      robustSteps: 1,
      histogramsEverySteps: 0,
      shiftSamples: 0,
      tensorboard: true,
    },
    checkpoints: { keep: 'all' },
    evaluation: [],
    ...change,
  };
}

export const scriptedEvaluation = attackPlan('pgd', { steps: 2, restarts: 1, samples: 10, batchSize: 5 });

export const openScriptedTrainer: OpenTrainer = (plan) => {
  if (plan.name === 'missing-data') return Promise.reject(new Error('There is no data. Download it first.'));
  const memory = () => ({ usedBytes: 1000, peakBytes: 2000 });
  return Promise.resolve({ device: 'scripted', memory, train, evaluate, findLearningRate });
};

async function* findLearningRate(): AsyncGenerator<SweepPoint> {
  yield await Promise.resolve({ step: 1, learningRate: 1e-3, loss: 1, smoothed: 1 });
}

export function scriptedState(step: number, epoch: number): TrainingState {
  const tensors = new Map([
    ['model/kaf1.alpha', { shape: [2, 5], values: Float32Array.from({ length: 10 }, (_, index) => step + index / 8) }],
    ['optimizer/kaf1.alpha.velocity', { shape: [2, 5], values: new Float32Array(10).fill(-step) }],
  ]);
  return { step, epoch, tensors };
}

async function* train(plan: Plan, { from, signal }: TrainOptions): AsyncGenerator<TrainerEvent> {
  const script = plan.name as Script;
  const stepsPerEpoch = (plan.dataset.trainSamples ?? 0) / plan.training.batchSize;
  const epochs = plan.training.epochs;
  const steps = script === 'endless' ? 1_000_000 : epochs * stepsPerEpoch;
  const parameters = [{ name: 'kaf1.alpha', layer: 'kaf1', shape: [2, 5] }];
  yield record({ type: 'prepared', parameters, activations: [], steps, stepsPerEpoch, epochs });
  if (from && from.tensors.get('model/kaf1.alpha')?.values[0] !== from.step)
    throw new Error('the state is not what was saved');
  for (let step = from?.step ?? 0; ;) {
    // A pace at which a test can act in the middle of a run.
    await (script === 'endless' ? wait(1) : nextTurn());
    const epoch = Math.floor(step / stepsPerEpoch);
    if (signal.aborted || step === steps) {
      yield { type: 'checkpoint', state: scriptedState(step, epoch) };
      return;
    }
    step++;
    const isTurn = step === 5;
    if (script === 'throws' && isTurn) throw new Error('Out of memory. Lower training.batchSize.');
    if (script === 'crashes' && isTurn) process.kill(process.pid, 'SIGKILL');
    if (script === 'diverges' && isTurn) {
      yield record({
        type: 'diverged',
        step,
        quantity: 'loss',
        message: 'The loss is not finite. Lower the learning rate.',
      });
      return;
    }
    yield* recordsOf(step, Math.floor((step - 1) / stepsPerEpoch) + 1, plan);
    if (step % stepsPerEpoch === 0) {
      const done = step / stepsPerEpoch;
      const tested = {
        loss: script === 'unsound' ? Number.NaN : 1 / step,
        accuracy: step / (step + 1),
        samples: 10,
        robustAccuracy: null,
        robustSamples: 0,
      };
      yield record({ type: 'test', step, epoch: done, ...tested });
      if (script !== 'endless' || step % 20 === 0) yield { type: 'checkpoint', state: scriptedState(step, done) };
    }
  }
}

function* recordsOf(step: number, epoch: number, { observe }: Plan): Generator<TrainerEvent> {
  const loss = step === 3 ? Number.NaN : 1 / step;
  yield record({ type: 'step', step, epoch, loss, accuracy: 1 - 1 / step, learningRate: 0.1 });
  if (step % observe.normsEverySteps === 0) {
    yield record({
      type: 'norms',
      step,
      weights: Float32Array.of(step),
      gradients: Float32Array.of(step === 4 ? Number.NaN : Infinity),
      nonFiniteWeights: Int32Array.of(0),
      nonFiniteGradients: Int32Array.of(step),
    });
  }
  if (step % observe.shapesEverySteps === 0)
    yield record({ type: 'shapes', step, alphas: [new Float32Array(10).fill(step)] });
}

async function* evaluate(plan: Plan, evaluation: EvaluationPlan, options: EvaluateOptions): AsyncGenerator<RunRecord> {
  const { number, signal, state } = options;
  const { samples, batchSize } = evaluation;
  yield { type: 'evaluationStarted', evaluation: number, plan: evaluation, step: state.step, samples };
  let seen = 0;
  while (plan.name === 'endless' || seen < samples) {
    await (plan.name === 'endless' ? wait(1) : nextTurn());
    if (signal.aborted) break;
    seen = Math.min(seen + batchSize, samples);
    yield { type: 'attackProgress', evaluation: number, restart: 0, samples: seen, robust: Int32Array.of(seen, 1, 0) };
  }
  const clean = { value: 0.9, low: 0.8, high: 0.95 };
  const robust = { value: 0.2, low: 0.1, high: 0.4 };
  yield { type: 'evaluationFinished', evaluation: number, samples: seen, clean, robust, isPartial: seen < samples };
}

function record(made: RunRecord): TrainerEvent {
  return { type: 'record', record: made };
}
