// What a formula computes, as operations on vectors of four float32 lanes: the functions that a processor has not, made of those
// that it has. Relative errors of some 3e-7, the limits at ±∞, NaN for NaN; results below 2e-38 are 0.
import type { Algebra } from '../../../formula/expression.ts';
import { bitsOf, LanesGraph, type Lanes } from './lanesGraph.ts';

const log2e = Math.LOG2E;
/** log 2 in two parts, the first short enough for products with small integers to be exact. */
const log2High = 0.693359375;
const log2Low = Math.LN2 - log2High;
/** Added and taken off again, it rounds to an integer, which it holds in its last bits meanwhile. */
const rounding = 12582912;
/** π/2 in three parts, as above. */
const halfPi = [1.5703125, 4.837512969970703e-4, 7.549789948768648e-8] as const;
/** Beyond which sin and cos are computed one by one. */
export const wideAngle = 8192;
/** The tail of the normal distribution, Press et al. (Numerical Recipes in C, 2nd ed., §6.2). */
const tail = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/** Gives the operations of a formula their meaning. */
export class LanesAlgebra extends LanesGraph {
  readonly algebra: Algebra<Lanes> = {
    constant: (value) => this.float(value),
    operations: {
      neg: (u) => this.op('f32x4.neg', u!),
      abs: (u) => this.op('f32x4.abs', u!),
      sign: (u) => this.#sign(u!),
      exp: (u) => this.#exp(u!),
      expm1: (u) => this.#expm1(u!),
      log: (u) => this.#log(u!),
      log1p: (u) => this.#log1p(u!),
      sqrt: (u) => this.op('f32x4.sqrt', u!),
      sin: (u) => this.#sine(u!, 0, 'slowSin'),
      cos: (u) => this.#sine(u!, 1, 'slowCos'),
      tanh: (u) => this.#tanh(u!),
      sigmoid: (u) => this.#sigmoid(u!),
      softplus: (u) => this.#softplus(u!),
      erf: (u) => this.#erf(u!),
      erfc: (u) => this.#erfc(u!),
      add: (u, v) => this.add(u!, v!),
      sub: (u, v) => this.op('f32x4.sub', u!, v!),
      mul: (u, v) => this.mul(u!, v!),
      product: (u, v) => this.#product(u!, v!),
      div: (u, v) => this.op('f32x4.div', u!, v!),
      min: (u, v) => this.#extreme('min', u!, v!),
      max: (u, v) => this.#extreme('max', u!, v!),
      pow: (u, v) => this.#pow(u!, v!),
      lt: (u, v) => this.op('f32x4.lt', u!, v!),
      le: (u, v) => this.op('f32x4.le', u!, v!),
      eq: (u, v) => this.op('f32x4.eq', u!, v!),
      and: (u, v) => this.op('v128.and', u!, v!),
      or: (u, v) => this.op('v128.or', u!, v!),
      not: (u) => this.op('v128.not', u!),
      where: (condition, u, v) => this.select(condition!, u!, v!),
    },
  };

  #extreme(which: 'min' | 'max', u: Lanes, v: Lanes): Lanes {
    if (v.type === 'constant') return this.op(`f32x4.p${which}`, u, v);
    if (u.type === 'constant') return this.op(`f32x4.p${which}`, v, u);
    return this.op(`f32x4.${which}`, u, v);
  }

  /** 0 where a factor is 0. */
  #product(u: Lanes, v: Lanes): Lanes {
    const zero = this.float(0);
    const isGone = this.op('v128.or', this.op('f32x4.eq', u, zero), this.op('f32x4.eq', v, zero));
    return this.op('v128.andnot', this.mul(u, v), isGone);
  }

  #sign(u: Lanes): Lanes {
    const zero = this.float(0);
    const size = this.select(this.op('f32x4.eq', u, zero), zero, this.float(1));
    const signed = this.op('v128.or', size, this.op('v128.and', u, this.bits(signBit)));
    return this.select(this.isNaN(u), u, signed);
  }

  /** u with the sign of v, for u ≥ 0. */
  #withSign(u: Lanes, v: Lanes): Lanes {
    return this.op('v128.or', u, this.op('v128.and', v, this.bits(signBit)));
  }

  /** exp(u), +∞ above float32, some 2e-38 below −86.5. */
  #expAbove(u: Lanes): Lanes {
    const x = this.atMost(this.atLeast(u, -86.5), 89);
    const shifted = this.multiplyAdd(x, this.float(log2e), this.float(rounding));
    const n = this.sub(shifted, this.float(rounding));
    let r = this.multiplyAdd(n, this.float(-log2High), x);
    r = this.multiplyAdd(n, this.float(-log2Low), r);
    return this.#scaled(r, shifted);
  }

  /** exp(r)·2ⁿ for |r| ≤ ½ log 2; n stands in the last bits of `shifted`, from −125 to 128. */
  #scaled(r: Lanes, shifted: Lanes): Lanes {
    const p = this.polynomial(
      r,
      [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5],
    );
    const mantissa = this.multiplyAdd(p, this.mul(r, r), this.add(r, this.float(1)));
    // 2ⁿ⁻¹ twice: 2¹²⁸ itself would be infinite.
    const power = this.op('i32x4.add', this.shift('i32x4.shl', shifted, 23), this.bits(bitsOf(0.5)));
    const half = this.mul(mantissa, power);
    return this.add(half, half);
  }

  #exp(u: Lanes): Lanes {
    const isGone = this.op('f32x4.lt', u, this.float(-86.5));
    return this.op('v128.andnot', this.#expAbove(u), isGone);
  }

  #sigmoid(u: Lanes): Lanes {
    const one = this.float(1);
    return this.div(one, this.add(one, this.#expAbove(this.op('f32x4.neg', u))));
  }

  #expm1(u: Lanes): Lanes {
    const p = this.polynomial(u, [1 / 40320, 1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5]);
    const near = this.multiplyAdd(this.mul(u, u), p, u);
    const far = this.sub(this.#expAbove(u), this.float(1));
    return this.select(this.op('f32x4.lt', this.abs(u), this.float(0.5)), near, far);
  }

  #tanh(u: Lanes): Lanes {
    const one = this.float(1);
    const size = this.abs(u);
    const w = this.mul(u, u);
    const p = this.polynomial(
      w,
      [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
    );
    const near = this.multiplyAdd(this.mul(p, w), u, u);
    const exponential = this.#expAbove(this.add(size, size));
    const far = this.sub(one, this.div(this.float(2), this.add(exponential, one)));
    return this.select(this.op('f32x4.lt', size, this.float(0.625)), near, this.#withSign(far, u));
  }

  /** max(u, 0) + log(1 + exp(−|u|)). */
  #softplus(u: Lanes): Lanes {
    const rest = this.#expAbove(this.op('f32x4.neg', this.abs(u)));
    // Below −86.5 it is 2e-38 and not less; and softplus itself is 0.
    const isGone = this.op('f32x4.lt', u, this.float(-86.5));
    const result = this.add(this.atLeast(u, 0), this.#logOnePlus(rest, 'finite'));
    return this.op('v128.andnot', result, isGone);
  }

  #log1p(u: Lanes): Lanes {
    const result = this.#logOnePlus(u, 'any');
    const minusOne = this.float(-1);
    const isBelow = this.op('f32x4.lt', u, minusOne);
    const bounded = this.select(this.op('f32x4.eq', u, this.float(Infinity)), u, result);
    const ended = this.select(this.op('f32x4.eq', u, minusOne), this.float(-Infinity), bounded);
    return this.select(this.op('v128.or', isBelow, this.isNaN(u)), this.bits(nanBits), ended);
  }

  /** For −1 < u < ∞; `finite` where u is 0 to 1. */
  #logOnePlus(u: Lanes, range: 'finite' | 'any'): Lanes {
    const one = this.float(1);
    const sum = this.add(u, one);
    const { n, m } = this.#mantissa(sum);
    // Where n = 0, u itself is m − 1 without the rounding of 1 + u.
    const f = this.select(this.op('i32x4.eq', n, this.bits(0)), u, this.sub(m, one));
    const result = this.#logOf(n, f);
    return range === 'finite' ? this.select(this.isNaN(u), u, result) : result;
  }

  #log(u: Lanes): Lanes {
    const { n, m } = this.#anyMantissa(u);
    const result = this.#logOf(n, this.sub(m, this.float(1)));
    const zero = this.float(0);
    const bounded = this.select(this.op('f32x4.eq', u, this.float(Infinity)), u, result);
    const ended = this.select(this.op('f32x4.eq', u, zero), this.float(-Infinity), bounded);
    const isNone = this.op('v128.or', this.op('f32x4.lt', u, zero), this.isNaN(u));
    return this.select(isNone, this.bits(nanBits), ended);
  }

  /** u = m·2ⁿ with m in [√½, √2): the bits of √½ are taken off, and what is left of the exponent is n. */
  #mantissa(u: Lanes): { n: Lanes; m: Lanes } {
    const n = this.shift('i32x4.shr_s', this.op('i32x4.sub', u, this.bits(bitsOf(Math.SQRT1_2))), 23);
    return { n, m: this.op('i32x4.sub', u, this.shift('i32x4.shl', n, 23)) };
  }

  /** For u > 0: what is too small to have all its digits is made larger first. */
  #anyMantissa(u: Lanes): { n: Lanes; m: Lanes } {
    const isSmall = this.op('f32x4.lt', u, this.float(2 ** -126));
    const { n, m } = this.#mantissa(this.select(isSmall, this.mul(u, this.float(2 ** 24)), u));
    return { n: this.op('i32x4.sub', n, this.op('v128.and', isSmall, this.bits(24))), m };
  }

  /** n·log 2 + log(1 + f). */
  #logOf(n: Lanes, f: Lanes): Lanes {
    return this.multiplyAdd(this.op('f32x4.convert_i32x4_s', n), this.float(Math.LN2), this.#logNear(f));
  }

  /** log(1 + f) = 2·artanh(s) with s = f/(2 + f), |s| < 0.172. */
  #logNear(f: Lanes): Lanes {
    const s = this.div(f, this.add(f, this.float(2)));
    const w = this.mul(s, s);
    const p = this.polynomial(w, [1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3]);
    const twice = this.add(s, s);
    return this.multiplyAdd(this.mul(twice, w), p, twice);
  }

  /** erfc(|u|). */
  #tail(size: Lanes): Lanes {
    const t = this.div(this.float(1), this.multiplyAdd(size, this.float(0.5), this.float(1)));
    const exponent = this.sub(this.polynomial(t, tail), this.mul(size, size));
    return this.mul(t, this.#exp(exponent));
  }

  #erfc(u: Lanes): Lanes {
    const upper = this.#tail(this.abs(u));
    return this.select(this.op('f32x4.lt', u, this.float(0)), this.sub(this.float(2), upper), upper);
  }

  #erf(u: Lanes): Lanes {
    const size = this.abs(u);
    const w = this.mul(u, u);
    const near = this.mul(
      u,
      this.polynomial(
        w,
        [1 / 9360, -1 / 1320, 1 / 216, -1 / 42, 1 / 10, -1 / 3, 1].map((c) => (c * 2) / Math.sqrt(Math.PI)),
      ),
    );
    const far = this.#withSign(this.sub(this.float(1), this.#tail(size)), u);
    return this.select(this.op('f32x4.lt', size, this.float(0.5)), near, far);
  }

  /** sin(u + quarters·π/2). */
  #sine(u: Lanes, quarters: 0 | 1, slow: 'slowSin' | 'slowCos'): Lanes {
    const shifted = this.multiplyAdd(u, this.float(2 / Math.PI), this.float(rounding));
    const n = this.sub(shifted, this.float(rounding));
    const r = halfPi.reduce((rest, part) => this.multiplyAdd(n, this.float(-part), rest), u);
    const w = this.mul(r, r);
    const sine = this.multiplyAdd(this.mul(r, w), this.polynomial(w, [1 / 362880, -1 / 5040, 1 / 120, -1 / 6]), r);
    const cosine = this.polynomial(w, [1 / 40320, -1 / 720, 1 / 24, -0.5, 1]);
    const quadrant = quarters === 0 ? shifted : this.op('i32x4.add', shifted, this.bits(1));
    const isOdd = this.op('i32x4.eq', this.op('v128.and', quadrant, this.bits(1)), this.bits(1));
    const isUpper = this.shift('i32x4.shl', this.op('v128.and', quadrant, this.bits(2)), 30);
    const fast = this.op('v128.xor', this.select(isOdd, cosine, sine), isUpper);
    return this.op(slow, u, fast);
  }

  #pow(u: Lanes, v: Lanes): Lanes {
    if (v.type === 'constant') {
      const exponent = floatOf(v.bits);
      if (Number.isInteger(exponent) && Math.abs(exponent) <= 64) return this.#integerPower(u, exponent);
    }
    return this.#anyPower(u, v);
  }

  #integerPower(u: Lanes, exponent: number): Lanes {
    let result: Lanes | null = null;
    let square = u;
    for (let rest = Math.abs(exponent); ; square = this.mul(square, square)) {
      if (rest & 1) result = result ? this.mul(result, square) : square;
      rest >>= 1;
      if (rest === 0) break;
    }
    const positive = result ?? this.float(1);
    return exponent < 0 ? this.div(this.float(1), positive) : positive;
  }

  /** 2^(v·log₂|u|), the exponent in whole steps and a rest, so that a large one costs no digits. */
  #anyPower(u: Lanes, v: Lanes): Lanes {
    const [zero, one] = [this.float(0), this.float(1)];
    const size = this.abs(u);
    const { n, m } = this.#anyMantissa(size);
    const whole = this.op('f32x4.convert_i32x4_s', n);
    const fraction = this.mul(this.#logNear(this.sub(m, one)), this.float(log2e));
    // Far enough for any base but 1, and finite for that.
    const exponent = this.atMost(this.atLeast(v, -1e12), 1e12);
    // Its first 12 bits times n is exact.
    const high = this.op('v128.and', exponent, this.bits(~0xfff));
    const product = this.atMost(this.atLeast(this.mul(high, whole), -1000), 1000);
    const rounded = this.op('f32x4.nearest', product);
    const rest = this.multiplyAdd(
      exponent,
      fraction,
      this.multiplyAdd(this.sub(exponent, high), whole, this.sub(product, rounded)),
    );
    const restRounded = this.op('f32x4.nearest', this.atMost(this.atLeast(rest, -1000), 1000));
    const total = this.add(rounded, restRounded);
    const inRange = this.atMost(this.atLeast(total, -125), 128);
    const r = this.mul(this.sub(rest, restRounded), this.float(Math.LN2));
    const within = this.#scaled(r, this.add(inRange, this.float(rounding)));
    const ended = this.select(
      this.op('f32x4.lt', total, this.float(-125)),
      zero,
      this.select(this.op('f32x4.lt', this.float(128), total), this.float(Infinity), within),
    );
    const isRising = this.op('f32x4.lt', zero, v);
    const ofZero = this.select(isRising, zero, this.float(Infinity));
    const ofInfinity = this.select(isRising, this.float(Infinity), zero);
    const bounded = this.select(
      this.op('f32x4.eq', size, zero),
      ofZero,
      this.select(this.op('f32x4.eq', size, this.float(Infinity)), ofInfinity, ended),
    );
    const isWhole = this.op('f32x4.eq', this.op('f32x4.nearest', v), v);
    const half = this.mul(v, this.float(0.5));
    const isOdd = this.op('f32x4.ne', this.op('f32x4.nearest', half), half);
    const isBelow = this.op('f32x4.lt', u, zero);
    const signed = this.op(
      'v128.xor',
      bounded,
      this.op('v128.and', this.op('v128.and', isBelow, isOdd), this.bits(signBit)),
    );
    const isNone = this.op(
      'v128.or',
      this.op('v128.andnot', isBelow, isWhole),
      this.op('v128.or', this.isNaN(u), this.isNaN(v)),
    );
    return this.select(this.op('f32x4.eq', v, zero), one, this.select(isNone, this.bits(nanBits), signed));
  }
}

const signBit = 0x80000000 | 0;
const nanBits = 0x7fc00000;

function floatOf(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}
