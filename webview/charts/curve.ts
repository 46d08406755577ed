// What a chart is asked to draw, and the numbers it needs before it can: kept points and the range of y. Pure.
import { decimate, type DecimatedCurve, type Range } from '../curves/decimate.ts';

export interface Curve {
  readonly name: string;
  /** Ascending. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Any CSS colour. */
  readonly color: string;
  readonly width?: number;
  readonly opacity?: number;
  readonly isDashed?: boolean;
  /** A dot at every point kept. */
  readonly hasDots?: boolean;
  /** No line, for dots alone. */
  readonly hasNoLine?: boolean;
  /** Bounds of an interval, drawn as a band; as long as `x`. */
  readonly band?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
  /** Another curve marks the same values that are not finite. */
  readonly hasNoMarks?: boolean;
}

export interface PreparedCurve {
  readonly curve: Curve;
  readonly points: DecimatedCurve;
  readonly band: { readonly low: DecimatedCurve; readonly high: DecimatedCurve } | null;
}

/** Each name once; none where there is but one. What lies faint beneath another goes without. */
export function legendOf(curves: readonly Curve[]): { readonly name: string; readonly color: string }[] {
  const told = curves.filter(({ name, opacity = 1 }) => name !== '' && opacity === 1);
  const colors = new Map(told.map(({ name, color }) => [name, color]));
  return colors.size > 1 ? [...colors].map(([name, color]) => ({ name, color })) : [];
}

export type YScale = 'linear' | 'log';

/** Points that all curves of a chart share, so that hundreds of them stay within a frame. */
const pointBudget = 48_000;

export function prepareCurves(
  curves: readonly Curve[],
  options: { range: Range | null; widthPx: number },
): PreparedCurve[] {
  const most = Math.max(48, Math.floor(pointBudget / 2 / Math.max(1, curves.length)));
  const buckets = Math.max(16, Math.min(Math.round(options.widthPx), most));
  return curves.map((curve) => ({
    curve,
    points: decimate(curve.x, curve.y, { range: options.range, buckets }),
    band: curve.band
      ? {
          low: decimate(curve.x, curve.band.low, { range: options.range, buckets }),
          high: decimate(curve.x, curve.band.high, { range: options.range, buckets }),
        }
      : null,
  }));
}

/** First to last x of all; null without points. */
export function extentOf(curves: readonly Curve[]): Range | null {
  let from = Infinity;
  let to = -Infinity;
  for (const { x } of curves) {
    if (x.length === 0) continue;
    from = Math.min(from, x[0]!);
    to = Math.max(to, x[x.length - 1]!);
  }
  return from <= to ? { from, to } : null;
}

/**
 * A slightly wider range with ends on round values, so that axes stand still while a live curve grows; `from` says whether the
 * lower end may move.
 */
export function snapOutwards(range: Range, scale: YScale, options: { from: boolean }): Range {
  if (scale === 'log') {
    const snap = (value: number, round: (x: number) => number): number => 10 ** (round(Math.log10(value) * 20) / 20);
    return { from: options.from ? snap(range.from, Math.floor) : range.from, to: snap(range.to, Math.ceil) };
  }
  const span = range.to - range.from;
  if (!(span > 0)) return range;
  const step = 10 ** Math.floor(Math.log10(span)) / 20;
  return {
    from: options.from ? Math.floor(range.from / step) * step : range.from,
    to: Math.ceil(range.to / step) * step,
  };
}

/** Range of y over what is kept, with air; on a log scale over the positive values. */
export function yRange(prepared: readonly PreparedCurve[], scale: YScale): Range {
  let low = Infinity;
  let high = -Infinity;
  const take = (values: Float64Array): void => {
    for (const value of values) {
      if (!(scale === 'log' ? value > 0 : Number.isFinite(value))) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  };
  for (const { points, band } of prepared) {
    take(points.y);
    if (band) {
      take(band.low.y);
      take(band.high.y);
    }
  }
  if (!(low <= high)) return scale === 'log' ? { from: 0.1, to: 10 } : { from: 0, to: 1 };
  if (scale === 'log') return low === high ? { from: low / 2, to: high * 2 } : { from: low / 1.15, to: high * 1.15 };
  const air = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  return { from: low >= 0 && low - air < 0 ? 0 : low - air, to: high + air };
}
