// Quantiles, and the stretch of y that is left when a few values that lie far out don't decide it.
import type { YScale } from '../charts/curve.ts';
import type { Range } from './decimate.ts';

/** Between two values on a straight line (Hyndman and Fan 1996, type 7). NaN of none. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const value = sorted[below];
  if (value === undefined) return Number.NaN;
  return value + (place - below) * ((sorted[below + 1] ?? value) - value);
}

interface Seen {
  /** The part of x; null for all. */
  readonly range: Range | null;
  readonly scale: YScale;
}

/** Ranges without outliers, each found once for the curves of a card: the pointer moves more often than they change. */
export class OuterRanges {
  private readonly known = new WeakMap<object, Seen & { readonly found: Range | null }>();

  of(curves: Parameters<typeof withoutOutliers>[0], { range, scale }: Seen): Range | null {
    const before = this.known.get(curves);
    if (before && before.range === range && before.scale === scale) return before.found;
    const found = withoutOutliers(curves, { range, scale });
    this.known.set(curves, { range, scale, found });
    return found;
  }
}

/** The range of y that all but the outermost twentieth of what is drawn lie in, with air; null where there is nothing. */
export function withoutOutliers(
  curves: readonly { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> }[],
  { range, scale }: Seen,
): Range | null {
  const isLog = scale === 'log';
  const values = curves
    .flatMap(({ x, y }) =>
      Array.from(y).filter(
        (value, index) =>
          Number.isFinite(value) &&
          (!isLog || value > 0) &&
          (!range || (x[index]! >= range.from && x[index]! <= range.to)),
      ),
    )
    .map((value) => (isLog ? Math.log(value) : value))
    .sort((a, b) => a - b);
  if (values.length === 0) return null;
  const [low, high] = [quantile(values, 0.025), quantile(values, 0.975)];
  const air = (high - low) * 0.08 || (isLog ? 0.5 : Math.abs(high) * 0.1 || 1);
  const [from, to] = [low - air, high + air];
  return isLog ? { from: Math.exp(from), to: Math.exp(to) } : { from, to };
}
