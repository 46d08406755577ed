// What Padé units start as.
import { describe, expect, it } from 'vitest';
import { activationFunction } from '../../server/formula/activationFunction.ts';
import { cornersOf } from '../../server/formula/analysis.ts';
import { curveOf } from '../../server/formula/evaluate.ts';
import { fitPade } from '../../server/formula/fitPade.ts';
import { startTargetNames, startTargets } from '../../server/formula/startTargets.ts';

const x = Float64Array.from({ length: 6001 }, (_, i) => -3 + i / 1000);

describe('a Padé unit starts as its target', () => {
  it.each([
    // Largest error on ±3, of the same fit in NumPy on the same points.
    ['relu', 0.038],
    ['leaky-relu', 0.0376],
    ['elu', 0.00496],
    ['swish', 1.3e-6],
    ['tanh', 3.6e-6],
    ['identity', 1e-13],
  ] as const)('%s within %f', (start, largest) => {
    const { formula, parameters } = activationFunction({ type: 'pade', start, noise: 0 });
    const at = startTargets[start].at;
    const { values } = curveOf(
      formula,
      x,
      parameters.map((parameter) => parameter.start),
    );
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - at(x[i]!))), 0);
    expect(worst).toBeLessThan(largest * 1.02);
    if (largest > 1e-12) expect(worst).toBeGreaterThan(largest * 0.8);
  });

  it.each(startTargetNames)('%s with a denominator that has no zero, so that it is smooth and b learns', (start) => {
    const { b } = fitPade(startTargets[start].at);
    expect([b[0], b[2]]).toEqual([0, 0]);
    expect(b[1]).toBeGreaterThan(0);
    expect(b[3]).toBeGreaterThan(0);
    expect(cornersOf(activationFunction({ type: 'pade', start, noise: 0 }))).toEqual([]);
  });
});
