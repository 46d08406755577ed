// The Square attack: random search by squares, which asks for nothing but logits.
// Andriushchenko et al. (2020), "Square Attack: a query-efficient black-box adversarial attack via random search".
import { readFloats } from '../tensor/read.ts';
import { areCorrect, marginsOf } from './predictions.ts';
import type { Attack } from './attack.ts';
import { clipTo, euclidean, forEachRow, project } from './rows.ts';
import { drawPatch } from './squarePatch.ts';
import type { Trial } from './trial.ts';

/**
 * Algorithm 1 of the paper, with the margin z_y − max_{i≠y} zᵢ as loss: a change that lowers it stays, an image falls where it is
 * below 0. Under L∞ by algorithm 2, under L2 by algorithm 3; each image has squares of its own.
 * @throws where samples are no pictures
 */
export const square: Attack<'square'> = function* (trial, plan) {
  const { norm, epsilon, queries, share, schedule } = plan;
  if (trial.target.shape.length !== 3)
    throw new Error(
      'The Square attack changes squares of pictures, and these samples have no rows and columns. Choose another attack.',
    );
  const clean = readFloats(trial.clean);
  const start = norm === 'linf' ? stripes(trial, clean, epsilon) : bumps(trial, clean, epsilon);
  const logits = trial.target.logits(start);
  const held = trial.hold({ clean, x: start, loss: marginsOf(logits, trial.labels) });
  trial.drop(start, logits);
  yield;
  for (let query = 0; query < queries; query++) {
    const side = sideOf(trial, share * shrinking(query, schedule === 'fixed' ? 10_000 : queries), norm);
    const candidate =
      norm === 'linf'
        ? squares(trial, held.now, { side, epsilon, query })
        : transfers(trial, held.now, { side, epsilon, query });
    const found = trial.target.logits(candidate);
    const margins = marginsOf(found, trial.labels);
    const correct = areCorrect(found, trial.labels);
    const { x, loss } = held.now;
    forEachRow(candidate, trial.size, (row, from, to) => {
      if (!(margins[row]! < loss[row]!) && correct[row]) return;
      loss[row] = margins[row]!;
      x.set(candidate.subarray(from, to), from);
    });
    trial.drop(x, found);
    yield;
  }
};

interface SquareState {
  readonly clean: Float32Array;
  readonly x: Float32Array;
}

interface Query {
  readonly side: number;
  readonly epsilon: number;
  readonly query: number;
}

/** Algorithm 2: a square of side h at random, each channel ±2ε there, then projected: each value ends at ±ε of the clean one. */
function squares(trial: Trial, { clean, x }: SquareState, { side, epsilon, query }: Query): Float32Array {
  const [height, width, channels] = trial.target.shape as [number, number, number];
  const next = x.slice();
  const drawn = trial.numbers(2 + channels, 1 + query);
  forEachRow(next, trial.size, (row, from) => {
    const numbers = drawn.subarray(row * (2 + channels), (row + 1) * (2 + channels));
    const [top, left] = [place(numbers[0]!, height - side), place(numbers[1]!, width - side)];
    for (let r = top; r < top + side; r++) {
      for (let c = left; c < left + side; c++) {
        for (let channel = 0; channel < channels; channel++) {
          const i = from + (r * width + c) * channels + channel;
          const moved = x[i]! + 2 * epsilon * sign(numbers[2 + channel]!);
          const offset = Math.min(Math.max(moved - clean[i]!, -epsilon), epsilon);
          next[i] = clipTo(trial, clean[i]! + offset);
        }
      }
    }
  });
  return next;
}

/** Algorithm 3: the length of one window goes into another, where a patch of two opposite bumps is added. */
function transfers(trial: Trial, { clean, x }: SquareState, { side, epsilon, query }: Query): Float32Array {
  const [height, width, channels] = trial.target.shape as [number, number, number];
  const next = x.slice();
  const nNumbers = 5 + channels;
  const drawn = trial.numbers(nNumbers, 1 + query);
  const delta = new Float32Array(height * width * channels);
  forEachRow(next, trial.size, (row, from, to) => {
    const numbers = drawn.subarray(row * nNumbers, (row + 1) * nNumbers);
    for (let i = from; i < to; i++) delta[i - from] = x[i]! - clean[i]!;
    const at = (numbersFrom: number) =>
      [place(numbers[numbersFrom]!, height - side), place(numbers[numbersFrom + 1]!, width - side)] as const;
    const [into, outOf] = [at(0), at(2)];
    const patch = drawPatch(side, { isTurned: numbers[4]! > 0.5 });
    const unused = Math.max(epsilon ** 2 - euclidean(delta, 0, delta.length) ** 2, 0);
    for (let channel = 0; channel < channels; channel++) {
      const index = ([top, left]: readonly [number, number], r: number, c: number) =>
        ((top + r) * width + left + c) * channels + channel;
      const inside = Float64Array.from(
        { length: side * side },
        (_, k) => delta[index(into, Math.floor(k / side), k % side)]!,
      );
      const length = Math.hypot(...inside);
      const fresh = patch.map((value, k) => sign(numbers[5 + channel]!) * value + inside[k]! / (1e-12 + length));
      let both = length ** 2;
      for (let r = 0; r < side; r++) {
        for (let c = 0; c < side; c++) {
          const i = index(outOf, r, c);
          const isInBoth =
            outOf[0] + r >= into[0] &&
            outOf[0] + r < into[0] + side &&
            outOf[1] + c >= into[1] &&
            outOf[1] + c < into[1] + side;
          if (!isInBoth) both += delta[i]! ** 2;
          delta[i] = 0;
        }
      }
      const scale = Math.sqrt(both + unused / channels) / (1e-12 + Math.hypot(...fresh));
      fresh.forEach((value, k) => (delta[index(into, Math.floor(k / side), k % side)] = value * scale));
    }
    write(trial, next, clean, delta, { from, epsilon });
  });
  return next;
}

/** The start under L∞: vertical stripes of one pixel, each channel ±ε. */
function stripes(trial: Trial, clean: Float32Array, epsilon: number): Float32Array {
  const [, width, channels] = trial.target.shape as [number, number, number];
  const drawn = trial.numbers(width * channels, 0);
  const x = new Float32Array(clean.length);
  forEachRow(x, trial.size, (row, from, to) => {
    for (let i = from; i < to; i++) {
      const stripe = (i - from) % (width * channels);
      x[i] = clipTo(trial, clean[i]! + epsilon * sign(drawn[row * width * channels + stripe]!));
    }
  });
  return x;
}

/** The start under L2: a grid of tiles, five on a side, with a patch in each. */
function bumps(trial: Trial, clean: Float32Array, epsilon: number): Float32Array {
  const [height, width, channels] = trial.target.shape as [number, number, number];
  const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
  const [nDown, nAcross] = [Math.floor(height / side), Math.floor(width / side)];
  const nNumbers = nDown * nAcross * (1 + channels);
  const drawn = trial.numbers(nNumbers, 0);
  const x = new Float32Array(clean.length);
  const delta = new Float32Array(height * width * channels);
  // Written anew for each image; what no tile covers stays 0.
  forEachRow(x, trial.size, (row, from) => {
    for (let tile = 0; tile < nDown * nAcross; tile++) {
      const numbers = drawn.subarray(
        row * nNumbers + tile * (1 + channels),
        row * nNumbers + (tile + 1) * (1 + channels),
      );
      const patch = drawPatch(side, { isTurned: numbers[0]! > 0.5 });
      const [top, left] = [Math.floor(tile / nAcross) * side, (tile % nAcross) * side];
      patch.forEach((value, k) => {
        const pixel = (top + Math.floor(k / side)) * width + left + (k % side);
        for (let channel = 0; channel < channels; channel++)
          delta[pixel * channels + channel] = value * sign(numbers[1 + channel]!);
      });
    }
    write(trial, x, clean, delta, { from, epsilon });
  });
  return x;
}

/** clean + ε·δ/‖δ‖₂ into x, within the bounds. */
function write(
  trial: Trial,
  x: Float32Array,
  clean: Float32Array,
  delta: Float32Array,
  { from, epsilon }: { from: number; epsilon: number },
): void {
  const length = euclidean(delta, 0, delta.length) + 1e-12;
  for (let i = 0; i < delta.length; i++) x[from + i] = clean[from + i]! + (delta[i]! / length) * epsilon;
  project(trial, { norm: 'l2', epsilon }, { x, clean, from, to: from + delta.length });
}

/** Of the start's share of pixels, how much a query changes: halved at these queries of 10,000, as the paper has it. */
export function shrinking(query: number, queries: number): number {
  const at = Math.floor((query / queries) * 10_000);
  return 2 ** -[10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((limit) => at > limit).length;
}

/** The side of a square that is so large a share of the picture; under L2 odd, and at least 3. */
export function sideOf(
  { target }: { readonly target: Pick<Trial['target'], 'shape'> },
  share: number,
  norm: 'linf' | 'l2',
): number {
  const [height, width] = target.shape as [number, number, number];
  const rounded = Math.max(1, Math.round(Math.sqrt(share * height * width)));
  const side = norm === 'linf' ? rounded : 2 * Math.floor(Math.max(rounded, 3) / 2) + 1;
  return Math.min(side, height, width);
}

function place(number: number, room: number): number {
  return Math.floor(number * (room + 1));
}

function sign(number: number): 1 | -1 {
  return number < 0.5 ? -1 : 1;
}
