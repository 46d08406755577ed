// How far float32 may be from float64 in a formula: each operation's own rounding, and what it makes of those before it, to first
// order. So a runtime can be held to its arithmetic whatever a random formula cancels.
import {
  evaluateNodes,
  scalarAlgebra,
  type Algebra,
  type Node,
  type Operation,
} from '../../server/formula/expression.ts';

interface Bounded {
  readonly value: number;
  /** In the value's own units; ∞ where nothing can be said: at a jump, or beyond float32's range. */
  readonly error: number;
}

const epsilon = 2 ** -24;
/** Where float32 ends; below the smallest, results are 0 on some runtimes. */
const largest = 3.4e38;
const smallest = 2e-38;
/** Roundings of one function: those that a processor has, and those of polynomials. */
const exactRoundings = 1;
const functionRoundings = 6;

/** By how much an argument's error counts. */
const slopes: Partial<Record<Operation, (u: number, result: number) => number>> = {
  neg: () => 1,
  abs: () => 1,
  exp: (_, result) => result,
  expm1: (_, result) => result + 1,
  log: (u) => 1 / u,
  log1p: (u) => 1 / (1 + u),
  sqrt: (_, result) => 0.5 / result,
  sin: (u) => Math.cos(u),
  cos: (u) => Math.sin(u),
  tanh: (_, result) => 1 - result * result,
  sigmoid: (_, result) => result * (1 - result),
  softplus: (u) => 1 / (1 + Math.exp(-u)),
  erf: (u) => (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u),
  erfc: (u) => (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u),
};

const operations = Object.fromEntries(
  (Object.keys(scalarAlgebra.operations) as Operation[]).map((operation) => [
    operation,
    (...args: Bounded[]): Bounded => bounded(operation, args),
  ]),
) as Algebra<Bounded>['operations'];

const boundAlgebra: Algebra<Bounded> = {
  constant: (value) => ({ value, error: Math.abs(value) * epsilon }),
  operations,
};

function bounded(operation: Operation, args: readonly Bounded[]): Bounded {
  const apply = scalarAlgebra.operations[operation] as (...values: number[]) => number;
  const value = Number(apply(...args.map((each) => each.value)));
  const [u, v, w] = args as [Bounded, Bounded, Bounded];
  const own =
    Math.abs(value) * epsilon * (operation in slopes && operation !== 'neg' ? functionRoundings : exactRoundings);
  const error = own + (Math.abs(value) < smallest ? smallest : 0) + carried(operation, [u, v, w], value);
  if (Number.isNaN(error) || Math.abs(value) > largest) return { value, error: Infinity };
  return { value, error };
}

function carried(operation: Operation, [u, v, w]: readonly [Bounded, Bounded, Bounded], value: number): number {
  const slope = slopes[operation];
  // A slope of its own may change within the error.
  if (slope)
    return u.error === 0
      ? 0
      : Math.max(...[-2, 0, 2].map((n) => Math.abs(slope(u.value + n * u.error, value)))) * u.error;
  switch (operation) {
    case 'add':
    case 'sub':
      return u.error + v.error;
    case 'mul':
    case 'product':
      return Math.abs(u.value) * v.error + Math.abs(v.value) * u.error + u.error * v.error;
    case 'div':
      if (Math.abs(v.value) <= 2 * v.error) return Infinity;
      return (u.error + Math.abs(value) * v.error) / (Math.abs(v.value) - v.error);
    case 'min':
    case 'max':
      return Math.max(u.error, v.error);
    case 'pow': {
      if (Math.abs(u.value) <= 2 * u.error) return u.error === 0 ? 0 : Infinity;
      const relative =
        Math.abs(v.value) * (u.error / Math.abs(u.value)) + Math.abs(Math.log(Math.abs(u.value))) * v.error;
      return Math.abs(value) * (relative * 1.5 + 8 * epsilon);
    }
    case 'sign':
      return Math.abs(u.value) <= u.error ? Infinity : 0;
    case 'lt':
    case 'le':
    case 'eq':
      return Math.abs(u.value - v.value) <= u.error + v.error ? Infinity : 0;
    case 'not':
      return u.error;
    case 'and':
    case 'or':
      return Math.max(u.error, v.error);
    case 'where':
      return Math.max(u.error, (u.value ? v : w).error);
    default:
      throw new Error(`no bound for ${operation}`);
  }
}

/**
 * For each node its value in float64 at exact inputs, and by how much float32 may be off. Only outputs count: an argument of
 * `where` that is not taken may be anything.
 */
export function boundErrors(nodes: readonly Node[], variables: Readonly<Record<string, number>>): Bounded[] {
  const exact = Object.entries(variables).map(([name, value]) => [name, { value, error: 0 }] as const);
  return evaluateNodes(nodes, Object.fromEntries(exact), boundAlgebra);
}
