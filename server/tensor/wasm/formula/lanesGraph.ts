// Vectors of four float32 lanes as a graph whose equal parts are one node, and the operations that a processor has; functions that it has
// not are lanes.ts's.
import type { Instruction } from './moduleWriter.ts';

/** One vector: an input, a constant in all lanes, or an operation on others. Equal ones are one object. */
export type Lanes =
  | { readonly type: 'input'; readonly id: number; readonly name: string }
  | { readonly type: 'constant'; readonly id: number; readonly bits: number }
  /** A shift's distance; 0 for others. */
  | {
      readonly type: 'operation';
      readonly id: number;
      readonly instruction: LanesInstruction;
      readonly args: readonly Lanes[];
      readonly distance: number;
    };

/** `slowSin`, `slowCos`: y, but where |x| is too large for it the slow way; of x and y. */
export type LanesInstruction = Instruction | 'slowSin' | 'slowCos';

export class LanesGraph {
  readonly #known = new Map<string, Lanes>();
  readonly #isFused: boolean;

  /** @param isFused whether there are multiply-adds that round once (relaxed SIMD) */
  constructor(isFused: boolean) {
    this.#isFused = isFused;
  }

  input(name: string): Lanes {
    return this.#intern(`input ${name}`, (id) => ({ type: 'input', id, name }));
  }

  #intern(key: string, make: (id: number) => Lanes): Lanes {
    const known = this.#known.get(key);
    if (known) return known;
    const lanes = make(this.#known.size);
    this.#known.set(key, lanes);
    return lanes;
  }

  op(instruction: LanesInstruction, ...args: readonly Lanes[]): Lanes {
    return this.#make(instruction, args, 0);
  }

  shift(instruction: 'i32x4.shl' | 'i32x4.shr_s', u: Lanes, distance: number): Lanes {
    return this.#make(instruction, [u], distance);
  }

  #make(instruction: LanesInstruction, args: readonly Lanes[], distance: number): Lanes {
    const key = `${instruction} ${distance} ${args.map(({ id }) => id).join(' ')}`;
    return this.#intern(key, (id) => ({ type: 'operation', id, instruction, args, distance }));
  }

  float(value: number): Lanes {
    return this.bits(bitsOf(value));
  }

  bits(bits: number): Lanes {
    return this.#intern(`bits ${bits}`, (id) => ({ type: 'constant', id, bits }));
  }

  add(u: Lanes, v: Lanes): Lanes {
    return this.op('f32x4.add', u, v);
  }

  sub(u: Lanes, v: Lanes): Lanes {
    return this.op('f32x4.sub', u, v);
  }

  mul(u: Lanes, v: Lanes): Lanes {
    return this.op('f32x4.mul', u, v);
  }

  div(u: Lanes, v: Lanes): Lanes {
    return this.op('f32x4.div', u, v);
  }

  abs(u: Lanes): Lanes {
    return this.op('f32x4.abs', u);
  }

  /** u·v + w. */
  multiplyAdd(u: Lanes, v: Lanes, w: Lanes): Lanes {
    return this.#isFused ? this.op('f32x4.relaxed_madd', u, v, w) : this.add(this.mul(u, v), w);
  }

  /** By Horner's rule, highest power first. */
  polynomial(u: Lanes, coefficients: readonly number[]): Lanes {
    const [highest, ...rest] = coefficients.map((coefficient) => this.float(coefficient));
    return rest.reduce((sum, coefficient) => this.multiplyAdd(sum, u, coefficient), highest!);
  }

  select(condition: Lanes, u: Lanes, v: Lanes): Lanes {
    if (isZero(u)) return this.op('v128.andnot', v, condition);
    if (isZero(v)) return this.op('v128.and', u, condition);
    return this.op('v128.bitselect', u, v, condition);
  }

  isNaN(u: Lanes): Lanes {
    return this.op('f32x4.ne', u, u);
  }

  /** The larger of u and a number; NaN stays. */
  atLeast(u: Lanes, low: number): Lanes {
    return this.op('f32x4.pmax', u, this.float(low));
  }

  atMost(u: Lanes, high: number): Lanes {
    return this.op('f32x4.pmin', u, this.float(high));
  }
}

export function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}

function isZero(lanes: Lanes): boolean {
  return lanes.type === 'constant' && lanes.bits === 0;
}
