// A formula with its parameters, read, differentiated, and ready for any algebra.
import { differentiate } from './differentiate.ts';
import { Graph, inOrder, isTruth, type Node } from './expression.ts';
import { FormulaError, namesIn, parseFormula } from './parseFormula.ts';

/** What a formula is made of; as it stands in a plan, and equal ones are the same function. */
export interface FormulaText {
  readonly formula: string;
  /** Trained, a channel its own, in the order of their coefficients. */
  readonly parameters: readonly string[];
  /** Names that stand for numbers. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Where the gradient is to be another than the formula's: ∂f/∂x, a formula as well. Then no parameter is trained. */
  readonly slope?: string;
}

export interface Formula {
  readonly text: FormulaText;
  /** Of `x` and the parameters by their names, as the others. */
  readonly value: Node;
  readonly slope: Node;
  /** ∂f/∂p for each parameter. */
  readonly partials: readonly Node[];
  readonly graph: Graph;
}

/** Nodes of a formula with its derivatives. */
const maxNodes = 4000;

const known = new Map<string, Formula>();
const maxKnown = 200;

/**
 * The formula of a text. Equal texts give the same object, so that what is compiled for it can be found by it.
 * @throws FormulaError at the first mistake
 */
export function formulaOf(text: FormulaText): Formula {
  const key = JSON.stringify([text.formula, text.parameters, Object.entries(text.constants ?? {}), text.slope ?? null]);
  let formula = known.get(key);
  if (!formula) {
    formula = readFormula(text);
    if (known.size >= maxKnown) known.delete(known.keys().next().value!);
    known.set(key, formula);
  }
  return formula;
}

function readFormula(text: FormulaText): Formula {
  const graph = new Graph();
  const x = graph.variable('x');
  const parameters = text.parameters.map((name) => [name, graph.variable(name)] as const);
  const constants = Object.entries(text.constants ?? {}).map(([name, value]) => [name, graph.constant(value)] as const);
  const names = new Map<string, Node>([...parameters, ...constants]);
  const value = parseFormula(text.formula, graph, names);
  const whole = { start: 0, end: text.formula.length };
  const mentioned = namesIn(text.formula);
  if (!mentioned.has('x')) throw new FormulaError(whole, 'a formula of x', 'one without x');
  for (const name of text.parameters) {
    if (!mentioned.has(name))
      throw new FormulaError(whole, `the parameter ${name} in the formula`, 'a formula without it');
  }
  checkConstants(inOrder([value]), whole);
  const slope = text.slope === undefined ? differentiate(graph, value, x) : parseFormula(text.slope, graph, names);
  const partials = parameters.map(([, node]) => differentiate(graph, value, node));
  if (inOrder([value, slope, ...partials]).length > maxNodes) {
    throw new FormulaError(whole, 'a shorter formula', `one whose derivatives take more than ${maxNodes} operations`);
  }
  return { text, value, slope, partials, graph };
}

/** A part without a variable must be a number that float32 holds; 1/0 and the like stay unfolded. */
function checkConstants(nodes: readonly Node[], whole: { start: number; end: number }): void {
  const expected = 'numbers that float32 can hold';
  const varying = new Set<Node>();
  for (const node of nodes) {
    if (node.type === 'constant') {
      if (Math.abs(node.value) > largestFloat) throw new FormulaError(whole, expected, String(node.value));
    } else if (node.type === 'variable' || isTruth(node) || node.args.some((each) => varying.has(each))) {
      varying.add(node);
    } else if (node.operation !== 'where') {
      throw new FormulaError(whole, expected, `${node.operation} of numbers, which is none`);
    }
  }
}

const largestFloat = 3.4e38;
