// The Square attack on a linear network, each look beside the paper's algorithms, written for one image.
import { beforeAll, describe, expect, it } from 'vitest';
import { shrinking, sideOf, square } from '../../server/attack/square.ts';
import { drawPatch } from '../../server/attack/squarePatch.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { classOf, logitsOf, withLinearTrial } from './linearTrial.ts';
import { attackPlan } from './plans.ts';

beforeAll(openCpu);

const channels = 2;
/** With tiles of one pixel, of two by two with a row and a column left over, and a picture with fewer rows than tiles. */
const shapes = [
  [6, 11, channels],
  [11, 15, channels],
  [4, 6, channels],
] as const;
const epsilons = { linf: 0.02, l2: 1.2 } as const;

/** Weights so small that nothing falls, and two images. */
function worldOf([height, width]: (typeof shapes)[number]) {
  const draw = (stream: number, low: number, high: number) =>
    [...uniformValues(height * width * channels, low, high, { seed: 2, stream, counter: 0 })].map(Math.fround);
  return { rows: [1, 2, 3].map((stream) => draw(stream, -0.004, 0.004)), images: [draw(4, 0, 1), draw(5, 0, 1)] };
}

type Offset = number[];
type Numbers = (draw: number, count: number) => readonly number[];
const sign = (number: number) => (number < 0.5 ? -1 : 1);
const lengthOf = (values: readonly number[]) => Math.hypot(...values);

/** What is asked for after `offset`, or at first, by an image's own numbers. */
interface Algorithm {
  start(numbers: Numbers): Offset;
  next(offset: Offset, numbers: Numbers, query: number, side: number): Offset;
}

function geometryOf(height: number, width: number) {
  return {
    nValues: height * width * channels,
    indexOf: (row: number, column: number, channel: number) => (row * width + column) * channels + channel,
    corner: (a: number, b: number, side: number) =>
      [Math.floor(a * (height - side + 1)), Math.floor(b * (width - side + 1))] as const,
  };
}

/** Algorithm 2 on top of stripes. */
function inCube(height: number, width: number, epsilon: number): Algorithm {
  const { nValues, indexOf, corner } = geometryOf(height, width);
  return {
    start(numbers) {
      const drawn = numbers(0, width * channels);
      return Array.from({ length: nValues }, (_, i) => epsilon * sign(drawn[i % (width * channels)]!));
    },
    next(offset, numbers, query, side) {
      const drawn = numbers(1 + query, 2 + channels);
      const [top, left] = corner(drawn[0]!, drawn[1]!, side);
      const next = [...offset];
      for (let r = 0; r < side; r++)
        for (let c = 0; c < side; c++)
          for (let k = 0; k < channels; k++) next[indexOf(top + r, left + c, k)] = epsilon * sign(drawn[2 + k]!);
      return next;
    },
  };
}

/** Algorithm 3 on top of tiles, five on the shorter side. */
function onSphere(height: number, width: number, epsilon: number): Algorithm {
  const { nValues, indexOf, corner } = geometryOf(height, width);
  return {
    start(numbers) {
      const side = height < 10 ? 1 : 2;
      const [nDown, nAcross] = [Math.floor(height / side), Math.floor(width / side)];
      const drawn = numbers(0, nDown * nAcross * (1 + channels));
      const offset = new Array<number>(nValues).fill(0);
      for (let down = 0; down < nDown; down++)
        for (let across = 0; across < nAcross; across++) {
          const own = drawn.slice((down * nAcross + across) * (1 + channels));
          drawPatch(side, { isTurned: own[0]! > 0.5 }).forEach((value, j) => {
            const [r, c] = [side * down + Math.floor(j / side), side * across + (j % side)];
            for (let k = 0; k < channels; k++) offset[indexOf(r, c, k)] = value * sign(own[1 + k]!);
          });
        }
      return offset.map((value) => (epsilon * value) / lengthOf(offset));
    },
    next(offset, numbers, query, side) {
      const drawn = numbers(1 + query, 5 + channels);
      const [into, outOf] = [corner(drawn[0]!, drawn[1]!, side), corner(drawn[2]!, drawn[3]!, side)];
      const patch = drawPatch(side, { isTurned: drawn[4]! > 0.5 });
      const cells = (at: readonly [number, number], k: number) =>
        Array.from(patch, (_, j) => indexOf(at[0] + Math.floor(j / side), at[1] + (j % side), k));
      const unused = Math.max(0, epsilon ** 2 - lengthOf(offset) ** 2);
      const next = [...offset];
      for (let k = 0; k < channels; k++) {
        const [own, other] = [cells(into, k), cells(outOf, k)];
        const inside = own.map((i) => offset[i]!);
        const either = [...new Set([...own, ...other])].map((i) => offset[i]!);
        const fresh = own.map((_, j) => sign(drawn[5 + k]!) * patch[j]! + inside[j]! / (lengthOf(inside) || 1));
        for (const i of other) next[i] = 0;
        const length = Math.sqrt(lengthOf(either) ** 2 + unused / channels);
        own.forEach((i, j) => (next[i] = (length * fresh[j]!) / lengthOf(fresh)));
      }
      return next.map((value) => (epsilon * value) / lengthOf(next));
    },
  };
}

const worlds = [
  { shape: shapes[0], bounds: null, schedule: 'fixed', times: 1 },
  { shape: shapes[0], bounds: [0.1, 0.9], schedule: 'rescaled', times: 0.1 },
  { shape: shapes[1], bounds: null, schedule: 'rescaled', times: 1 },
  { shape: shapes[2], bounds: null, schedule: 'rescaled', times: 0.1 },
] as const;

describe.each([
  ['linf', inCube],
  ['l2', onSphere],
] as const)('Square under %s', (norm, algorithm) => {
  it.each(worlds)(
    'on $shape within $bounds, $schedule, asks for what the paper says, and keeps what helps',
    ({ shape, bounds, schedule, times }) => {
      const { rows, images } = worldOf(shape);
      const epsilon = times * epsilons[norm];
      const { start, next } = algorithm(shape[0], shape[1], epsilon);
      const nValues = images[0]!.length;
      const within = images.map((image) =>
        image.map((value) => Math.fround(bounds ? Math.min(0.9, Math.max(0.1, value)) : value)),
      );
      const plan = attackPlan('square', { norm, epsilon, queries: 40, share: 0.4, schedule });
      withLinearTrial(
        ({ trial, looks }) => {
          const attack = square(trial, plan, 0);
          let yields = 0;
          while (!attack.next().done) yields++;
          expect(yields).toBe(1 + 40);
          expect(trial.size).toBe(2);
          let nKept = 0;
          within.forEach((image, row) => {
            const y = classOf(image, rows);
            const own = looks.map((look) => look.slice(nValues * row, nValues * (row + 1)));
            const numbers: Numbers = (draw, count) =>
              [...trial.numbers(count, draw)].slice(count * row, count * (row + 1));
            const inBounds = (x: number) => (bounds ? Math.min(bounds[1], Math.max(bounds[0], x)) : x);
            const marginOf = (x: readonly number[]) => {
              const z = logitsOf(x, rows);
              return z[y]! - Math.max(...z.filter((_, k) => k !== y));
            };
            let x = own[0]!;
            const begun = start(numbers);
            x.forEach((value, i) => expect(value).toBeCloseTo(inBounds(image[i]! + begun[i]!), 5));
            own.slice(1).forEach((look, query) => {
              const side = sideOf(trial, 0.4 * shrinking(query, schedule === 'fixed' ? 10_000 : 40), norm);
              const expected = next(
                x.map((value, i) => value - image[i]!),
                numbers,
                query,
                side,
              );
              look.forEach((value, i) =>
                expect(value, `query ${String(query)}`).toBeCloseTo(inBounds(image[i]! + expected[i]!), 5),
              );
              if (marginOf(look) >= marginOf(x)) return;
              x = look;
              nKept++;
            });
          });
          expect(nKept).toBeGreaterThan(5);
          expect(nKept).toBeLessThan(75);
        },
        { bounds, images: within, shape, rows },
      );
    },
  );
});

describe('a square’s side', () => {
  const of = (rows: number, columns: number) => ({ target: { shape: [rows, columns, 1] } });

  it('is the root of its share; under L2 odd, 3 at least; never beyond the picture', () => {
    expect([0.5, 0.25, 0.01, 0.0001].map((share) => sideOf(of(32, 32), share, 'linf'))).toEqual([23, 16, 3, 1]);
    expect([0.5, 0.25, 0.01, 0.0001].map((share) => sideOf(of(32, 32), share, 'l2'))).toEqual([23, 17, 3, 3]);
    expect([sideOf(of(4, 60), 1, 'linf'), sideOf(of(60, 4), 1, 'linf'), sideOf(of(2, 9), 0.5, 'l2')]).toEqual([
      4, 4, 2,
    ]);
  });

  it('halves its area after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries of 10,000', () => {
    const limits = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
    limits.forEach((limit, index) => {
      expect(shrinking(limit, 10_000)).toBe(2 ** -index);
      expect(shrinking(limit + 1, 10_000)).toBe(2 ** -(index + 1));
    });
    expect([shrinking(0, 10_000), shrinking(40, 100), shrinking(41, 100)]).toEqual([1, 2 ** -6, 2 ** -7]);
    expect(shrinking(21, 20_000)).toBe(1);
  });
});

describe('Square', () => {
  it.each(['linf', 'l2'] as const)('under %s takes out who falls, at the start and later', (norm) => {
    const images = worldOf(shapes[0]).images.map((image) => image.map(() => 0.5));
    // The brighter half tells the class; here the biases do.
    const half = (isOwn: (column: number) => boolean) =>
      images[0]!.map((_, i) => (isOwn(Math.floor(i / channels) % 11) ? 1 : 0));
    const rows = [half((column) => column < 5), half((column) => column > 5), half(() => false)];
    withLinearTrial(
      ({ trial, looks, fooled }) => {
        const plan = attackPlan('square', { norm, epsilon: norm === 'linf' ? 0.3 : 3, queries: 100, share: 0.4 });
        const attack = square(trial, plan, 0);
        attack.next();
        const atStart = images.map((_, row) => classOf(looks[0]!.slice(row * 132, (row + 1) * 132), rows));
        expect([...trial.rows]).toEqual([0, 1].filter((row) => atStart[row] === classOf(images[row]!, rows)));
        expect(trial.size).toBeLessThan(2);
        while (trial.size > 0 && !attack.next().done);
        expect(trial.size).toBe(0);
        expect(fooled.map(({ row }) => row).sort()).toEqual([0, 1]);
        for (const { row, image } of fooled) expect(classOf([...image], rows)).not.toBe(classOf(images[row]!, rows));
      },
      { bounds: null, images, shape: shapes[0], rows },
    );
  });
});

describe('the patch under L2', () => {
  it('has rectangles within one another in either half, the k-th adding 1/k², of opposite signs and length 1', () => {
    const [few, many] = [
      [[0.25, 1.25, 0.25]],
      [
        [0.25, 0.25, 0.25],
        [0.25, 1.25, 0.25],
      ],
    ];
    const unit = (rows: number[][]) => rows.flat().map((value) => value / lengthOf(rows.flat()));
    const expected = [...unit(few!), ...unit(many!).map((value) => -value)].map((value) => value / Math.SQRT2);
    [...drawPatch(3, { isTurned: false })].forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 12));
    [...drawPatch(3, { isTurned: true })].forEach((value, k) =>
      expect(value).toBeCloseTo(expected[3 * (k % 3) + Math.floor(k / 3)]!, 12),
    );
    const two = [...drawPatch(2, { isTurned: false })];
    [0.25, 1.25, -0.25, -1.25].forEach((value, k) =>
      expect(two[k]).toBeCloseTo(value / Math.hypot(0.25, 1.25) / Math.SQRT2, 12),
    );
    const ninth = 1 / 9;
    const upper = [
      ninth,
      0.25 + ninth,
      0.25 + ninth,
      0.25 + ninth,
      ninth,
      ninth,
      0.25 + ninth,
      1.25 + ninth,
      0.25 + ninth,
      ninth,
    ];
    const five = [...drawPatch(5, { isTurned: false })].slice(0, 10);
    unit([upper]).forEach((value, k) => expect(five[k]).toBeCloseTo(value / Math.SQRT2, 12));
  });
});
