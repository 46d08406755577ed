// Interval bound propagation (Gowal et al., 2018; Mirman et al., 2018): the box of all that a perturbation can make of an image is sent
// through the network; where the true class leads all the same, nothing in the box fools.
import * as tf from '@tensorflow/tfjs-core';
import { areCorrect } from '../attack/predictions.ts';
import { readFloats } from '../tensor/read.ts';
import type { Box } from './box.ts';
import { BoundNetwork } from './boundNetwork.ts';
import { outcomeOf, type Certificate, type Subject } from './certificate.ts';

/**
 * The radius of an image is the largest ε found at which it holds, by doubling from the plan's ε and halving the rest. z_y − z_k is bounded
 * through the last dense layer as one difference (Gowal et al., 2018, §3). In exact arithmetic; float32 rounds at about 1e-6 of the sums.
 */
export const ibp: Certificate<'ibp'> = function* (subject, plan) {
  const network = new BoundNetwork(subject);
  for (const _ of network.prepare()) yield [];
  return {
    batchSize: plan.batchSize,
    layers: [],
    *certify({ images, labels, logits }, verdicts) {
      const n = labels.length;
      // A little above ε, so that what holds there counts at ε itself.
      const start = plan.epsilon * (1 + 2 ** -20);
      const [holds, fails] = [new Float64Array(n), new Float64Array(n).fill(Infinity)];
      const right = marginsAt(network, subject, images, labels, new Float32Array(n));
      yield;
      right.forEach((margin, row) => {
        if (!(margin > 0)) fails[row] = 0;
      });
      for (let search = 0; search < plan.searches; search++) {
        const tried = Float32Array.from(holds, (low, row) =>
          fails[row] === Infinity ? Math.max(start, 2 * low) : (low + fails[row]!) / 2,
        );
        const margins = marginsAt(network, subject, images, labels, tried);
        margins.forEach((margin, row) => {
          // As it was tried, in float32.
          if (margin > 0 && fails[row]! > 0) holds[row] = tried[row]!;
          else fails[row] = tried[row]!;
        });
        yield;
      }
      subject.target.passes.forward += 2 * n * (plan.searches + 1);
      const isRight = areCorrect(logits, labels);
      for (let row = 0; row < n; row++) {
        verdicts.radii[row] = holds[row]!;
        verdicts.outcomes[row] = isRight[row] ? outcomeOf(holds[row]!, plan.epsilon) : 0;
      }
      verdicts.nDone = n;
    },
    dispose: () => undefined,
  };
};

/** For each image the least that z_y − max_{k≠y} z_k may be, ‖δ‖∞ being at most its ε. NaN where a bound is none. */
export function marginsAt(
  network: BoundNetwork,
  { layouts, bounds }: Pick<Subject, 'layouts' | 'bounds'>,
  images: tf.Tensor,
  labels: Int32Array,
  epsilons: Float32Array,
): Float64Array {
  const last = layouts.at(-1)!;
  const isDense = last.type === 'dense';
  const { low, high } = tf.tidy(() => {
    const radius = tf.reshape(tf.tensor1d(epsilons), [labels.length, ...images.shape.slice(1).map(() => 1)]);
    const ball = { low: tf.sub(images, radius), high: tf.add(images, radius) };
    const box: Box = bounds
      ? { low: tf.clipByValue(ball.low, ...bounds), high: tf.clipByValue(ball.high, ...bounds) }
      : ball;
    const before = network.through(isDense ? layouts.slice(0, -1) : layouts, network.normalize(box));
    return { low: readFloats(before.low), high: readFloats(before.high) };
  });
  if (!isDense) return leastMargins({ low, high, kernel: null, bias: null }, labels);
  const kernel = readFloats(network.tensor(last.name, 'kernel')!);
  const biasTensor = network.tensor(last.name, 'bias');
  const bias = biasTensor ? readFloats(biasTensor) : null;
  return leastMargins({ low, high, kernel, bias }, labels);
}

/** By the last layer's kernel `[I, K]`, or of logits themselves; one output is the logit of the second of two classes beside 0. */
function leastMargins(
  {
    low,
    high,
    kernel,
    bias,
  }: {
    readonly low: Float32Array;
    readonly high: Float32Array;
    readonly kernel: Float32Array | null;
    readonly bias: Float32Array | null;
  },
  labels: Int32Array,
): Float64Array {
  const nInputs = low.length / labels.length;
  const nOutputs = kernel ? kernel.length / nInputs : nInputs;
  const entry = (input: number, output: number) =>
    kernel ? kernel[input * nOutputs + output]! : input === output ? 1 : 0;
  const weight = (input: number, k: number) => (nOutputs > 1 ? entry(input, k) : k === 1 ? entry(input, 0) : 0);
  const shift = (k: number) => (!bias ? 0 : nOutputs > 1 ? bias[k]! : k === 1 ? bias[0]! : 0);
  return Float64Array.from(labels, (label, row) => {
    let least = Infinity;
    for (let k = 0; k < Math.max(2, nOutputs); k++) {
      if (k === label) continue;
      let margin = shift(label) - shift(k);
      for (let i = 0; i < nInputs; i++) {
        const w = weight(i, label) - weight(i, k);
        if (w !== 0) margin += w > 0 ? w * low[row * nInputs + i]! : w * high[row * nInputs + i]!;
      }
      if (!(margin >= least)) least = margin;
    }
    return least;
  });
}
