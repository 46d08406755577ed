// Reads a formula: `x * sigmoid(b * x)`. The grammar, loosest first:
//
//   value      = sum
//   sum        = product (('+' | '-') product)*
//   product    = signed (('*' | '/') signed)*
//   signed     = ('-' | '+') signed | power
//   power      = atom (('^' | '**') signed)?                       from the right: a^b^c = a^(b^c), −x^2 = −(x²)
//   atom       = number | 'pi' | 'e' | name | '(' value ')' | function '(' value (',' value)* ')'
//   condition  = conjunction ('or' conjunction)*                     only where `where` asks for one
//   conjunction = negation ('and' negation)*
//   negation   = 'not' negation | '(' condition ')' | value ('<' | '<=' | '>' | '>=' | '==' | '!=') value
//
// For -, * and / the signs −, × and · may stand, too.
import { numberIn, type Graph, type Node, type Operation } from './expression.ts';

/** A mistake in a formula. @param start, end where it is, in characters from the formula's first */
export class FormulaError extends Error {
  readonly start: number;
  readonly end: number;
  /** What should be there. */
  readonly expected: string;
  /** What is. */
  readonly got: string;
  /** Names that might have been meant, where a name is unknown. */
  readonly names: readonly string[];

  constructor(place: { start: number; end: number }, expected: string, got: string, names: readonly string[] = []) {
    super(`expected ${expected}, got ${got} at column ${String(place.start + 1)}`);
    this.name = 'FormulaError';
    this.start = place.start;
    this.end = place.end;
    this.expected = expected;
    this.got = got;
    this.names = names;
  }
}

/** Above these a formula is refused before it costs anything. */
export const formulaLimits = { characters: 4000, depth: 40, power: 64 } as const;

export interface FormulaFunction {
  /** As it is called: `clip(u, low, high)`. */
  readonly call: string;
  readonly description: string;
}

interface KnownFunction extends FormulaFunction {
  /** Fewest and most arguments; the first a condition where `isWhere`. */
  readonly arguments: readonly [least: number, most: number];
  readonly isWhere?: boolean;
  readonly isPower?: boolean;
  readonly make: (graph: Graph, args: readonly Node[]) => Node;
}

function unary(operation: Operation, description: string): KnownFunction {
  const make = (graph: Graph, args: readonly Node[]) => graph.call(operation, ...args);
  return { call: `${operation}(u)`, description, arguments: [1, 1], make };
}

function extreme(operation: 'min' | 'max', description: string): KnownFunction {
  const make = (graph: Graph, args: readonly Node[]) => args.reduce((u, v) => graph.call(operation, u, v));
  return { call: `${operation}(u, v, …)`, description, arguments: [2, 16], make };
}

/** What a formula may call, by name. */
const knownFunctions: ReadonlyMap<string, KnownFunction> = new Map<string, KnownFunction>(
  Object.entries({
    exp: unary('exp', 'eᵘ'),
    expm1: unary('expm1', 'eᵘ − 1, exact near 0'),
    log: unary('log', 'natural logarithm'),
    log1p: unary('log1p', 'log(1 + u), exact near 0'),
    sqrt: unary('sqrt', 'square root'),
    sin: unary('sin', 'sine'),
    cos: unary('cos', 'cosine'),
    tanh: unary('tanh', 'hyperbolic tangent'),
    sigmoid: unary('sigmoid', '1/(1 + e⁻ᵘ)'),
    softplus: unary('softplus', 'log(1 + eᵘ)'),
    erf: unary('erf', 'error function'),
    erfc: unary('erfc', '1 − erf(u), exact where that is small'),
    abs: unary('abs', '|u|'),
    sign: unary('sign', '−1, 0 or 1'),
    min: extreme('min', 'the smallest'),
    max: extreme('max', 'the largest'),
    pow: {
      call: 'pow(u, v)',
      description: 'uᵛ, as u^v',
      arguments: [2, 2],
      isPower: true,
      make: (graph: Graph, [u, v]: readonly Node[]) => graph.call('pow', u!, v!),
    },
    clip: {
      call: 'clip(u, low, high)',
      description: 'u, but no less than low and no more than high',
      arguments: [3, 3],
      make: (graph: Graph, [u, low, high]: readonly Node[]) => graph.call('min', graph.call('max', u!, low!), high!),
    },
    where: {
      call: 'where(u > v, then, otherwise)',
      description: 'the one or the other, by a condition: <, <=, >, >=, ==, !=, and, or, not',
      arguments: [3, 3],
      isWhere: true,
      make: (graph: Graph, args: readonly Node[]) => graph.call('where', ...args),
    },
  }),
);

export const formulaFunctions: ReadonlyMap<string, FormulaFunction> = knownFunctions;

export const formulaConstants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** Whether a parameter may be called so. */
export function isParameterName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,31}$/.test(name) && !isTaken(name);
}

/** Whether a name means something already. */
export function isTaken(name: string): boolean {
  return (
    name === 'x' || knownFunctions.has(name) || Object.hasOwn(formulaConstants, name) || /^(and|or|not)$/.test(name)
  );
}

/**
 * @param values what its names other than `x` stand for: parameters, or numbers
 * @throws FormulaError at the first mistake
 */
export function parseFormula(text: string, graph: Graph, values: ReadonlyMap<string, Node>): Node {
  if (text.length > formulaLimits.characters) {
    const place = { start: formulaLimits.characters, end: text.length };
    throw new FormulaError(place, `at most ${formulaLimits.characters} characters`, `${text.length}`);
  }
  const parser = new Parser(text, graph, values);
  return parser.parse();
}

/** Every name that stands in a formula. @throws FormulaError where there is a character that no formula has */
export function namesIn(text: string): ReadonlySet<string> {
  return new Set(
    tokensOf(text)
      .filter(({ kind }) => kind === 'name')
      .map(({ text: name }) => name),
  );
}

interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const sameSigns: Readonly<Record<string, string>> = {
  '−': '-',
  '×': '*',
  '·': '*',
  '**': '^',
  '≤': '<=',
  '≥': '>=',
  '≠': '!=',
};
const tokenPattern =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(\*\*|<=|>=|==|!=|[-+*/^(),<>−×·≤≥≠])|($)|(.))/suy;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  for (;;) {
    const [whole, number, name, sign, end, other] = tokenPattern.exec(text)!;
    const written = number ?? name ?? sign ?? other ?? '';
    const place = { start: tokenPattern.lastIndex - written.length, end: tokenPattern.lastIndex };
    if (other !== undefined) throw new FormulaError(place, 'a number, a name or a sign', `“${other}”`);
    if (end !== undefined)
      return [...tokens, { kind: 'end', text: '', start: text.trimEnd().length, end: text.length }];
    if (whole.length === 0) throw new Error('a token has no length');
    const kind = number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign';
    tokens.push({ kind, text: sameSigns[written] ?? written, ...place });
  }
}

const comparisons: Readonly<Record<string, (graph: Graph, u: Node, v: Node) => Node>> = {
  '<': (graph, u, v) => graph.call('lt', u, v),
  '<=': (graph, u, v) => graph.call('le', u, v),
  '>': (graph, u, v) => graph.call('lt', v, u),
  '>=': (graph, u, v) => graph.call('le', v, u),
  '==': (graph, u, v) => graph.call('eq', u, v),
  '!=': (graph, u, v) => graph.call('not', graph.call('eq', u, v)),
};

class Parser {
  readonly #graph: Graph;
  readonly #values: ReadonlyMap<string, Node>;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string, graph: Graph, values: ReadonlyMap<string, Node>) {
    this.#graph = graph;
    this.#values = values;
    this.#tokens = tokensOf(text);
  }

  parse(): Node {
    const node = this.#value();
    if (this.#next.kind !== 'end') this.#fail('+, -, *, /, ^ or the end');
    return node;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(...signs: readonly string[]): string | null {
    const { kind, text } = this.#next;
    if ((kind !== 'sign' && kind !== 'name') || !signs.includes(text)) return null;
    this.#at++;
    return text;
  }

  #expect(sign: string, expected = `“${sign}”`): void {
    if (this.#take(sign) === null) this.#fail(expected);
  }

  #fail(expected: string, names: readonly string[] = []): never {
    const { kind, text, start, end } = this.#next;
    throw new FormulaError({ start, end }, expected, kind === 'end' ? 'the end' : `“${text}”`, names);
  }

  /** Bounds how deep `read` may come to call itself. */
  #deeper<T>(read: () => T): T {
    if (++this.#depth > formulaLimits.depth) this.#fail(`at most ${formulaLimits.depth} levels of nesting`);
    const result = read();
    this.#depth--;
    return result;
  }

  #value(): Node {
    let sum = this.#product();
    for (let sign = this.#take('+', '-'); sign !== null; sign = this.#take('+', '-')) {
      const term = this.#product();
      sum = sign === '+' ? this.#graph.add(sum, term) : this.#graph.sub(sum, term);
    }
    return sum;
  }

  #product(): Node {
    let product = this.#signed();
    for (let sign = this.#take('*', '/'); sign !== null; sign = this.#take('*', '/')) {
      const factor = this.#signed();
      product = sign === '*' ? this.#graph.mul(product, factor) : this.#graph.div(product, factor);
    }
    return product;
  }

  #signed(): Node {
    if (this.#take('+') !== null) return this.#deeper(() => this.#signed());
    if (this.#take('-') !== null) return this.#graph.neg(this.#deeper(() => this.#signed()));
    return this.#power();
  }

  #power(): Node {
    const base = this.#atom();
    if (this.#take('^') === null) return base;
    const { start } = this.#next;
    const exponent = this.#deeper(() => this.#signed());
    this.#checkPower(exponent, start);
    return this.#graph.call('pow', base, exponent);
  }

  #checkPower(exponent: Node, start: number): void {
    const value = numberIn(exponent) ?? 0;
    const { power } = formulaLimits;
    if (Math.abs(value) <= power) return;
    const { end } = this.#tokens[this.#at - 1]!;
    throw new FormulaError({ start, end }, `a power from −${power} to ${power}`, String(value));
  }

  #atom(): Node {
    const token = this.#next;
    if (token.kind === 'number') {
      const value = Number(token.text);
      if (Math.abs(value) > 3.4e38) this.#fail('a number that float32 can hold');
      this.#at++;
      return this.#graph.constant(value);
    }
    if (this.#take('(') !== null) {
      const inner = this.#deeper(() => this.#value());
      this.#expect(')', 'an operator or “)”');
      return inner;
    }
    if (token.kind === 'name') return this.#name(token);
    return this.#fail('a number, x, a parameter, a function or “(”');
  }

  #name({ text }: Token): Node {
    const called = knownFunctions.get(text);
    if (called) {
      this.#at++;
      return this.#call(called);
    }
    const value =
      text === 'x'
        ? this.#graph.variable('x')
        : (this.#values.get(text) ??
          (Object.hasOwn(formulaConstants, text) ? this.#graph.constant(formulaConstants[text]!) : undefined));
    if (value === undefined) {
      const parameters = [...this.#values.keys()];
      const known = parameters.length > 0 ? `x, ${parameters.join(', ')} or a function` : 'x or a function';
      return this.#fail(known, ['x', ...parameters, ...knownFunctions.keys(), ...Object.keys(formulaConstants)]);
    }
    this.#at++;
    return value;
  }

  #call({ call, arguments: [least, most], isWhere, isPower, make }: KnownFunction): Node {
    this.#expect('(', `“(”: ${call}`);
    const args = [this.#deeper(() => (isWhere ? this.#condition() : this.#value()))];
    while (args.length < most && this.#take(',') !== null) args.push(this.#deeper(() => this.#value()));
    if (args.length < least) this.#expect(',', `“,” and another argument: ${call}`);
    if (isPower) this.#checkPower(args[1]!, this.#tokens[this.#at - 1]!.start);
    this.#expect(')', args.length < most ? 'an operator, “,” or “)”' : `an operator or “)”: ${call}`);
    return make(this.#graph, args);
  }

  #condition(): Node {
    let any = this.#conjunction();
    while (this.#take('or') !== null) any = this.#graph.call('or', any, this.#conjunction());
    return any;
  }

  #conjunction(): Node {
    let all = this.#negation();
    while (this.#take('and') !== null) all = this.#graph.call('and', all, this.#negation());
    return all;
  }

  #negation(): Node {
    if (this.#take('not') !== null)
      return this.#graph.call(
        'not',
        this.#deeper(() => this.#negation()),
      );
    const inBrackets = this.#conditionInBrackets();
    if (inBrackets) return inBrackets;
    const left = this.#value();
    const sign = this.#take(...Object.keys(comparisons));
    if (sign === null) return this.#fail('a comparison: <, <=, >, >=, == or !=');
    return comparisons[sign]!(this.#graph, left, this.#value());
  }

  /** A bracket may begin a condition, or a value that is compared: what follows it tells. */
  #conditionInBrackets(): Node | null {
    if (this.#next.text !== '(' || !endsCondition.has(this.#tokenAfterBracket().text)) return null;
    this.#at++;
    const condition = this.#deeper(() => this.#condition());
    this.#expect(')', 'and, or, or “)”');
    return condition;
  }

  #tokenAfterBracket(): Token {
    let open = 0;
    for (let at = this.#at; at < this.#tokens.length - 1; at++) {
      const { text } = this.#tokens[at]!;
      if (text === '(') open++;
      if (text === ')' && --open === 0) return this.#tokens[at + 1]!;
    }
    return this.#tokens.at(-1)!;
  }
}

/** What can follow a condition; the end's text is empty. */
const endsCondition: ReadonlySet<string> = new Set([',', ')', 'and', 'or', '']);
