import { describe, expect, it } from 'vitest';
import { kernelKaf } from '../../server/tensor/reference/kernelKaf.ts';
import { dictionaryElements, fitRidge, fitRidge2d } from '../../server/formula/ridge.ts';
import { kaf2d } from '../../server/tensor/reference/kaf2d.ts';
import { startTargets } from '../../server/formula/startTargets.ts';

const size = 20;
const boundary = 3;
const spacing = (2 * boundary) / (size - 1);
const dictionary = { size, boundary, gamma: 1 / (6 * spacing * spacing) };

/** The fitted function, in float64. */
function evaluate(alpha: Float64Array, x: number): number {
  const elements = dictionaryElements(dictionary);
  return alpha.reduce((sum, a, i) => sum + a * Math.exp(-dictionary.gamma * (x - elements[i]!) ** 2), 0);
}

describe('fitRidge', () => {
  // Bounds of the reference (section B: maximum error on [−3, 3] and largest |α| at D = 20, γ = 1/6Δ², ε = 1e-6), which gives
  // two digits: hence up to half of the last one more.
  it.each([
    ['relu', 0.05, 0.0005, 72],
    ['elu', 0.0134, 0.00005, 42],
    ['swish', 0.0115, 0.00005, 40],
  ] as const)('fits %s within %f on [−3, 3]', (name, maxError, rounding, maxAlpha) => {
    const target = startTargets[name].at;
    const alpha = fitRidge(dictionary, target, 1e-6);
    let worst = 0;
    for (let i = 0; i <= 60_000; i++) {
      const x = -3 + i / 10_000;
      worst = Math.max(worst, Math.abs(evaluate(alpha, x) - target(x)));
    }
    expect(worst).toBeLessThanOrEqual(maxError + rounding);
    expect(worst).toBeGreaterThanOrEqual(maxError - rounding);
    expect(Math.round(Math.max(...alpha.map(Math.abs)))).toBe(maxAlpha);
  });

  it.each([
    // Largest error on [−3, 3], and largest |α|, as a direct solution in NumPy has them.
    ['gaussian', 'identity', 0.0115, 47.8],
    ['gaussian', 'tanh', 0.0029, 12.6],
    ['rational-quadratic', 'swish', 0.046, 3.6],
    ['softplus', 'swish', 0.0005, 1.3],
    ['relu', 'relu', 0.0545, 0.6],
    ['softplus', 'relu', 0.1143, 17.7],
  ] as const)('fits kernels %s to %s within %f', (kernel, name, maxError, maxAlpha) => {
    const alpha = fitRidge({ ...dictionary, kernels: [kernel] }, startTargets[name].at, 1e-6);
    const x = Float64Array.from({ length: 6001 }, (_, i) => -3 + i / 1000);
    const options = { channels: 1, kernels: [kernel], dictionary: size, boundary, gamma: dictionary.gamma } as const;
    const y = kernelKaf(x, alpha, { ...options, base: 'none' });
    const worst = y.reduce((most, value, i) => Math.max(most, Math.abs(value - startTargets[name].at(x[i]!))), 0);
    expect(worst).toBeCloseTo(maxError, 4);
    expect(Math.max(...alpha.map(Math.abs))).toBeCloseTo(maxAlpha, 0);
  });

  it('fits the mean of several kernels', () => {
    const kernels = ['gaussian', 'softplus'] as const;
    const alpha = fitRidge({ ...dictionary, kernels }, startTargets.elu.at, 1e-6);
    const x = Float64Array.from({ length: 601 }, (_, i) => -3 + i / 100);
    const halves = [...alpha, ...alpha].map((value) => value / 2);
    const options = { channels: 1, kernels, dictionary: size, boundary, gamma: dictionary.gamma } as const;
    kernelKaf(x, halves, { ...options, base: 'none' }).forEach((value, i) => {
      expect(Math.abs(value - startTargets.elu.at(x[i]!))).toBeLessThan(0.0054);
    });
  });

  it('solves (K + εI)α = t', () => {
    const alpha = fitRidge(dictionary, startTargets.elu.at, 1e-6);
    const elements = dictionaryElements(dictionary);
    for (const [i, d] of elements.entries()) {
      // cond(K) is 3.7e5, so that float64 leaves about 1e-10.
      expect(evaluate(alpha, d) + 1e-6 * alpha[i]!).toBeCloseTo(startTargets.elu.at(d), 9);
    }
  });

  it('leaves nothing to fit where the target is zero', () => {
    expect([...fitRidge(dictionary, () => 0, 1e-6)]).toEqual(Array(size).fill(0));
  });

  it('aims at the functions by their names', () => {
    const at = (x: number) => [startTargets.relu.at(x), startTargets.elu.at(x), startTargets.swish.at(x)];
    // e⁻¹ − 1, and ±1/(1 + e^∓1).
    [-1, 0, 1].forEach((x, index) => {
      const expected = [
        [0, -0.6321205588, -0.2689414214],
        [0, 0, 0],
        [1, 1, 0.7310585786],
      ][index]!;
      at(x).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 9));
    });
  });

  it('says what to change where the kernel matrix is singular', () => {
    // All ones: what is left of the second row is 0 to the bit.
    expect(() => fitRidge({ size: 2, boundary: 3, gamma: 0 }, startTargets.relu.at, 0)).toThrow(RangeError);
    expect(() => fitRidge({ size: 64, boundary: 3, gamma: 0.01 }, startTargets.relu.at, 0)).toThrow(
      'take a larger epsilon or gamma',
    );
  });
});

describe('fitRidge2d', () => {
  const side = 10;
  const pairs = { size: side, boundary, gamma: 1 / (4 * (6 / 9) ** 2) };

  it.each([
    // Largest error on [−2.5, 2.5]², and largest |α|, as a direct solution with the whole matrix in NumPy has them.
    ['relu', 0.05177, 300.724],
    ['elu', 0.04494, 15.69],
    ['swish', 0.04549, 11.3],
    ['tanh', 0.00839, 4.412],
    ['identity', 0.04476, 11.436],
  ] as const)('fits %s of (u + v)/√2 within %f', (name, maxError, maxAlpha) => {
    const target = startTargets[name].at;
    const alpha = fitRidge2d(pairs, target, 1e-4);
    const axis = Float64Array.from({ length: 251 }, (_, i) => -2.5 + i / 50);
    const x = Float64Array.from({ length: 2 * 251 ** 2 }, (_, at) =>
      at % 2 === 0 ? axis[Math.floor(at / 502)]! : axis[((at - 1) / 2) % 251]!,
    );
    const y = kaf2d(x, alpha, { channels: 1, side, boundary, gamma: pairs.gamma });
    const error = (value: number, n: number) => Math.abs(value - target((x[2 * n]! + x[2 * n + 1]!) / Math.SQRT2));
    const worst = y.reduce((most, value, n) => Math.max(most, error(value, n)), 0);
    expect(worst).toBeCloseTo(maxError, 4);
    expect(Math.max(...alpha.map(Math.abs))).toBeCloseTo(maxAlpha, 2);
  });

  it('names what is singular', () => {
    expect(() => fitRidge2d({ size: 12, boundary: 3, gamma: 0.01 }, startTargets.elu.at, 0)).toThrow('singular');
  });
});
