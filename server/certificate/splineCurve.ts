// A spline as a curve: on every span a cubic, whose values and slopes on an interval are known exactly; straight beyond the spans.
import type { SplinePlan } from '../protocol/plan.ts';
import type { Curve } from './curve.ts';
import { hull, point, type Interval } from './interval.ts';

/** What the control points before and behind weigh, by power of u in [0, 1], the place in the span (server/tensor/reference/spline.ts). */
const bases = {
  'catmull-rom': [
    [0, -0.5, 1, -0.5],
    [1, 0, -2.5, 1.5],
    [0, 0.5, 2, -1.5],
    [0, 0, -0.5, 0.5],
  ],
  'b-spline': [
    [1 / 6, -0.5, 0.5, -1 / 6],
    [4 / 6, 0, -1, 0.5],
    [1 / 6, 0.5, 0.5, -0.5],
    [0, 0, 0, 1 / 6],
  ],
} as const;

export function splineCurve(points: Float32Array, { boundary, basis }: SplinePlan): Curve {
  const nPoints = points.length;
  const spacing = (2 * boundary) / (nPoints - 1);
  const [lowest, highest] = [-boundary + spacing, boundary - spacing];
  /** c₀ … c₃ of span 1, 2, …, which begins at −boundary + span·spacing. */
  const cubics = Array.from({ length: nPoints - 3 }, (_, index) =>
    [0, 1, 2, 3].map((power) => bases[basis].reduce((sum, row, k) => sum + row[power]! * points[index + k]!, 0)),
  );
  const spansOn = (on: Interval) => {
    const place = (x: number) => (Math.min(Math.max(x, lowest), highest) - lowest) / spacing;
    const [from, to] = [place(on.low), place(on.high)];
    const first = Math.min(Math.floor(from), cubics.length - 1);
    const last = Math.min(Math.floor(to), cubics.length - 1);
    return cubics.slice(first, last + 1).map((cubic, index) => ({
      cubic,
      low: Math.max(0, from - first - index),
      high: Math.min(1, to - first - index),
    }));
  };
  return {
    value: (on) =>
      spansOn(on)
        .map(({ cubic, low, high }) => polynomialOn(cubic, low, high))
        .reduce(hull),
    slope: (on) => {
      const beyond = on.low < lowest || on.high > highest ? [point(0)] : [];
      const within = spansOn(on).map(({ cubic: [, b, c, d], low, high }) => {
        const slope = polynomialOn([b!, 2 * c!, 3 * d!, 0], low, high);
        return { low: slope.low / spacing, high: slope.high / spacing };
      });
      return [...within, ...beyond].reduce(hull);
    },
  };
}

/** Of a + bu + cu² + du³: its ends and where b + 2cu + 3du² is 0. */
function polynomialOn([a, b, c, d]: readonly number[], low: number, high: number): Interval {
  const at = (u: number) => a! + u * (b! + u * (c! + u * d!));
  const root = Math.sqrt(Math.max(0, c! * c! - 3 * b! * d!));
  const places = d === 0 ? [-b! / (2 * c!)] : [(-c! + root) / (3 * d!), (-c! - root) / (3 * d!)];
  const values = [at(low), at(high), ...places.filter((u) => u > low && u < high).map(at)];
  return { low: Math.min(...values), high: Math.max(...values) };
}
