// By how much gradients grow per layer on their way back at the start: by the formula that hovers show, and measured in a plain
// stack of convolutions, each with batch normalisation and the activation behind it.
import * as tf from '@tensorflow/tfjs-core';
import {
  activationFunction,
  type ActivationFunction,
  usualActivation,
} from '../../server/formula/activationFunction.ts';
import { activations, type ActivationName } from '../../server/formula/activations.ts';
import { gainOf } from '../../server/formula/analysis.ts';
import { convolve } from '../../server/model/linear.ts';
import { batchNormTraining } from '../../server/tensor/ops/batchNorm.ts';
import { applyFormula } from '../../server/tensor/ops/formula.ts';
import { normal } from '../../server/tensor/ops/random.ts';
import { summarize, type Summary } from './statistics.ts';

export interface GainResult {
  readonly activation: ActivationName;
  readonly formula: number;
  /** Of several stacks. */
  readonly measured: Summary;
  /** How much more was measured than the formula says, in percent. */
  readonly apart: number;
}

const depth = 20;
const channels = 32;
const shape: [number, number, number, number] = [16, 16, 16, channels];

/** @param rounds stacks, each of other weights and inputs */
export function measureGains(rounds: number): GainResult[] {
  return (Object.keys(activations) as ActivationName[]).map((activation) => {
    const described = activationFunction(usualActivation(activation));
    const samples = Array.from({ length: rounds }, (_, seed) => measure(described, seed));
    const [formula, measured] = [gainOf(described), summarize(samples, 3)];
    return { activation, formula, measured, apart: Math.round(1000 * (measured.median / formula - 1)) / 10 };
  });
}

/** The mean growth over all layers but the first and the last two, which lie at the stack's ends. */
function measure({ formula, parameters }: ActivationFunction, seed: number): number {
  return tf.tidy(() => {
    const draw = <T extends tf.Tensor>(stream: number, of: readonly number[], std: number) =>
      normal([...of], 0, std, { seed, stream, counter: 0 }) as unknown as T;
    const filters = Array.from({ length: depth }, (_, layer) =>
      draw<tf.Tensor4D>(layer, [3, 3, channels, channels], Math.sqrt(2 / (9 * channels))),
    );
    const zeros = tf.zeros([channels]) as tf.Tensor1D;
    const ones = tf.ones([channels]) as tf.Tensor1D;
    const rows = parameters.length > 0 ? tf.tensor2d(Array(channels).fill(parameters.map(({ start }) => start))) : null;
    const layer = (x: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D => {
      const convolved = convolve(x, filter, zeros, { stride: 1, padding: 'same', differentiated: 'input' });
      const { y } = batchNormTraining(convolved, ones, zeros, 1e-5);
      return applyFormula(y, rows, { formula, gradients: 'input' });
    };
    const inputs = [draw<tf.Tensor4D>(depth, shape, 1)];
    for (const filter of filters) inputs.push(layer(inputs.at(-1)!, filter));
    let gradient: tf.Tensor = draw(depth + 1, shape, 1);
    const sizes: number[] = [];
    for (let index = depth - 1; index >= 0; index--) {
      const back = tf.grad((x: tf.Tensor) => layer(x as tf.Tensor4D, filters[index]!));
      gradient = back(inputs[index]!, gradient);
      sizes.push(tf.norm(gradient).dataSync()[0]!);
    }
    return (sizes.at(-2)! / sizes[1]!) ** (1 / (sizes.length - 3));
  });
}
