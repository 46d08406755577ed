// Attacks on a linear network, each look at an image beside the same algorithm in float64, written from the papers for one image.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { apgdT, autoPgd, checkpointsOf } from '../../server/attack/apgd.ts';
import { cw } from '../../server/attack/cw.ts';
import { deepFool } from '../../server/attack/deepFool.ts';
import { fab, fabT } from '../../server/attack/fab.ts';
import { onHyperplane } from '../../server/attack/hyperplane.ts';
import { crossEntropy, type Loss } from '../../server/attack/losses.ts';
import { nes } from '../../server/attack/nes.ts';
import type { Trial } from '../../server/attack/trial.ts';
import type { PlanOfAttack } from '../../server/protocol/attackTable.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { classOf, dot, drawnBy, logitsOf, samples, slopeTo, withLinearTrial } from './linearTrial.ts';
import { attackPlan } from './plans.ts';

beforeAll(openCpu);

const norms = ['linf', 'l2'] as const;
type Norm = (typeof norms)[number];

/** Goes through an attack. @returns how often it yields */
function runThrough(attack: Generator<void, void, void>, trial: Trial): number {
  let yields = 0;
  while (trial.size > 0 && !attack.next().done) yields++;
  return yields;
}

function expectLooks(found: readonly number[][], expected: readonly number[][], digits = 5): void {
  expect(found.length).toBe(expected.length);
  found.forEach((look, at) => {
    expect(look.length, `look ${String(at)}`).toBe(expected[at]!.length);
    look.forEach((value, i) =>
      expect(value, `look ${String(at)}, value ${String(i)}`).toBeCloseTo(expected[at]![i]!, digits),
    );
  });
}

/** Of each image's looks the ones of all images, at each look. */
function together(byImage: readonly number[][][]): number[][] {
  return byImage[0]!.map((_, at) => byImage.flatMap((looks) => looks[at]!));
}

function lengthOf(norm: Norm, values: readonly number[]): number {
  return norm === 'linf' ? Math.max(...values.map(Math.abs)) : Math.hypot(...values);
}

function unitStep(norm: Norm, values: readonly number[]): number[] {
  return norm === 'linf' ? values.map(Math.sign) : values.map((value) => value / Math.hypot(...values));
}

/** Of those looked at that fool; to six digits. */
function nearestOf(norm: Norm, x0: readonly number[], looks: readonly (readonly number[])[]): unknown {
  const fooling = looks.filter((x) => classOf(x) !== classOf(x0));
  const distances = fooling.map((x) =>
    lengthOf(
      norm,
      x.map((value, i) => value - x0[i]!),
    ),
  );
  return distances.length === 0 ? Infinity : (expect.closeTo(Math.min(...distances), 5) as unknown);
}

/** ‖∇‖ in the norm that is dual to the distance's. */
function dualOf(norm: Norm, w: readonly number[]): number {
  return norm === 'l2' ? Math.hypot(...w) : w.reduce((sum, value) => sum + Math.abs(value), 0);
}

/** How far the boundary between its class and k is. */
function farTo(k: number, norm: Norm, x: readonly number[], y: number): number {
  const z = logitsOf(x);
  return Math.abs(z[k]! - z[y]!) / dualOf(norm, slopeTo(k, y));
}

describe('C&W', () => {
  const bounds = [-0.9, 1] as const;
  /** One of them at its bounds. */
  const images = [samples[0], [1, 0.25, -0.9, 0.4]];

  function searched(x0: readonly number[], norm: Norm, plan: PlanOfAttack<'cw'>): number[][] {
    const looks: number[][] = [];
    const [low, high] = bounds;
    const half = (high - low) / 2;
    let start = x0.map((value) => Math.atanh(0.999999 * ((value - low) / half - 1)));
    let [c, least, most, tau] = [plan.constant, 0, 1e10, high - low];
    for (let search = 0; search < plan.searches; search++) {
      let w = start;
      let [m, v] = [x0.map(() => 0), x0.map(() => 0)];
      let nearest = Infinity;
      for (let step = 1; step <= plan.steps; step++) {
        const x = w.map((value) => low + half * (1 + Math.tanh(value)));
        looks.push(x);
        const z = logitsOf(x);
        const other = z[1]! >= z[2]! ? 1 : 2;
        const loss = z[other]! - z[0]!;
        const offset = x.map((value, i) => value - x0[i]!);
        if (loss > 0 && loss >= plan.confidence && lengthOf(norm, offset) < nearest) {
          nearest = lengthOf(norm, offset);
          if (norm === 'linf') start = w;
        }
        const slopes = slopeTo(other, 0).map((g, i) => {
          const beyond = Math.abs(offset[i]!) > tau ? Math.sign(offset[i]!) : 0;
          const ofDistance = norm === 'l2' ? 2 * offset[i]! : beyond;
          return ((ofDistance - (loss < plan.confidence ? c * g : 0)) * half) / Math.cosh(w[i]!) ** 2;
        });
        m = m.map((value, i) => 0.9 * value + 0.1 * slopes[i]!);
        v = v.map((value, i) => 0.999 * value + 0.001 * slopes[i]! * slopes[i]!);
        const [share, shareOfSquares] = [1 - 0.9 ** step, 1 - 0.999 ** step];
        w = w.map(
          (value, i) => value - (plan.learningRate * (m[i]! / share)) / (Math.sqrt(v[i]! / shareOfSquares) + 1e-8),
        );
      }
      const hasFooled = nearest < Infinity;
      if (norm === 'linf' && hasFooled) tau = 0.9 * Math.min(tau, nearest);
      else if (norm === 'linf') c = Math.min(1e10, 10 * c);
      else {
        if (hasFooled) most = Math.min(most, c);
        else least = Math.max(least, c);
        c = most < 1e10 ? (least + most) / 2 : Math.min(1e10, 10 * c);
      }
    }
    return looks;
  }

  it.each([
    ['l2', { constant: 0.05, confidence: 0 }],
    ['l2', { constant: 5, confidence: 0.3 }],
    ['linf', { constant: 1e-9, confidence: 0 }],
    ['linf', { constant: 2, confidence: 0.2 }],
  ] as const)('under %s, %o, goes as the paper has it, search after search', (norm, given) => {
    const plan = attackPlan('cw', { norm, searches: 6, steps: 8, learningRate: 0.15, ...given });
    withLinearTrial(
      ({ trial, looks }) => {
        expect(runThrough(cw(trial, plan, 0), trial)).toBe(1 + 6 * 8);
        const ways = images.map((x0) => searched(x0, norm, plan));
        expectLooks(looks, together(ways), 4);
        expect([...trial.distances]).toEqual(ways.map((way, row) => nearestOf(norm, images[row]!, way)));
      },
      { bounds, images },
    );
  });
});

describe('FAB', () => {
  const wide = { bounds: [-0.2, 1.1], images: samples } as const;
  /** In which the first falls, and the second one's nearest boundary is out of reach. */
  const narrow = {
    bounds: [0, 0.3],
    images: [
      [0.02, 0.2, 0.2, 0.05],
      [0.3, 0.1, 0.1, 0.3],
    ],
  } as const;

  function boundarySteps(
    x0: readonly number[],
    {
      norm,
      plan,
      target,
      bounds,
    }: {
      norm: Norm;
      plan: PlanOfAttack<'fab' | 'fab-t'>;
      target: number | null;
      bounds: readonly [number, number];
    },
  ): { slopesAt: number[][]; looks: number[][] } {
    const [slopesAt, looks]: [number[][], number[][]] = [[], []];
    let x = [...x0];
    for (let step = 0; step < plan.steps; step++) {
      slopesAt.push(x);
      const z = logitsOf(x);
      const k = target ?? (farTo(1, norm, x, 0) <= farTo(2, norm, x, 0) ? 1 : 2);
      const w = slopeTo(k, 0);
      const plane = { w: Float32Array.from(w), b: z[k]! - z[0]! - dot(w, x), norm, bounds };
      const [own, home] = [onHyperplane(Float32Array.from(x), plane), onHyperplane(Float32Array.from(x0), plane)];
      const alpha = Math.min(plan.alphaMax, own.length / (own.length + home.length));
      const next = x.map((value, i) => {
        const mixed = (1 - alpha) * (value + plan.eta * own.offset[i]!) + alpha * (x0[i]! + plan.eta * home.offset[i]!);
        return Math.min(bounds[1], Math.max(bounds[0], mixed));
      });
      looks.push(next);
      const found = logitsOf(next);
      const isFooled = Math.max(found[1]!, found[2]!) > found[0]!;
      x = isFooled ? next.map((value, i) => x0[i]! + plan.beta * (value - x0[i]!)) : next;
    }
    return { slopesAt, looks };
  }

  it.each(norms.flatMap((norm) => [[norm, wide] as const, [norm, narrow] as const]))(
    'under %s, %o: takes the nearest boundary, and each image its own way',
    (norm, { bounds, images }) => {
      const plan = attackPlan('fab', { norm, steps: 6, alphaMax: 0.12, eta: 1.1, beta: 0.8 });
      withLinearTrial(
        ({ trial, looks }) => {
          expect(runThrough(fab(trial, plan, 0), trial)).toBe(1 + 6);
          const ways = images.map((x0) => boundarySteps(x0, { norm, plan, target: null, bounds }));
          const slopes = together(ways.map(({ slopesAt }) => slopesAt));
          const nexts = together(ways.map((way) => way.looks));
          // A look for each class, then one at where it went.
          const expected = nexts.flatMap((next, step) => [slopes[step]!, slopes[step]!, slopes[step]!, next]);
          expectLooks(looks, expected);
          expect([...trial.distances]).toEqual(ways.map((way, row) => nearestOf(norm, images[row]!, way.looks)));
        },
        { bounds, images },
      );
    },
  );

  it.each(norms)('under %s by targets: the restarts of one after the other, and none beyond the last class', (norm) => {
    const plan = attackPlan('fab-t', { norm, steps: 3, restarts: 2, targets: 2, epsilon: 0.06 });
    // Of both images class 2 comes next.
    for (const [run, target] of [
      [0, 2],
      [2, 1],
    ] as const) {
      withLinearTrial(({ trial, looks }) => {
        expect(runThrough(fabT(trial, plan, run), trial)).toBe(1 + 3);
        const ways = samples.map((x0) => boundarySteps(x0, { norm, plan, target, bounds: wide.bounds }));
        const slopes = together(ways.map(({ slopesAt }) => slopesAt));
        const nexts = together(ways.map((way) => way.looks));
        // The first is at the clean images, to rank their classes.
        const expected = nexts.flatMap((next, step) => [slopes[step]!, next]);
        expectLooks(looks.slice(1), expected);
      }, wide);
    }
    withLinearTrial(({ trial, looks }) => {
      expect(fabT(trial, plan, 4).next().done).toBe(true);
      expect(looks).toEqual([]);
    });
  });

  it.each(norms)('under %s a restart begins half of the distance so far away, at most ε/2, by its own draw', (norm) => {
    const plan = attackPlan('fab-t', { norm, steps: 1, restarts: 2, targets: 2, epsilon: 0.06 });
    withLinearTrial(
      ({ trial, looks }) => {
        trial.distances[1] = 0.02;
        fabT(trial, plan, 3).next();
        const attack = fabT(trial, plan, 3);
        attack.next();
        attack.next();
        const drawn = drawnBy(trial, (of) => (norm === 'linf' ? of.uniform(0, -1, 1) : of.normal(0)));
        const start = samples.flatMap((x0, row) => {
          const way = drawn.slice(4 * row, 4 * row + 4);
          const radius = row === 1 ? 0.01 : 0.03;
          return x0.map((value, i) => value + (radius * way[i]!) / lengthOf(norm, way));
        });
        expectLooks([looks[2]!], [start], 6);
      },
      { bounds: null },
    );
  });

  it('attacks no image that was fooled within what is looked for', () => {
    withLinearTrial(({ trial }) => {
      trial.goal = 0.25;
      trial.distances[0] = 0.25;
      fab(trial, attackPlan('fab', { norm: 'l2' }), 0).next();
      expect([...trial.rows]).toEqual([1]);
    });
  });
});

describe('DeepFool', () => {
  it.each(norms)(
    'under %s: onto the nearest boundary of the likeliest classes and beyond; who falls is done',
    (norm) => {
      const images = [samples[0], [0.2, 0.9, 0.6, 0.1]];
      expect(images.map((image) => classOf(image))).toEqual([0, 1]);
      // By the number of candidates where each image goes.
      for (const [candidates, classes] of [
        [2, [2, 0]],
        [3, [1, 0]],
      ] as const) {
        withLinearTrial(
          ({ trial, fooled }) => {
            const plan = attackPlan('deepfool', { norm, steps: 4, candidates, overshoot: 0.05 });
            expect(runThrough(deepFool(trial, plan, 0), trial)).toBe(2);
            expect(fooled.map(({ row }) => row)).toEqual([0, 1]);
            fooled.forEach(({ row, image }) => {
              const [x0, k, y] = [images[row]!, classes[row]!, row];
              const way = unitStep(norm, slopeTo(k, y));
              const far = 1.05 * farTo(k, norm, x0, y);
              image.forEach((value, i) => expect(value).toBeCloseTo(x0[i]! + far * way[i]!, 5));
            });
          },
          { bounds: null, images },
        );
      }
    },
  );

  it('takes every step that it may where nothing falls, and none where all gradients are 0', () => {
    const plan = attackPlan('deepfool', { norm: 'l2', steps: 4 });
    withLinearTrial(({ trial }) => expect(runThrough(deepFool(trial, plan, 0), trial)).toBe(1 + 4), {
      bounds: [0.499, 0.501],
      images: [[0.501, 0.499, 0.499, 0.501]],
    });
    withLinearTrial(
      ({ trial, looks }) => {
        runThrough(deepFool(trial, plan, 0), trial);
        const unmoved = Array.from({ length: looks.length }, () => samples.flat());
        expectLooks(looks, unmoved);
      },
      { isFlat: true },
    );
  });
});

describe('NES', () => {
  it.each(norms)('under %s goes along the estimate from antithetic pairs', (norm) => {
    const plan = attackPlan('nes', { norm, epsilon: 0.05, steps: 3, stepSize: 0.03, directions: 4, sigma: 0.02 });
    withLinearTrial(
      ({ trial, looks }) => {
        let xs: number[][] = samples.map((x0) => [...x0]);
        const expected: number[][] = [];
        for (let step = 0; step < 3; step++) {
          const sums = samples.map(() => [0, 0, 0, 0]);
          for (let pair = 0; pair < 4; pair++) {
            const u = drawnBy(trial, (of) => of.normal(pair, 1 + step));
            const at = (way: number) => xs.map((x, row) => x.map((value, i) => value + way * 0.02 * u[4 * row + i]!));
            const [plus, minus] = [at(1), at(-1)];
            expected.push(plus.flat(), minus.flat());
            const marginOf = (x: readonly number[]) => Math.max(...logitsOf(x).slice(1)) - logitsOf(x)[0]!;
            sums.forEach((sum, row) => {
              const rise = (marginOf(plus[row]!) - marginOf(minus[row]!)) / (2 * 4 * 0.02);
              sum.forEach((_, i) => (sum[i]! += rise * u[4 * row + i]!));
            });
          }
          xs = xs.map((x, row) => {
            const way = unitStep(norm, sums[row]!);
            const offset = x.map((value, i) => value + 0.03 * way[i]! - samples[row]![i]!);
            const scale = norm === 'l2' ? Math.min(1, 0.05 / Math.hypot(...offset)) : 1;
            return offset.map((value, i) => samples[row]![i]! + Math.max(-0.05, Math.min(0.05, value * scale)));
          });
          expected.push(xs.flat());
        }
        expect(runThrough(nes(trial, plan, 0), trial)).toBe(1 + 3);
        expectLooks(looks, expected);
      },
      { bounds: null },
    );
  });

  it('with late growth takes 1, 10 and 200 times as many pairs, from a fifth and two fifths of the steps on', () => {
    const plan = attackPlan('nes', { epsilon: 0.001, steps: 10, directions: 1, growth: 'late' });
    withLinearTrial(({ trial, looks }) => {
      const attack = nes(trial, plan, 0);
      const counts: number[] = [];
      while (!attack.next().done) counts.push(looks.length);
      expect(counts).toEqual([0, 3, 6, 27, 48, 449, 850, 1251, 1652, 2053, 2454]);
    });
  });
});

describe('APGD', () => {
  it.each(norms)('under %s begins ε away as drawn, within the bounds, and yields after that and each step', (norm) => {
    const plan = { norm, epsilon: 0.05, steps: 3, expectation: 1 };
    for (const bounds of [null, [0.1, 0.9]] as const) {
      withLinearTrial(
        ({ trial, looks }) => {
          const drawn = drawnBy(trial, (of) => (norm === 'linf' ? of.uniform(0, -1, 1) : of.normal(0)));
          const attack = autoPgd(trial, plan, () => crossEntropy(trial.labels));
          expect(runThrough(attack, trial)).toBe(1 + 3);
          const [low, high] = bounds ?? [-Infinity, Infinity];
          const start = samples.flatMap((x0, row) => {
            const way = drawn.slice(4 * row, 4 * row + 4);
            return x0.map((value, i) => Math.min(high, Math.max(low, value + (0.05 * way[i]!) / lengthOf(norm, way))));
          });
          expectLooks([looks[0]!], [start], 6);
        },
        { bounds },
      );
    }
  });

  it('does not halve its steps at the first check for want of a better loss than the start’s', () => {
    withLinearTrial(({ trial }) => {
      // From 9 down to 1, then up step by step: of the first 8 steps 7 rise.
      let nLooks = 0;
      const rising: Loss = (logits) => {
        const loss = nLooks++ === 0 ? 9 : nLooks / 2;
        return tf.customGrad((z) => ({
          value: tf.fill<tf.Rank.R1>([2], loss),
          gradFunc: () => tf.zerosLike(z as tf.Tensor),
        }))(logits);
      };
      const etas: number[] = [];
      const onStep = ({ eta }: { eta: Float32Array }) => etas.push(eta[0]!);
      const plan = { norm: 'linf', epsilon: 0.5, steps: 40, expectation: 1 } as const;
      const attack = autoPgd(trial, plan, () => rising, { start: Float32Array.from(samples.flat()), onStep });
      runThrough(attack, trial);
      expect([...checkpointsOf(40)].slice(0, 2)).toEqual([8, 15]);
      expect(etas.slice(0, 15)).toEqual(new Array(15).fill(1));
    });
  });

  it('takes out at once whom its start fools', () => {
    withLinearTrial(({ trial }) => {
      const start = Float32Array.from([0, 0.5, 0.5, 0, ...samples[1]!]);
      const watch = { start, onStep: () => undefined };
      const plan = { norm: 'linf', epsilon: 0.5, steps: 3, expectation: 1 } as const;
      autoPgd(trial, plan, () => crossEntropy(trial.labels), watch).next();
      expect([...trial.rows]).toEqual([1]);
    });
  });

  it('has no target beyond the last class', () => {
    withLinearTrial(({ trial, looks }) => {
      const plan = attackPlan('apgd-t', { targets: 3 });
      expect(apgdT(trial, plan, 2).next().done).toBe(true);
      expect(looks).toEqual([]);
    });
  });
});

describe('the way onto a hyperplane', () => {
  const go = (norm: Norm, x: number[], w: number[], b: number, bounds: readonly [number, number] | null) => {
    const { offset, length } = onHyperplane(Float32Array.from(x), { w: Float32Array.from(w), b, norm, bounds });
    return [...offset, length];
  };

  it('without bounds is the projection, whatever the weights’ size', () => {
    // 3·1 + 4·1 + 8 = 15, over 25 under L2 and over 7 under L∞
    const expected = { l2: [-1.8, -2.4, 3], linf: [-15 / 7, -15 / 7, 15 / 7] };
    for (const norm of norms)
      go(norm, [1, 1], [3, 4], 8, null).forEach((value, i) => expect(value).toBeCloseTo(expected[norm][i]!, 5));
  });

  it('keeps to bounds on both sides, and moves a coordinate of weight 1', () => {
    // <w, x> + b is b. Each moves by 1, which takes 3; then the first alone, down from 1 to −2 at most.
    expect(go('linf', [1, 0.5], [1, -2], 4, [-2, 1.5])).toEqual([-2, 1, 2]);
    expect(go('linf', [1, 0.5], [1, -2], 6, [-2, 1.5])).toEqual([-3, 1, 3]);
  });
});
