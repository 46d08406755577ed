// Formulas in float64, whole arrays at a time: the reference of the runtimes, the kernel of the plain one, and the curves on the
// screen.
import { evaluateNodes, scalarAlgebra, type Algebra, type Node, type Operation } from './expression.ts';
import type { Formula } from './formula.ts';

/** As many values at once as stay in the first-level cache. */
const blockLength = 512;

type Block = Float64Array | number;

/** Values of one length, or a number where all are the same; truths are 0 and 1. */
function blockAlgebra(length: number): Algebra<Block> {
  const operations = Object.fromEntries(
    (Object.keys(scalarAlgebra.operations) as Operation[]).map((operation) => [
      operation,
      (...args: Block[]): Block => {
        const apply = scalarAlgebra.operations[operation] as (...args: number[]) => number | boolean;
        const [u, v, w] = args as [Block, Block, Block];
        if (args.every((each) => typeof each === 'number')) return Number(apply(...args));
        const at = (of: Block, index: number) => (typeof of === 'number' ? of : of[index]!);
        const result = new Float64Array(length);
        if (args.length === 1) for (let i = 0; i < length; i++) result[i] = Number(apply(at(u, i)));
        else if (args.length === 2) for (let i = 0; i < length; i++) result[i] = Number(apply(at(u, i), at(v, i)));
        else for (let i = 0; i < length; i++) result[i] = Number(apply(at(u, i), at(v, i), at(w, i)));
        return result;
      },
    ]),
  ) as Algebra<Block>['operations'];
  return { constant: (value) => value, operations };
}

/**
 * Nodes of a formula at every x. @param parametersAt the parameters of the n-th x; one list for all where none is given
 * @returns for each node as many values as `x` has
 */
function evaluateAt(
  nodes: readonly Node[],
  x: ArrayLike<number>,
  names: readonly string[],
  coefficientsOf: (n: number) => ArrayLike<number>,
): Float64Array[] {
  const results = nodes.map(() => new Float64Array(x.length));
  for (let start = 0; start < x.length; start += blockLength) {
    const length = Math.min(blockLength, x.length - start);
    const variables: Record<string, Block> = { x: Float64Array.from({ length }, (_, i) => x[start + i]!) };
    names.forEach((name, p) => {
      variables[name] = Float64Array.from({ length }, (_, i) => coefficientsOf(start + i)[p]!);
    });
    evaluateNodes(nodes, variables, blockAlgebra(length)).forEach((block, index) => {
      if (typeof block === 'number') results[index]!.fill(block, start, start + length);
      else results[index]!.set(block, start);
    });
  }
  return results;
}

/** f and f′ at every x, by one channel's coefficients. */
export function curveOf(
  { text, value, slope }: Formula,
  x: ArrayLike<number>,
  coefficients: ArrayLike<number>,
): { values: Float64Array; slopes: Float64Array } {
  const [values, slopes] = evaluateAt([value, slope], x, text.parameters, () => coefficients);
  return { values: values!, slopes: slopes! };
}

/** f(x) by channel: x `[…, C]`, a row of coefficients for each of `rows.length` = C channels. */
export function activate(
  { text, value }: Formula,
  x: ArrayLike<number>,
  rows: readonly ArrayLike<number>[],
): Float64Array {
  return evaluateAt([value], x, text.parameters, (n) => rows[n % rows.length]!)[0]!;
}

/** dx = dy·∂f/∂x, and Σ dy·∂f/∂c over the rows, a row of them for each channel. */
export function activateGradients(
  formula: Formula,
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  rows: readonly ArrayLike<number>[],
): { dx: Float64Array; dcoefficients: Float64Array[] } {
  const { text, slope, partials } = formula;
  const [slopes, ...sensitivities] = evaluateAt(
    [slope, ...partials],
    x,
    text.parameters,
    (n) => rows[n % rows.length]!,
  );
  // Nothing passes where the slope is 0, not even an infinity.
  const dx = slopes!.map((factor, n) => (factor === 0 ? 0 : dy[n]! * factor));
  const dcoefficients = rows.map(() => new Float64Array(partials.length));
  sensitivities.forEach((partial, p) => {
    for (let n = 0; n < x.length; n++) {
      const sums = dcoefficients[n % rows.length]!;
      if (partial[n] !== 0) sums[p] = sums[p]! + dy[n]! * partial[n]!;
    }
  });
  return { dx, dcoefficients };
}
