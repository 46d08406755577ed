// Expressions as graphs: a node is made once, however often it is used, and as simply as its arguments allow. What a node means
// is said by an algebra; each runtime, the curves on the screen and the float64 reference are one algebra each.

const arities = {
  neg: 1,
  abs: 1,
  /** −1, 0 or 1; of NaN it is NaN. */
  sign: 1,
  exp: 1,
  /** exp(u) − 1 without cancellation. */
  expm1: 1,
  log: 1,
  /** log(1 + u) without cancellation. */
  log1p: 1,
  sqrt: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  /** 1/(1 + exp(−u)). */
  sigmoid: 1,
  /** log(1 + exp(u)). */
  softplus: 1,
  erf: 1,
  /** 1 − erf(u) without cancellation. */
  erfc: 1,
  add: 2,
  sub: 2,
  mul: 2,
  /** A product that is 0 where a factor is 0, be the other infinite: what the chain rule means. NaN stays NaN beside no 0. */
  product: 2,
  div: 2,
  /** NaN where either is. */
  min: 2,
  max: 2,
  pow: 2,
  // From here on what is true or false. A comparison with NaN is false.
  lt: 2,
  le: 2,
  eq: 2,
  and: 2,
  or: 2,
  not: 1,
  /** The second where the first is true, else the third; never both. */
  where: 3,
} as const;

export type Operation = keyof typeof arities;

export type Node =
  | { readonly type: 'constant'; readonly id: number; readonly value: number }
  /** `x`, a parameter, or what else the user of a graph gives a value to. */
  | { readonly type: 'variable'; readonly id: number; readonly name: string }
  | { readonly type: 'call'; readonly id: number; readonly operation: Operation; readonly args: readonly Node[] };

export type CallNode = Extract<Node, { type: 'call' }>;

/** What the operations do to values of one kind: numbers, tensors, lanes of a vector, text. */
export interface Algebra<T> {
  constant(value: number): T;
  readonly operations: Readonly<Record<Operation, (...args: T[]) => T>>;
}

const truths: ReadonlySet<Operation> = new Set(['lt', 'le', 'eq', 'and', 'or', 'not']);

/** Whether a node is true or false, and no number. */
export function isTruth(node: Node): boolean {
  return node.type === 'call' && truths.has(node.operation);
}

/** A constant's number; null for what varies, or was not folded. */
export function numberIn(node: Node): number | null {
  return node.type === 'constant' ? node.value : null;
}

function isNumber(node: Node, value: number): boolean {
  return node.type === 'constant' && Object.is(node.value, value);
}

/**
 * Makes nodes. Equal nodes are one object, so a graph is as large as it has different values to compute. Simplified is what
 * changes no value, NaN and infinities included; `product` and `where` more, by what they mean.
 */
export class Graph {
  readonly #nodes = new Map<string, Node>();

  get size(): number {
    return this.#nodes.size;
  }

  constant(value: number): Node {
    return this.#intern(`c${Object.is(value, -0) ? '-0' : String(value)}`, (id) => ({ type: 'constant', id, value }));
  }

  variable(name: string): Node {
    return this.#intern(`v${name}`, (id) => ({ type: 'variable', id, name }));
  }

  call(operation: Operation, ...args: readonly Node[]): Node {
    if (args.length !== arities[operation]) throw new Error(`${operation} takes ${arities[operation]} arguments`);
    return this.#simpler(operation, args) ?? this.#call(operation, args);
  }

  neg = (u: Node): Node => this.call('neg', u);
  add = (u: Node, v: Node): Node => this.call('add', u, v);
  sub = (u: Node, v: Node): Node => this.call('sub', u, v);
  mul = (u: Node, v: Node): Node => this.call('mul', u, v);
  div = (u: Node, v: Node): Node => this.call('div', u, v);
  where = (condition: Node, u: Node, v: Node): Node => this.call('where', condition, u, v);
  /** Unguarded where no factor can be infinite while the other is 0. */
  product = (u: Node, v: Node): Node => this.call('product', u, v);

  #call(operation: Operation, args: readonly Node[]): Node {
    const key = `${operation} ${args.map(({ id }) => id).join(' ')}`;
    return this.#intern(key, (id) => ({ type: 'call', id, operation, args }));
  }

  #intern(key: string, make: (id: number) => Node): Node {
    const known = this.#nodes.get(key);
    if (known) return known;
    const node = make(this.#nodes.size);
    this.#nodes.set(key, node);
    return node;
  }

  #simpler(operation: Operation, args: readonly Node[]): Node | null {
    const [u, v, w] = args as [Node, Node, Node];
    const numbers = args.map(numberIn);
    if (numbers.every((each) => each !== null) && !truths.has(operation) && operation !== 'where') {
      const value = scalarAlgebra.operations[operation](...numbers) as number;
      // What is not finite is left to be computed, and so to be seen.
      return Number.isFinite(value) ? this.constant(value) : null;
    }
    switch (operation) {
      case 'neg':
        return argumentOf(u, 'neg');
      case 'add':
        if (isZero(u)) return v;
        if (isZero(v)) return u;
        if (argumentOf(v, 'neg')) return this.sub(u, argumentOf(v, 'neg')!);
        if (argumentOf(u, 'neg')) return this.sub(v, argumentOf(u, 'neg')!);
        return this.#ordered('add', u, v);
      case 'sub':
        if (isZero(v)) return u;
        if (isZero(u)) return this.neg(v);
        if (argumentOf(v, 'neg')) return this.add(u, argumentOf(v, 'neg')!);
        return null;
      case 'mul':
        return this.#simplerProduct(u, v) ?? this.#ordered('mul', u, v);
      case 'product':
        return this.#simplerGuarded(u, v);
      case 'div':
        if (isNumber(v, 1)) return u;
        if (isNumber(v, -1)) return this.neg(u);
        if (isZero(u)) return u;
        if (u.type === 'call' && u.operation === 'mul' && v.type === 'constant' && u.args.includes(v)) {
          return u.args[0] === v ? u.args[1]! : u.args[0]!;
        }
        // Exact where the divisor is a power of two.
        if (v.type === 'constant' && Number.isInteger(Math.log2(Math.abs(v.value))))
          return this.mul(u, this.constant(1 / v.value));
        return null;
      case 'min':
      case 'max':
        return u === v ? u : this.#ordered(operation, u, v);
      case 'pow':
        if (isNumber(v, 1)) return u;
        if (isNumber(v, 2)) return this.mul(u, u);
        if (isNumber(v, 0.5)) return this.call('sqrt', u);
        if (isNumber(v, -1)) return this.div(this.constant(1), u);
        return isZero(v) ? this.constant(1) : null;
      case 'not':
        return argumentOf(u, 'not');
      case 'where':
        if (v === w) return v;
        if (argumentOf(u, 'not')) return this.where(argumentOf(u, 'not')!, w, v);
        return null;
      default:
        return null;
    }
  }

  /** Commutative ones in one order, so that u·v and v·u are one node. Which way a tie of min and max goes, no value shows. */
  #ordered(operation: 'add' | 'mul' | 'min' | 'max' | 'product', u: Node, v: Node): Node | null {
    return u.id > v.id ? this.#call(operation, [v, u]) : null;
  }

  #simplerProduct(u: Node, v: Node): Node | null {
    for (const [one, other] of [
      [u, v],
      [v, u],
    ] as const) {
      if (isNumber(one, 1)) return other;
      if (isNumber(one, -1)) return this.neg(other);
      if (one.type !== 'constant' || other.type !== 'call') continue;
      const [inner, outer] = other.args as [Node, Node];
      // a·(b·u) = (a·b)·u but for a rounding.
      if (other.operation === 'neg') return this.mul(this.constant(-one.value), inner);
      if (other.operation !== 'mul') continue;
      for (const [factor, rest] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        const value = one.value * (numberIn(factor) ?? 0);
        if (Math.abs(value) > 1e-30 && Math.abs(value) < 1e30) return this.mul(this.constant(value), rest);
      }
    }
    return null;
  }

  /** u·v, folded as `product` is, unguarded. */
  scaled(u: Node, v: Node): Node {
    return this.#folded(u, v, (one, other) => this.scaled(one, other)) ?? this.mul(u, v);
  }

  #simplerGuarded(u: Node, v: Node): Node | null {
    const folded = this.#folded(u, v, this.product);
    if (folded) return folded;
    const isSafe = !(mayBeInfinite(u) && mayBeZero(v)) && !(mayBeInfinite(v) && mayBeZero(u));
    // Polynomials are infinite where x is, and then no factor vanishes.
    if (isSafe || (isPolynomial(u) && isPolynomial(v))) return this.mul(u, v);
    return this.#ordered('product', u, v);
  }

  #folded(u: Node, v: Node, multiply: (u: Node, v: Node) => Node): Node | null {
    for (const [one, other] of [
      [u, v],
      [v, u],
    ] as const) {
      if (isZero(one)) return this.constant(0);
      if (argumentOf(one, 'neg')) return this.neg(multiply(argumentOf(one, 'neg')!, other));
      // A factor that is 0 or 1 by a condition is that condition.
      if (one.type === 'call' && one.operation === 'where') {
        const [condition, yes, no] = one.args as [Node, Node, Node];
        if (isPlain(yes) || isPlain(no)) return this.where(condition, multiply(yes, other), multiply(no, other));
      }
    }
    return null;
  }
}

function isZero(node: Node): boolean {
  return node.type === 'constant' && node.value === 0;
}

function isPlain(node: Node): boolean {
  return isZero(node) || isNumber(node, 1);
}

function argumentOf(node: Node, operation: Operation): Node | null {
  return node.type === 'call' && node.operation === operation ? node.args[0]! : null;
}

const bounded: ReadonlySet<Operation> = new Set(['sign', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'erfc']);

/** Whether a value may be ±∞ where its parameters are finite. `x` may. */
function mayBeInfinite(node: Node): boolean {
  if (node.type === 'constant') return false;
  if (node.type === 'variable') return node.name === 'x';
  const { operation, args } = node;
  if (bounded.has(operation)) return false;
  switch (operation) {
    case 'where':
      return mayBeInfinite(args[1]!) || mayBeInfinite(args[2]!);
    case 'neg':
    case 'abs':
    case 'sqrt':
    case 'softplus':
    case 'add':
    case 'sub':
    case 'mul':
    case 'product':
      // Of what is bounded the sums and products of a formula's size are far from float32's end.
      return args.some(mayBeInfinite);
    case 'min':
    case 'max':
      return args.some(mayBeInfinite);
    default:
      return true;
  }
}

/** Of x: a sum of powers of it, with factors that do not depend on it. */
function isPolynomial(node: Node): boolean {
  if (node.type !== 'call') return true;
  return ['add', 'sub', 'mul', 'neg'].includes(node.operation) && node.args.every(isPolynomial);
}

function mayBeZero(node: Node): boolean {
  return node.type !== 'constant' || node.value === 0;
}

/** Every node that the outputs need, arguments before what they are arguments of. */
export function inOrder(outputs: readonly Node[]): Node[] {
  const ordered: Node[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.type === 'call') node.args.forEach(visit);
    ordered.push(node);
  };
  outputs.forEach(visit);
  return ordered;
}

/** The outputs' values, each node computed once. @throws Error where a variable has no value */
export function evaluateNodes<T>(
  outputs: readonly Node[],
  variables: Readonly<Record<string, T>>,
  algebra: Algebra<T>,
): T[] {
  const values = new Map<Node, T>();
  for (const node of inOrder(outputs)) {
    values.set(node, valueOf(node, values, variables, algebra));
  }
  return outputs.map((node) => values.get(node)!);
}

function valueOf<T>(
  node: Node,
  values: ReadonlyMap<Node, T>,
  variables: Readonly<Record<string, T>>,
  algebra: Algebra<T>,
): T {
  switch (node.type) {
    case 'constant':
      return algebra.constant(node.value);
    case 'variable': {
      const value = variables[node.name];
      if (value === undefined) throw new Error(`the variable ${node.name} has no value`);
      return value;
    }
    case 'call':
      return algebra.operations[node.operation](...node.args.map((each) => values.get(each)!));
  }
}

/** Float64 numbers; truths are booleans. */
export const scalarAlgebra: Algebra<number | boolean> = {
  constant: (value) => value,
  operations: {
    neg: (u) => -u,
    abs: numeric(Math.abs),
    sign: numeric(Math.sign),
    exp: numeric(Math.exp),
    expm1: numeric(Math.expm1),
    log: numeric(Math.log),
    log1p: numeric(Math.log1p),
    sqrt: numeric(Math.sqrt),
    sin: numeric(Math.sin),
    cos: numeric(Math.cos),
    tanh: numeric(Math.tanh),
    sigmoid: numeric((u) => 1 / (1 + Math.exp(-u))),
    softplus: numeric((u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)))),
    erf: numeric(errorFunction),
    erfc: numeric(complementaryErrorFunction),
    add: numeric((u, v) => u + v),
    sub: numeric((u, v) => u - v),
    mul: numeric((u, v) => u * v),
    product: numeric((u, v) => (u === 0 || v === 0 ? 0 : u * v)),
    div: numeric((u, v) => u / v),
    min: numeric(Math.min),
    max: numeric(Math.max),
    pow: numeric((u, v) => u ** v),
    lt: (u, v) => u < v!,
    le: (u, v) => u <= v!,
    eq: (u, v) => u === v,
    and: (u, v) => Boolean(u) && Boolean(v),
    or: (u, v) => Boolean(u) || Boolean(v),
    not: (u) => !u,
    where: (condition, u, v) => (condition ? u : v)!,
  },
};

function numeric(apply: (...args: number[]) => number): (...args: (number | boolean)[]) => number {
  return apply as (...args: (number | boolean)[]) => number;
}

function errorFunction(x: number): number {
  if (Math.abs(x) > 1) return x > 0 ? 1 - complementaryErrorFunction(x) : complementaryErrorFunction(-x) - 1;
  // 2/√π · e^(−x²)·(x + x·(2x²)/3 + …): all terms of one sign.
  let term = x;
  let sum = x;
  for (let n = 1; n < 60 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** To about 1e-13 of itself, until it underflows. */
function complementaryErrorFunction(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x < 1) return x < -1 ? 2 - complementaryErrorFunction(-x) : 1 - errorFunction(x);
  if (x > 30) return 0;
  // Laplace's continued fraction: e^(−x²)/√π / (x + ½/(x + 1/(x + 3/2/(x + …)))).
  let fraction = 0;
  for (let k = 200; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
