// The quantiles and radii of randomised smoothing against scipy's.
import { expect, it } from 'vitest';
import { betaQuantile, lowerBound } from '../../server/certificate/betaQuantile.ts';
import { normalQuantile } from '../../server/certificate/normalQuantile.ts';
import { readGolden } from './readGolden.ts';

/** Numbers of full precision stand as text. */
const golden = readGolden<{
  readonly bounds: readonly [count: number, total: number, alpha: number, bound: string, radius: string | null][];
  readonly quantiles: readonly [p: string, x: string][];
  readonly betas: readonly [a: number, b: number, p: number, x: string][];
}>('smoothing');

it('the lower Clopper–Pearson bound is that of scipy to 1e-10, and so is the radius', () => {
  expect(golden.bounds.length).toBeGreaterThan(100);
  for (const [count, total, alpha, bound, radius] of golden.bounds) {
    const found = lowerBound(count, total, alpha);
    expect(Math.abs(found - Number(bound)), `${String(count)} of ${String(total)}`).toBeLessThan(1e-10);
    if (radius !== null) expect(Math.abs(0.25 * normalQuantile(found) - Number(radius))).toBeLessThan(1e-9);
  }
});

it('quantiles of the beta and of the normal distribution are those of scipy to 1e-10 of themselves', () => {
  for (const [a, b, p, x] of golden.betas) expect(betaQuantile(p, a, b) / Number(x) - 1).toBeCloseTo(0, 10);
  for (const [p, x] of golden.quantiles)
    expect(Math.abs(normalQuantile(Number(p)) - Number(x))).toBeLessThan(1e-10 * Math.max(1, Math.abs(Number(x))));
});
