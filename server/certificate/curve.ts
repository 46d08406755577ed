// A function of one value, as it is bounded: what it may be, and how steep, on an interval; where it turns.
import { add, everything, hull, type Interval } from './interval.ts';

/** Inclusions: never too narrow, and ever closer the shorter the interval. */
export interface Curve {
  readonly value: (on: Interval) => Interval;
  /** Null where the function may jump or have a corner that the slopes on both sides don't tell. */
  readonly slope: (on: Interval) => Interval | null;
}

/** A short piece on which it may turn or jump, and what it is there. */
interface Turn extends Interval {
  readonly values: Interval;
}

/** What is known of a curve once and for all. */
export interface BoundedCurve {
  readonly curve: Curve;
  /** Ascending. Between two of them, and beyond, the curve rises or falls all the way. */
  readonly turns: readonly Turn[];
  /** What it is on all of (−∞, −reach] and [reach, ∞), where it may turn there; null where it rises or falls all the way. */
  readonly tails: readonly [below: Interval | null, above: Interval | null];
}

/** Within it a curve is looked at closely, beyond it by ever longer pieces, and beyond `reach` as a whole. */
const near = 64;
const reach = 2 ** 14;
/** Into how many each of the first pieces may be cut. */
const [mostNear, mostFar] = [2000, 50];
/** How wide the values of a turn may be, of the curve's own size there. */
const tolerance = 1e-7;
/** Pieces are not cut further. */
const shortest = 2 ** -40;

/**
 * Cuts pieces until on every piece the slope has one sign, or the curve hardly varies. Sound since both inclusions are, whatever
 * the curve does.
 */
export function boundCurve(curve: Curve): BoundedCurve {
  const turns: Turn[] = [];
  let last = 0;
  /** Where it turns just between two pieces, that place is one. */
  const head = (on: Interval, slope: Interval) => {
    const way = slope.low >= 0 ? (slope.high > 0 ? 1 : 0) : -1;
    if (way * last < 0)
      addTurn(turns, { low: on.low, high: on.low, values: valuesOn(curve, { low: on.low, high: on.low }) });
    if (way !== 0) last = way;
  };
  const [slopeBelow, slopeAbove] = [curve.slope(below), curve.slope(above)];
  if (isMonotone(slopeBelow)) head(below, slopeBelow);
  cutPieces((on, mayCut) => {
    const slope = curve.slope(on);
    if (isMonotone(slope)) {
      head(on, slope);
      return true;
    }
    const values = valuesOn(curve, on);
    const isShort = values.high - values.low <= tolerance * sizeOf(values) || on.high - on.low <= shortest;
    if (!isShort && mayCut) return false;
    addTurn(turns, { ...on, values });
    return true;
  });
  if (isMonotone(slopeAbove)) head(above, slopeAbove);
  return { curve, turns, tails: [tailOf(curve, below), tailOf(curve, above)] };
}

/**
 * What the curve may be on an interval. @param ends what it is at the two ends, in any order
 */
export function rangeOf({ curve, turns, tails }: BoundedCurve, on: Interval, ends: Interval): Interval {
  if (!(on.low >= -Infinity && on.high <= Infinity) || Number.isNaN(ends.low + ends.high)) return everything;
  let range: Interval = ends;
  for (let i = firstBehind(turns, on.low); i < turns.length; i++) {
    const turn = turns[i]!;
    if (turn.low > on.high) break;
    range = hull(range, turn.values);
  }
  if (on.low < -reach && tails[0])
    range = hull(range, outer(curve, { low: on.low, high: Math.min(on.high, -reach) }, tails[0]));
  if (on.high > reach && tails[1])
    range = hull(range, outer(curve, { low: Math.max(on.low, reach), high: on.high }, tails[1]));
  return range;
}

/** sup |f′|, to a hundredth above; infinite where the curve jumps or is ever steeper. */
export function steepest({ curve, turns }: BoundedCurve): number {
  const jumps = turns.some(
    ({ low, high, values }) => high - low < 1e-6 && values.high - values.low > 1e-5 * sizeOf(values),
  );
  if (jumps) return Infinity;
  let certain = 0;
  let largest = Math.max(steepnessOf(curve.slope(below)), steepnessOf(curve.slope(above)));
  if (largest === Infinity) return Infinity;
  cutPieces((on, mayCut) => {
    const most = steepnessOf(curve.slope(on));
    const middle = on.low + (on.high - on.low) / 2;
    const there = curve.slope({ low: middle, high: middle });
    if (there) certain = Math.max(certain, steepnessOf(there));
    const isKnown = most <= Math.max(certain * 1.01, largest);
    // A corner adds nothing to the slopes beside it, and the turns have shown that it is no jump.
    if (!isKnown && most === Infinity && on.high - on.low <= 2 ** -30) return true;
    if (!isKnown && mayCut) return false;
    largest = Math.max(largest, most);
    return true;
  });
  return Math.max(largest, certain);
}

/** From −reach to reach; where the visitor is not done with a piece, its halves follow. */
function cutPieces(isDone: (on: Interval, mayCut: boolean) => boolean): void {
  for (const first of firstPieces()) {
    const open = [first];
    let left = first.high - first.low > 1 ? mostFar : mostNear;
    for (let on = open.pop(); on; on = open.pop()) {
      if (isDone(on, left > 0)) continue;
      left--;
      const middle = on.low + (on.high - on.low) / 2;
      open.push({ low: middle, high: on.high }, { low: on.low, high: middle });
    }
  }
}

function firstPieces(): Interval[] {
  const pieces: Interval[] = [];
  for (let low = reach / 2; low >= near; low /= 2) pieces.push({ low: -2 * low, high: -low });
  for (let low = -near; low < near; low++) pieces.push({ low, high: low + 1 });
  for (let low = near; low < reach; low *= 2) pieces.push({ low, high: 2 * low });
  return pieces;
}

const below: Interval = { low: -Infinity, high: -reach };
const above: Interval = { low: reach, high: Infinity };

function steepnessOf(slope: Interval | null): number {
  if (!slope || Number.isNaN(slope.low + slope.high)) return Infinity;
  return Math.max(Math.abs(slope.low), Math.abs(slope.high));
}

function isMonotone(slope: Interval | null): slope is Interval {
  return slope !== null && (slope.low >= 0 || slope.high <= 0);
}

/** The narrower of the curve's own inclusion and that of the mean value theorem, f(c) + f′(X)·(X − c), with room for rounding. */
function valuesOn(curve: Curve, on: Interval): Interval {
  const direct = curve.value(on);
  const slope = curve.slope(on);
  const middle = on.low + (on.high - on.low) / 2;
  const most = steepnessOf(slope) * Math.max(middle - on.low, on.high - middle);
  const around = add(curve.value({ low: middle, high: middle }), { low: -most, high: most });
  const low = slope && most < Infinity ? Math.max(direct.low, around.low) : direct.low;
  const high = slope && most < Infinity ? Math.min(direct.high, around.high) : direct.high;
  const slack = 1e-12 * sizeOf({ low, high });
  return { low: low - slack, high: high + slack };
}

function sizeOf({ low, high }: Interval): number {
  return Math.max(1, Math.min(Math.abs(low), Math.abs(high)));
}

/** Neighbours become one while they are hardly wider together. */
function addTurn(turns: Turn[], turn: Turn): void {
  const last = turns.at(-1);
  const values = last && hull(last.values, turn.values);
  if (last?.high === turn.low && values && values.high - values.low <= 10 * tolerance * sizeOf(values)) {
    turns[turns.length - 1] = { low: last.low, high: turn.high, values };
  } else turns.push(turn);
}

function tailOf(curve: Curve, on: Interval): Interval | null {
  return isMonotone(curve.slope(on)) ? null : curve.value(on);
}

function outer(curve: Curve, on: Interval, whole: Interval): Interval {
  return whole.high - whole.low < 1e-6 ? whole : curve.value(on);
}

/** The first turn that ends at or behind x. */
function firstBehind(turns: readonly Turn[], x: number): number {
  let [from, to] = [0, turns.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (turns[middle]!.high < x) from = middle + 1;
    else to = middle;
  }
  return from;
}
