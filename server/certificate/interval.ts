// Interval arithmetic (Moore, 1966): an algebra of formulas in which a value is all the values that it may have. Never too narrow but
// for the rounding of float64, which whoever uses it makes room for.
import type { Algebra, Operation } from '../formula/expression.ts';
import { scalarAlgebra } from '../formula/expression.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** What a condition may be. */
interface Truth {
  readonly mayHold: boolean;
  readonly mayFail: boolean;
}

type Value = Interval | Truth;

export const everything: Interval = { low: -Infinity, high: Infinity };

export function point(value: number): Interval {
  return { low: value, high: value };
}

export function hull(a: Interval, b: Interval): Interval {
  return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
}

export function add(u: Interval, v: Interval): Interval {
  return { low: u.low + v.low, high: u.high + v.high };
}

export function times(u: Interval, factor: number): Interval {
  const [a, b] = [product(u.low, factor), product(u.high, factor)];
  return a <= b ? { low: a, high: b } : { low: b, high: a };
}

export function multiply(u: Interval, v: Interval): Interval {
  const all = [product(u.low, v.low), product(u.low, v.high), product(u.high, v.low), product(u.high, v.high)];
  return { low: Math.min(...all), high: Math.max(...all) };
}

/** An end that is infinite is not reached: beside 0 it counts for 0. */
function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function rising(operation: Operation): (u: Value) => Interval {
  const apply = scalarAlgebra.operations[operation] as (u: number) => number;
  return (u) => {
    const { low, high } = u as Interval;
    const [first, last] = [apply(low), apply(high)];
    return { low: Number.isNaN(first) ? -Infinity : first, high: Number.isNaN(last) ? Infinity : last };
  };
}

function absolute({ low, high }: Interval): Interval {
  if (low >= 0) return { low, high };
  return high <= 0 ? { low: -high, high: -low } : { low: 0, high: Math.max(-low, high) };
}

function divide(u: Interval, v: Interval): Interval {
  if (v.low <= 0 && v.high >= 0) return everything;
  return multiply(u, { low: 1 / v.high, high: 1 / v.low });
}

/** Of a wave whose crests are at `crest` + 2πk. */
function wave(at: (x: number) => number, crest: number): (u: Value) => Interval {
  return (u) => {
    const { low, high } = u as Interval;
    if (!(high - low < 2 * Math.PI)) return { low: -1, high: 1 };
    const has = (place: number) => {
      const first = place + 2 * Math.PI * Math.ceil((low - place) / (2 * Math.PI) - 1e-9);
      return first <= high + 1e-9;
    };
    const ends = [at(low), at(high)];
    return {
      low: has(crest + Math.PI) ? -1 : Math.min(...ends),
      high: has(crest) ? 1 : Math.max(...ends),
    };
  };
}

function power(u: Interval, v: Interval): Interval {
  if (v.low === v.high && Number.isInteger(v.low) && v.low > 0) {
    const base = v.low % 2 === 0 ? absolute(u) : u;
    return { low: base.low ** v.low, high: base.high ** v.low };
  }
  if (!(u.low > 0)) return everything;
  const exponent = multiply({ low: Math.log(u.low), high: Math.log(u.high) }, v);
  return { low: Math.exp(exponent.low), high: Math.exp(exponent.high) };
}

const always = { mayHold: true, mayFail: false };
const never = { mayHold: false, mayFail: true };
const maybe = { mayHold: true, mayFail: true };

/** Knows, after an evaluation, whether every choice was decided: else what it chose between may have a corner or jump there. */
export class IntervalAlgebra implements Algebra<Value> {
  isDecided = true;

  readonly operations: Algebra<Value>['operations'] = {
    neg: (u) => times(u as Interval, -1),
    abs: (u) => absolute(u as Interval),
    sign: (u) => {
      const { low, high } = u as Interval;
      if (low <= 0 && high >= 0 && low !== high) this.isDecided = false;
      return { low: Math.sign(low), high: Math.sign(high) };
    },
    exp: rising('exp'),
    expm1: rising('expm1'),
    log: rising('log'),
    log1p: rising('log1p'),
    sqrt: rising('sqrt'),
    sin: wave(Math.sin, Math.PI / 2),
    cos: wave(Math.cos, 0),
    tanh: rising('tanh'),
    sigmoid: rising('sigmoid'),
    softplus: rising('softplus'),
    erf: rising('erf'),
    erfc: (u) => {
      const { low, high } = rising('erfc')(times(u as Interval, -1));
      return { low: 2 - high, high: 2 - low };
    },
    add: (u, v) => add(u as Interval, v as Interval),
    sub: (u, v) => add(u as Interval, times(v as Interval, -1)),
    mul: (u, v) => (u === v ? power(u as Interval, point(2)) : multiply(u as Interval, v as Interval)),
    product: (u, v) => multiply(u as Interval, v as Interval),
    div: (u, v) => divide(u as Interval, v as Interval),
    min: (u, v) => lesser(u as Interval, v as Interval),
    max: (u, v) => times(lesser(times(u as Interval, -1), times(v as Interval, -1)), -1),
    pow: (u, v) => power(u as Interval, v as Interval),
    lt: (u, v) => compare(u as Interval, v as Interval, (a, b) => a < b),
    le: (u, v) => compare(u as Interval, v as Interval, (a, b) => a <= b),
    eq: (u, v) => {
      const [a, b] = [u as Interval, v as Interval];
      if (a.high < b.low || b.high < a.low) return never;
      return a.low === a.high && b.low === b.high ? always : maybe;
    },
    and: (u, v) => {
      const [a, b] = [u as Truth, v as Truth];
      return { mayHold: a.mayHold && b.mayHold, mayFail: a.mayFail || b.mayFail };
    },
    or: (u, v) => {
      const [a, b] = [u as Truth, v as Truth];
      return { mayHold: a.mayHold || b.mayHold, mayFail: a.mayFail && b.mayFail };
    },
    not: (u) => ({ mayHold: (u as Truth).mayFail, mayFail: (u as Truth).mayHold }),
    where: (condition, u, v) => {
      const { mayHold, mayFail } = condition as Truth;
      if (mayHold !== mayFail) return mayHold ? u : v;
      this.isDecided = false;
      return hull(u as Interval, v as Interval);
    },
  };

  constant(value: number): Interval {
    return point(value);
  }
}

function lesser(u: Interval, v: Interval): Interval {
  return { low: Math.min(u.low, v.low), high: Math.min(u.high, v.high) };
}

function compare(u: Interval, v: Interval, holds: (a: number, b: number) => boolean): Truth {
  return { mayHold: holds(u.low, v.high), mayFail: !holds(u.high, v.low) };
}
