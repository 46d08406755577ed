// Random formulas for fast-check, as texts with values for their parameters.
import fc from 'fast-check';
import { formulaOf } from '../../server/formula/formula.ts';
import { FormulaError } from '../../server/formula/parseFormula.ts';

export interface RandomFormula {
  readonly formula: string;
  /** Zero to three, with their values. */
  readonly parameters: Readonly<Record<string, number>>;
}

const functions = [
  ...['exp', 'expm1', 'log', 'log1p', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'softplus', 'erf', 'erfc', 'abs'],
];
const names = ['a', 'b', 'c'];

const { formula: text } = fc.letrec<{ formula: string }>((tie) => {
  const inner = tie('formula');
  const pair = fc.tuple(inner, inner);
  return {
    formula: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.constantFrom('x', 'x', 'x', 'a', 'b', 'c'),
      fc.integer({ min: -30, max: 30 }).map((tenths) => `(${tenths / 10})`),
      fc.tuple(fc.constantFrom(...functions), inner).map(([name, u]) => `${name}(${u})`),
      pair.map(([u, v]) => `(${u} + ${v})`),
      pair.map(([u, v]) => `(${u} - ${v})`),
      pair.map(([u, v]) => `${u} * ${v}`),
      pair.map(([u, v]) => `(${u}) / (2 + (${v})^2)`),
      pair.map(([u, v]) => `max(${u}, ${v})`),
      fc.tuple(inner, inner, inner).map(([u, v, w]) => `where(${u} < x, ${v}, ${w})`),
    ),
  };
});

export const formulas: fc.Arbitrary<RandomFormula> = fc
  .tuple(text, fc.array(fc.integer({ min: 3, max: 17 }), { minLength: 3, maxLength: 3 }))
  .filter(([formula]) => isReadable(formula))
  .map(([formula, tenths]) => ({
    formula,
    parameters: Object.fromEntries(
      names.flatMap((name, index) => (mentions(formula, name) ? [[name, tenths[index]! / 10]] : [])),
    ),
  }));

function mentions(formula: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(formula);
}

/** Formulas of x alone are read, and none of whose parts is a number that there is not. */
function isReadable(formula: string): boolean {
  if (!mentions(formula, 'x')) return false;
  try {
    formulaOf({ formula, parameters: names.filter((name) => mentions(formula, name)) });
    return true;
  } catch (error) {
    if (error instanceof FormulaError) return false;
    throw error;
  }
}
