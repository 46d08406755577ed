// Bounds of activation functions: for every one with a name, KAFs of every kernel and splines, never narrower than what dense samples
// show, and hardly wider.
import { describe, expect, it } from 'vitest';
import { activationFunction, usualActivation } from '../../server/formula/activationFunction.ts';
import { activations, type ActivationName } from '../../server/formula/activations.ts';
import { curveOf } from '../../server/formula/evaluate.ts';
import { kafKernelFormula, kafKernelNames } from '../../server/formula/kafKernels.ts';
import type { ActivationPlan, KafPlan } from '../../server/protocol/plan.ts';
import { boundCurve, rangeOf, steepest, type BoundedCurve } from '../../server/certificate/curve.ts';
import { curvesOf } from '../../server/certificate/curves.ts';
import { kaf } from '../../server/tensor/reference/kaf.ts';
import { spline } from '../../server/tensor/reference/spline.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';

const draw = (n: number, width: number, stream: number) =>
  uniformValues(n, -width, width, { seed: 11, stream, counter: 0 });

interface Case {
  readonly name: string;
  readonly bounded: () => BoundedCurve;
  readonly at: (x: Float64Array) => Float64Array;
  readonly hasJumps?: boolean;
  /** By how much its slope's bound may be too large; 1.06 where absent. */
  readonly looseness?: number | undefined;
}

const kafPlan = {
  type: 'kaf',
  dictionary: 20,
  boundary: 3,
  gamma: 1.67,
  init: { type: 'normal', std: 1 },
} as const satisfies KafPlan;
const alpha = draw(20, 2, 1);

function bounded(plan: ActivationPlan, values: Readonly<Record<string, Float32Array>> = {}): BoundedCurve {
  return boundCurve(curvesOf(plan, 1, (quantity) => values[quantity] ?? null)![0]!);
}

const formulas: Case[] = (Object.keys(activations) as ActivationName[]).map((type) => {
  const { formula, parameters } = activationFunction(usualActivation(type));
  // Not where they start: there many are plain.
  const noise = draw(parameters.length, 0.3, 2);
  const coefficients = Float32Array.from(parameters, ({ start }, index) => start + noise[index]!);
  return {
    name: type,
    bounded: () => bounded(usualActivation(type), parameters.length > 0 ? { coefficients } : {}),
    at: (x) => curveOf(formula, x, coefficients).values,
    hasJumps: type === 'step' || type === 'srelu',
    // 2·sin·cos is not known to be at most 1.
    looseness: type === 'snake' ? 1.6 : undefined,
  };
});

const kernels: Case[] = kafKernelNames.map((kernel) => ({
  name: `KAF of ${kernel}`,
  bounded: () => bounded(kernel === 'gaussian' ? kafPlan : { ...kafPlan, kernels: [kernel] }, { alpha }),
  at: (x) => {
    const { value } = { value: kafKernelFormula(kernel, 1.67) };
    const sum = new Float64Array(x.length);
    for (let i = 0; i < 20; i++) {
      const d = -3 + (6 * i) / 19;
      const values = curveOf(
        value,
        x.map((one) => one - d),
        [],
      ).values;
      values.forEach((one, n) => (sum[n]! += alpha[i]! * one));
    }
    return sum;
  },
}));

const others: Case[] = [
  {
    name: 'residual KAF',
    bounded: () => bounded({ ...kafPlan, type: 'residual-kaf' }, { alpha }),
    at: (x) =>
      kaf(x, Float64Array.from(alpha), {
        ...{ channels: 1, gamma: 1.67, base: 'swish' },
        dictionary: Float64Array.from({ length: 20 }, (_, i) => -3 + (6 * i) / 19),
      }),
  },
  {
    name: 'KAF of its own dictionary and bandwidth',
    bounded: () =>
      bounded({ ...kafPlan, type: 'kaf-free' }, { alpha, dictionary: draw(20, 4, 5), logGamma: Float32Array.of(0.7) }),
    at: (x) =>
      kaf(x, Float64Array.from(alpha), {
        ...{
          channels: 1,
          gamma: Math.exp(Math.fround(0.7)),
          base: 'none',
          dictionary: Float64Array.from(draw(20, 4, 5)),
        },
      }),
  },
  ...(['catmull-rom', 'b-spline'] as const).map((basis): Case => {
    const points = draw(9, 2, 3);
    return {
      name: basis,
      bounded: () => bounded({ type: 'spline', points: 9, boundary: 3, basis, start: 'swish', noise: 0 }, { points }),
      at: (x) => spline(x, Float64Array.from(points), { channels: 1, boundary: 3, basis }),
    };
  }),
];

const nSamples = 1000;
/** Of the rounding of float64, and of a turn's own width. */
const room = 5e-5;

describe.each([...formulas, ...kernels, ...others])('$name', ({ bounded: make, at, hasJumps, looseness }) => {
  const curve = make();
  const bound = steepest(curve);
  const rooms = draw(240, 1, 4);
  const intervals = Array.from({ length: 80 }, (_, i) => {
    const width = 10 ** (1.5 * rooms[2 * i]! - 0.5);
    const low = 9 * rooms[2 * i + 1]!;
    return { low, high: low + width };
  });

  it('is nowhere outside of its bounds, and fills them', () => {
    for (const on of intervals) {
      const x = Float64Array.from({ length: nSamples + 1 }, (_, i) => on.low + ((on.high - on.low) * i) / nSamples);
      const values = at(x);
      const [first, last] = [values[0]!, values[nSamples]!];
      const range = rangeOf(curve, on, { low: Math.min(first, last), high: Math.max(first, last) });
      const [least, most] = [Math.min(...values), Math.max(...values)];
      const size = Math.max(1, Math.abs(least), Math.abs(most));
      expect(range.low).toBeLessThanOrEqual(least + 1e-12 * size);
      expect(range.high).toBeGreaterThanOrEqual(most - 1e-12 * size);
      // Between samples it may go a little further.
      const between = (bound < Infinity ? bound : 0) * ((on.high - on.low) / nSamples);
      if (hasJumps) continue;
      expect(least - range.low).toBeLessThan(room * size + between);
      expect(range.high - most).toBeLessThan(room * size + between);
    }
  });

  it('is nowhere steeper than its bound, which is hardly more than it is', () => {
    const x = Float64Array.from({ length: 40_001 }, (_, i) => -20 + i / 1000);
    const values = at(x);
    const slopes = values.slice(1).map((value, i) => Math.abs(value - values[i]!) * 1000);
    const most = Math.max(...slopes);
    expect(bound).toBeGreaterThanOrEqual(most * (1 - 1e-9));
    if (bound < Infinity) expect(bound).toBeLessThan(most * (looseness ?? 1.06) + 1e-9);
  });
});

it('a step jumps: there is no bound of its slope', () => {
  expect(steepest(bounded(usualActivation('step')))).toBe(Infinity);
  expect(steepest(bounded(usualActivation('relu')))).toBe(1);
});
