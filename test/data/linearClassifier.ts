// Softmax regression on pixels by plain gradient descent: what a model without layers makes of a data set.
import type { Rows } from '../../server/data/rows.ts';

/** Accuracy on `test` after training on `train` in its own order. */
export function linearAccuracy(
  train: Rows,
  test: Rows,
  { nClasses, epochs, learningRate }: { nClasses: number; epochs: number; learningRate: number },
): number {
  const size = train.sampleSize;
  const weights = Array.from({ length: nClasses }, () => new Float32Array(size + 1));
  const pixels = new Float32Array(size + 1);
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let sample = 0; sample < train.nSamples; sample++) {
      read(train, sample, pixels);
      const logits = weights.map((row) => dot(row, pixels));
      const largest = Math.max(...logits);
      const exponentials = logits.map((logit) => Math.exp(logit - largest));
      const sum = exponentials.reduce((total, value) => total + value, 0);
      for (let k = 0; k < nClasses; k++) {
        const error = exponentials[k]! / sum - (train.labels[sample] === k ? 1 : 0);
        const row = weights[k]!;
        for (let i = 0; i <= size; i++) row[i]! -= learningRate * error * pixels[i]!;
      }
    }
  }
  let nCorrect = 0;
  for (let sample = 0; sample < test.nSamples; sample++) {
    read(test, sample, pixels);
    const logits = weights.map((row) => dot(row, pixels));
    if (logits.indexOf(Math.max(...logits)) === test.labels[sample]) nCorrect++;
  }
  return nCorrect / test.nSamples;
}

/** Pixels centred on 0, and a constant. */
function read({ values }: Rows, sample: number, pixels: Float32Array): void {
  const size = pixels.length - 1;
  if (values.where !== 'memory') throw new Error('not in memory');
  for (let i = 0; i < size; i++) pixels[i] = (values.values[sample * size + i]! - 127.5) / 255;
  pixels[size] = 1;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
