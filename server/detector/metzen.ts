// A detector network (Metzen et al., 2017): two layers on the activations, which learn to tell attacked images from clean ones. In
// float64, without tensors: it is small.
import { normalValues, permutation } from '../tensor/ops/random.ts';
import { randomStreams } from '../model/randomStreams.ts';
import { DetectorError, type Detector, type Features } from './detector.ts';

const nHidden = 32;
const [epochs, batchSize, rate] = [40, 32, 0.003];
const [beta1, beta2, tiny] = [0.9, 0.999, 1e-8];

/**
 * s(h) = w₂ᵀmax(0, W₁h + b₁) + b₂ of activations standardised by those of clean images; binary cross-entropy of σ(s), both kinds weighing
 * the same (Metzen et al., 2017, §3.1); Adam (Kingma & Ba, 2015, algorithm 1).
 */
export const metzen: Detector<'metzen'> = function* ({ clean, attacked, seed }) {
  const { width } = clean;
  const [nClean, nAttacked] = [clean.values.length / width, attacked.values.length / width];
  if (nAttacked < 4) {
    throw new DetectorError(
      `The detector network has nothing to learn from: PGD fools only ${String(nAttacked)} of the ${String(nClean)} training images at its ε. Raise epsilon or fit.`,
    );
  }
  const standard = standardizer(clean);
  const rows = [...rowsOf(clean), ...rowsOf(attacked)].map(standard);
  const weights = Float64Array.from(
    normalValues(nHidden * (width + 2) + 1, 0, 1, { seed, stream: randomStreams.detector, counter: 0 }),
    (value, index) =>
      index < nHidden * width ? value * Math.sqrt(2 / width) : index < nHidden * (width + 1) ? 0 : value * 0.1,
  );
  const [first, second, gradient] = [weights, weights, weights].map(({ length }) => new Float64Array(length));
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = permutation(rows.length, { seed, stream: randomStreams.detector + 1, counter: epoch });
    for (let from = 0; from < order.length; from += batchSize) {
      gradient!.fill(0);
      const batch = order.subarray(from, from + batchSize);
      for (const index of batch) {
        const isAttacked = index >= nClean;
        // Both kinds count for half, however many there are.
        const share = rows.length / (2 * (isAttacked ? nAttacked : nClean)) / batch.length;
        backward(weights, rows[index]!, isAttacked ? 1 : 0, share, gradient!);
      }
      step++;
      for (let i = 0; i < weights.length; i++) {
        first![i] = beta1 * first![i]! + (1 - beta1) * gradient![i]!;
        second![i] = beta2 * second![i]! + (1 - beta2) * gradient![i]! ** 2;
        const size = Math.sqrt(second![i]! / (1 - beta2 ** step)) + tiny;
        weights[i]! -= (rate * (first![i]! / (1 - beta1 ** step))) / size;
      }
      yield;
    }
  }
  return (features) => Float32Array.from(rowsOf(features), (row) => forward(weights, standard(row)).score);
};

/** Weights as they lie: W₁ `[hidden, width]`, b₁, w₂, b₂. */
function forward(weights: Float64Array, h: Float64Array): { hidden: Float64Array; score: number } {
  const width = h.length;
  const [biases, last] = [nHidden * width, nHidden * (width + 1)];
  const hidden = new Float64Array(nHidden);
  let score = weights[last + nHidden]!;
  for (let j = 0; j < nHidden; j++) {
    let sum = weights[biases + j]!;
    for (let i = 0; i < width; i++) sum += weights[j * width + i]! * h[i]!;
    hidden[j] = Math.max(0, sum);
    score += weights[last + j]! * hidden[j]!;
  }
  return { hidden, score };
}

function backward(weights: Float64Array, h: Float64Array, truth: number, share: number, gradient: Float64Array): void {
  const width = h.length;
  const [biases, last] = [nHidden * width, nHidden * (width + 1)];
  const { hidden, score } = forward(weights, h);
  const slope = share * (1 / (1 + Math.exp(-score)) - truth);
  gradient[last + nHidden]! += slope;
  for (let j = 0; j < nHidden; j++) {
    gradient[last + j]! += slope * hidden[j]!;
    if (hidden[j] === 0) continue;
    const inner = slope * weights[last + j]!;
    gradient[biases + j]! += inner;
    for (let i = 0; i < width; i++) gradient[j * width + i]! += inner * h[i]!;
  }
}

function rowsOf({ values, width }: Features): Float32Array[] {
  return Array.from({ length: values.length / width }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

function standardizer(clean: Features): (row: Float32Array) => Float64Array {
  const rows = rowsOf(clean);
  const { width } = clean;
  const mean = Float64Array.from(
    { length: width },
    (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length,
  );
  const deviation = mean.map((m, i) => Math.sqrt(rows.reduce((sum, row) => sum + (row[i]! - m) ** 2, 0) / rows.length));
  return (row) => Float64Array.from(row, (value, i) => (value - mean[i]!) / Math.max(deviation[i]!, 1e-6));
}
