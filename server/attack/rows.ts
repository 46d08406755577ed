// Images as rows of an array `[n · d]`, for attacks that treat each image in its own way: lengths, and the set that an attack keeps to.
import type { BallOptions } from './ball.ts';
import type { Trial } from './trial.ts';

/** Calls back with each row's index and its range in the array. */
export function forEachRow(
  values: Float32Array,
  n: number,
  callback: (row: number, from: number, to: number) => void,
): void {
  const size = values.length / n;
  for (let row = 0; row < n; row++) callback(row, row * size, (row + 1) * size);
}

/** ‖·‖₂ of values[from…to], in float64. */
export function euclidean(values: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

/** Distances `[n]` of each row of x from that of `from`, in the norm. */
export function distancesOf(norm: BallOptions['norm'], x: Float32Array, from: Float32Array, n: number): Float32Array {
  const distances = new Float32Array(n);
  forEachRow(x, n, (row, begin, end) => {
    let [largest, sum] = [0, 0];
    for (let i = begin; i < end; i++) {
      const offset = x[i]! - from[i]!;
      largest = Math.max(largest, Math.abs(offset));
      sum += offset * offset;
    }
    distances[row] = norm === 'linf' ? largest : Math.sqrt(sum);
  });
  return distances;
}

/** Values within what a sample may have. */
export function clipTo({ bounds }: Pick<Trial, 'bounds'>, value: number): number {
  return bounds ? Math.min(Math.max(value, bounds[0]), bounds[1]) : value;
}

/** Moves x[from…to] onto the ball about `clean`, then into the bounds, in place. */
export function project(
  trial: Pick<Trial, 'bounds'>,
  { norm, epsilon }: BallOptions,
  { x, clean, from, to }: { x: Float32Array; clean: Float32Array; from: number; to: number },
): void {
  let scale = 1;
  if (norm === 'l2') {
    let sum = 0;
    for (let i = from; i < to; i++) sum += (x[i]! - clean[i]!) ** 2;
    scale = Math.min(1, epsilon / Math.max(Math.sqrt(sum), Number.MIN_VALUE));
  }
  for (let i = from; i < to; i++) {
    const offset = x[i]! - clean[i]!;
    const within = norm === 'l2' ? offset * scale : Math.min(Math.max(offset, -epsilon), epsilon);
    x[i] = clipTo(trial, clean[i]! + within);
  }
}
