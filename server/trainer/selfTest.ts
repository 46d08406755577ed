// Whether a runtime computes right, and how fast: one tiny training step beside the same step on tfjs's plain JavaScript, and
// a larger one against the clock. Opens runtimes one after the other; who runs it where, and what follows, is elsewhere.
import * as tf from '@tensorflow/tfjs-core';
import { buildNetwork } from '../model/network.ts';
import type { ModelPlan } from '../protocol/plan.ts';
import { uniform } from '../tensor/ops/random.ts';
import { readFloats } from '../tensor/read.ts';
import { computeGradients, penaltiesOf } from './gradients.ts';
import { makeOptimizer } from './optimizer.ts';

export interface SelfTestResult {
  /** Null where the step was right, else what differs. */
  readonly fault: string | null;
  /** Milliseconds of a training step of the light network with KAF on 8 images of 32×32 pixels. */
  readonly stepMs: number;
}

const seed = 1;
const modelPlan: ModelPlan = {
  network: 'light',
  activation: { type: 'kaf', dictionary: 20, boundary: 3, gamma: 1.6713, init: { type: 'normal', std: 0.3 } },
  dropout: [0.2, 0.3, 0.4],
  denseL2: 0.0012,
  convolutionL2: 0,
  normalization: null,
};

/** Of a parameter's update, relative to its norm: float32 in another order of summation stays well under it. */
const tolerance = 1e-3;

/**
 * @param openReference opens the runtime `cpu`
 * @param openTested opens the runtime to be tested, which stays open
 * @throws whatever opening throws
 */
export async function runSelfTest(
  openReference: () => Promise<unknown>,
  openTested: () => Promise<unknown>,
): Promise<SelfTestResult> {
  await openReference();
  const expected = tinyStep();
  await openTested();
  const fault = findFault(tinyStep(), expected);
  return { fault, stepMs: fault === null ? timeStep() : NaN };
}

/** How each parameter of a tiny network moves in one step of SGD. */
function tinyStep(): Moves {
  const { step, network, dispose } = makeStepper(2, 4);
  const before = network.parameters.map(({ variable }) => readFloats(variable));
  step();
  const moves = network.parameters.map(({ name, variable }, index): [string, Float32Array] => [
    name,
    readFloats(variable).map((value, i) => value - before[index]![i]!),
  ]);
  dispose();
  return new Map(moves);
}

/** How each parameter moves, by its name. */
type Moves = ReadonlyMap<string, Float32Array>;

/** The first parameter that moves otherwise than expected, as a sentence; null where there is none. */
export function findFault(actual: Moves, expected: Moves): string | null {
  // A bias before a batch normalisation moves by nothing but rounding errors.
  const floor = 1e-4 * Math.max(...[...expected.values()].map(norm));
  for (const [name, move] of expected) {
    const difference = norm(move.map((value, i) => value - actual.get(name)![i]!));
    // The comparison is so turned that NaN is a fault.
    if (!(difference <= tolerance * norm(move) + floor)) {
      return `In a step of training ${name} moves by ${norm(actual.get(name)!).toPrecision(4)} instead of ${norm(move).toPrecision(4)} (difference ${difference.toPrecision(2)}).`;
    }
  }
  return null;
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** The faster of two, after one that warms up: what else the machine does only adds. */
function timeStep(): number {
  const { step, dispose } = makeStepper(8, 32);
  step();
  const times = [0, 1].map(() => {
    const startMs = performance.now();
    step();
    return performance.now() - startMs;
  });
  dispose();
  return Math.min(...times);
}

function makeStepper(nImages: number, side: number) {
  const network = buildNetwork(modelPlan, { sampleShape: [side, side, 3], nClasses: 3, seed });
  const optimizer = makeOptimizer({ type: 'sgd', momentum: 0.9, weightDecay: 5e-4 }, network);
  const images = uniform<tf.Rank.R4>([nImages, side, side, 3], 0, 1, { seed, stream: 0, counter: 0 });
  const labels = tf.tensor1d(
    Array.from({ length: nImages }, (_, index) => index % 3),
    'int32',
  );
  return {
    network,
    step: () => {
      const computed = computeGradients(
        network,
        { images, labels },
        {
          key: { seed, stream: 1, counter: 0 },
          penalties: penaltiesOf(modelPlan),
        },
      );
      optimizer.update(computed.gradients, { learningRate: 0.1, step: 1 });
      // Reading a weight waits for what computes beside this thread.
      readFloats(network.parameters[0]!.variable);
      computed.dispose();
    },
    dispose: () => {
      optimizer.dispose();
      network.dispose();
      tf.dispose([images, labels]);
    },
  };
}
