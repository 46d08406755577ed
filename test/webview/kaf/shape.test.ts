import { describe, expect, test } from 'vitest';
import { gridAt, gridFor } from '../../../server/formula/shape.ts';
import { kernelKaf, kernelKafGradients } from '../../../server/tensor/reference/kernelKaf.ts';
import { spline as splineReference, splineGradients } from '../../../server/tensor/reference/spline.ts';
import {
  dotsOf,
  gridOfChannel,
  layerOfChannel,
  lipschitzEstimate,
  rowOf,
  shapeDistance,
} from '../../../webview/kaf/shape.ts';

const dictionary = [-1, 0, 1];
const gamma = 0.5;
const alpha = Float32Array.of(0.5, -0.25, 1, 0, 0, 0);
const swish = (x: number): number => x / (1 + Math.exp(-x));

/** f written out, without a grid. */
function direct(x: number, base: 'none' | 'swish'): number {
  const kernels = dictionary.reduce(
    (sum, centre, index) => sum + alpha[index]! * Math.exp(-gamma * (x - centre) ** 2),
    0,
  );
  return kernels + (base === 'swish' ? swish(x) : 0);
}

describe.each(['none', 'swish'] as const)('a KAF with base %s', (base) => {
  const x = Float64Array.of(-12, -3, -0.7, 0, 0.4, 2.5, 12);
  const layer = { dictionary, gamma, base };
  const grid = gridAt(layer, x);

  test('has the values of its equation', () => {
    // The same sum in another order: a few units in the last place of values near 10.
    grid.values(rowOf(layer, alpha, 0)).forEach((value, index) => {
      expect(value).toBeCloseTo(direct(x[index]!, base), 12);
    });
  });

  test('has its derivative', () => {
    const h = 1e-6; // central difference: error h² · |f‴| ≈ 1e-12, rounding ≈ 1e-10
    grid.slopes(rowOf(layer, alpha, 0)).forEach((slope, index) => {
      expect(slope).toBeCloseTo((direct(x[index]! + h, base) - direct(x[index]! - h, base)) / (2 * h), 7);
    });
  });

  test('is its base where α is zero', () => {
    grid.values(rowOf(layer, alpha, 1)).forEach((value, index) => {
      expect(value).toBe(base === 'swish' ? swish(x[index]!) : 0);
    });
  });
});

describe('a KAF of several kernels', () => {
  const layer = { dictionary, gamma, base: 'swish', kernelNames: ['relu', 'gaussian'] } as const;
  const x = Float64Array.of(-12, -0.7, 0.4, 2.5, 12);
  const rows = Float32Array.of(...[9, 9, 9, 9, 9, 9], ...[0.5, -0.25, 1, 2, 0, -1]);
  const row = rowOf(layer, rows, 1);
  const options = { channels: 1, kernels: layer.kernelNames, dictionary: 3, boundary: 1, gamma, base: layer.base };

  test('has the coefficients of one after those of the other, and the values and slopes of the reference', () => {
    expect([...row]).toEqual([0.5, -0.25, 1, 2, 0, -1]);
    const { dx } = kernelKafGradients(new Float64Array(5).fill(1), x, row, options);
    gridAt(layer, x)
      .values(row)
      .forEach((value, index) => {
        expect(value).toBeCloseTo(kernelKaf(x, row, options)[index]!, 12);
      });
    gridAt(layer, x)
      .slopes(row)
      .forEach((slope, index) => {
        expect(slope).toBeCloseTo(dx[index]!, 12);
      });
  });
});

describe('a KAF whose dictionary and bandwidth are trained', () => {
  const layer = { dictionary, gamma, base: 'none' } as const;
  const kernels = { dictionaries: Float32Array.of(-1, 0, 1, 3, 4, 5), gammas: Float32Array.of(0.5, 2) };
  const grid = gridFor(layer, { points: 5, margin: 1 });

  test('has those of the channel', () => {
    expect(layerOfChannel(layer, { alpha, kernels }, 1)).toEqual({ dictionary: [3, 4, 5], gamma: 2, base: 'none' });
    expect(layerOfChannel(layer, { alpha }, 1)).toBe(layer);
  });

  test('is drawn on the same inputs with kernels of its own', () => {
    const coefficients = { alpha: Float32Array.of(0, 0, 0, 0, 1, 0), kernels };
    const own = gridOfChannel(grid, layer, coefficients, 1);
    expect(own.x).toBe(grid.x);
    expect(own.values(rowOf(layer, coefficients.alpha, 1))[4]).toBeCloseTo(Math.exp(-2 * (2 - 4) ** 2), 12);
    expect(gridOfChannel(grid, layer, { alpha }, 1)).toBe(grid);
  });
});

describe.each(['catmull-rom', 'b-spline'] as const)('a %s spline', (spline) => {
  const knots = [-3, -2, -1, 0, 1, 2, 3];
  const points = Float32Array.of(...[0, 0, 0, 0, 0, 0, 0], ...[5, 1, -2, 0.5, 3, -1, 7]);
  // Both sides of a knot, an end, and far beyond.
  const x = Float64Array.of(-9, -3, -2, -1.999, -0.7, 0, 0.4, 1.999, 2.5, 9);
  const layer = { dictionary: knots, spline };
  const grid = gridAt(layer, x);
  const options = { channels: 1, boundary: 3, basis: spline };
  const exact = Float64Array.from(points.subarray(7));

  test('has the values that training has', () => {
    const values = splineReference(x, exact, options);
    // The same sum in another order.
    grid.values(rowOf(layer, points, 1)).forEach((value, index) => {
      expect(value).toBeCloseTo(values[index]!, 12);
    });
    expect([...grid.values(rowOf(layer, points, 0))]).toEqual([...x].map(() => 0));
  });

  test('has the slope that training has', () => {
    const { dx } = splineGradients(new Float64Array(x.length).fill(1), x, exact, options);
    grid.slopes(rowOf(layer, points, 1)).forEach((slope, index) => {
      expect(slope).toBeCloseTo(dx[index]!, 12);
    });
  });

  test('is the same layer in every channel', () => {
    expect(layerOfChannel(layer, { alpha: points }, 1)).toBe(layer);
    expect(gridOfChannel(grid, layer, { alpha: points }, 1)).toBe(grid);
  });
});

describe('a formula', () => {
  const layer = { formula: { formula: 'a * x + b * tanh(x)', parameters: ['a', 'b'] } };
  const parameters = Float32Array.of(1, 0, 0.5, 2);

  test('has the values and slopes of its channel', () => {
    const grid = gridAt(layer, Float64Array.of(-1, 0, 2));
    expect([...grid.values(rowOf(layer, parameters, 0))]).toEqual([-1, 0, 2]);
    expect(grid.values(rowOf(layer, parameters, 1))[2]).toBeCloseTo(1 + 2 * Math.tanh(2), 12);
    expect(grid.slopes(rowOf(layer, parameters, 1))[1]).toBeCloseTo(2.5, 12);
  });

  test('is drawn around 0, with no points at which it stands', () => {
    expect([...gridFor(layer, { points: 3, margin: 1 }).x]).toEqual([-5, 0, 5]);
    expect(dotsOf(layer, rowOf(layer, parameters, 1))).toBeNull();
    expect(layerOfChannel(layer, { alpha: parameters }, 1)).toBe(layer);
  });
});

test('the places of a dictionary are dots on the curve, in order', () => {
  const layer = { dictionary: [1, -1, 0], gamma, base: 'none' } as const;
  const dots = dotsOf(layer, Float32Array.of(1, 0, 0));
  expect([...dots!.x]).toEqual([-1, 0, 1]);
  expect(dots!.y[2]).toBe(1);
});

test('the grid spans the dictionary and its margin', () => {
  const grid = gridFor({ dictionary, gamma, base: 'none' }, { points: 5, margin: 1 });
  expect([...grid.x]).toEqual([-2, -1, 0, 1, 2]);
});

test('the Lipschitz estimate is the largest slope, and NaN is not hidden', () => {
  expect(lipschitzEstimate([0.5, -2, 1])).toBe(2);
  expect(lipschitzEstimate([0.5, Number.NaN, 1])).toBeNaN();
});

test('the distance of two constants is their difference times the root of the width', () => {
  expect(shapeDistance([0, 1, 4], [3, 3, 3], [1, 1, 1])).toBe(4);
});
