// Curves of several runs made one with a band: at the x that all of them have.

import { quantile } from '../curves/quantiles.ts';

export type BandKind = 'std' | 'quantile';

export interface PlainCurve {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

export interface GroupCurve {
  readonly x: number[];
  readonly middle: number[];
  readonly low: number[];
  readonly high: number[];
}

/**
 * Mean ± one standard deviation of a sample, or median with the quartiles. Of values at one x that are not finite none counts; where none is
 * finite, the middle is NaN.
 */
export function groupCurve(curves: readonly PlainCurve[], kind: BandKind): GroupCurve {
  const result: GroupCurve = { x: [], middle: [], low: [], high: [] };
  const byX = new Map<number, number[]>();
  for (const { x, y } of curves) {
    const seen = new Set<number>();
    for (let index = 0; index < x.length; index++) {
      const at = x[index]!;
      if (seen.has(at)) continue;
      seen.add(at);
      const values = byX.get(at);
      if (values) values.push(y[index]!);
      else byX.set(at, [y[index]!]);
    }
  }
  for (const [x, values] of [...byX].sort(([a], [b]) => a - b)) {
    if (values.length < curves.length) continue;
    const finite = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
    const [low, middle, high] = kind === 'std' ? meanBand(finite) : quartiles(finite);
    result.x.push(x);
    result.middle.push(middle);
    result.low.push(low);
    result.high.push(high);
  }
  return result;
}

function meanBand(values: readonly number[]): [number, number, number] {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const std = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
  return [mean - std, mean, mean + std];
}

function quartiles(sorted: readonly number[]): [number, number, number] {
  return [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)];
}
