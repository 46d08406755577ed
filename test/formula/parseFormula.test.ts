// The language of formulas: what it means, and how a mistake is told.
import { describe, expect, it } from 'vitest';
import { curveOf } from '../../server/formula/evaluate.ts';
import { inOrder } from '../../server/formula/expression.ts';
import { formulaOf } from '../../server/formula/formula.ts';
import { FormulaError, formulaFunctions, isParameterName } from '../../server/formula/parseFormula.ts';

function valueAt(formula: string, x: number, parameters: Readonly<Record<string, number>> = {}): number {
  const made = formulaOf({ formula, parameters: Object.keys(parameters) });
  return curveOf(made, [x], Object.values(parameters)).values[0]!;
}

function mistakeIn(formula: string, parameters: readonly string[] = []): FormulaError {
  try {
    formulaOf({ formula, parameters });
  } catch (error) {
    if (error instanceof FormulaError) return error;
    throw error;
  }
  throw new Error(`${formula} was read`);
}

describe('a formula', () => {
  it.each([
    ['1 + 2 * x', 7],
    ['(1 + 2) * x', 9],
    ['x - 1 - 1', 1],
    ['x / 2 / 3', 0.5],
    ['-x^2', -9],
    ['2^x^2', 512],
    ['2^-x', 0.125],
    ['x**2', 9],
    ['pow(x, 2)', 9],
    ['+x - -x', 6],
    ['1.5e1 + .5 * x', 16.5],
    ['2 × x − 1', 5],
    ['2 · x', 6],
    ['pi * x / x', Math.PI],
    ['e * x / x', Math.E],
    ['min(4, x, 5)', 3],
    ['max(1, x, 2)', 3],
    ['clip(x, -1, 1)', 1],
    ['where(x > 2, 10, 20) + x - x', 10],
    ['where(x >= 3 and x <= 3, 10, 20) + x - x', 10],
    ['where(x < 3 or not x == 3, 10, 20) + x - x', 20],
    ['where((x + 1) * 2 > 7, 10, 20) + x - x', 10],
    ['where((x > 2 and (x > 5 or x < 4)), 10, 20) + x - x', 10],
    ['where(x != 3, 10, 20) + x - x', 20],
  ])('%s at 3 is %d', (formula, value) => {
    expect(valueAt(formula, 3)).toBeCloseTo(value, 12);
  });

  it('has its parameters by name', () => {
    expect(valueAt('a * x + b_1', 2, { a: 3, b_1: 1 })).toBe(7);
  });

  it.each([...formulaFunctions].filter(([name]) => !['where', 'clip', 'pow', 'min', 'max'].includes(name)))(
    'may call %s',
    (name) => {
      expect(Number.isFinite(valueAt(`${name}(x)`, 0.3))).toBe(true);
    },
  );

  it.each([
    ['x +', 'a number, x, a parameter, a function or “(”', 'the end', '', 3],
    ['x * sigmod(x)', 'x or a function', '“sigmod”', 'sigmod', 4],
    ['a * x', 'x or a function', '“a”', 'a', 0],
    ['(x', 'an operator or “)”', 'the end', '', 2],
    ['x)', '+, -, *, /, ^ or the end', '“)”', ')', 1],
    ['x x', '+, -, *, /, ^ or the end', '“x”', 'x', 2],
    ['sin x', '“(”: sin(u)', '“x”', 'x', 4],
    ['clip(x, 1)', '“,” and another argument: clip(u, low, high)', '“)”', ')', 9],
    ['tanh(x, 1)', 'an operator or “)”: tanh(u)', '“,”', ',', 6],
    ['pow(x, 1, 2)', 'an operator or “)”: pow(u, v)', '“,”', ',', 8],
    ['where(x, 1, 2)', 'a comparison: <, <=, >, >=, == or !=', '“,”', ',', 7],
    ['x > 1', '+, -, *, /, ^ or the end', '“>”', '>', 2],
    ['x $ 1', 'a number, a name or a sign', '“$”', '$', 2],
    ['x^100', 'a power from −64 to 64', '100', '100', 2],
    ['pow(x, 100)', 'a power from −64 to 64', '100', '100', 7],
    ['1e39 * x', 'a number that float32 can hold', '“1e39”', '1e39', 0],
    ['x + 1/0', 'numbers that float32 can hold', 'div of numbers, which is none', 'x + 1/0', 0],
    ['x + exp(99)', 'numbers that float32 can hold', String(Math.exp(99)), 'x + exp(99)', 0],
    ['1 + 2', 'a formula of x', 'one without x', '1 + 2', 0],
  ])('%s: expected %s', (formula, expected, got, place, start) => {
    const mistake = mistakeIn(formula);
    expect({ expected: mistake.expected, got: mistake.got }).toEqual({ expected, got });
    expect(formula.slice(mistake.start, mistake.end)).toBe(place);
    expect(mistake.start).toBe(start);
  });

  it('must have each of its parameters', () => {
    expect(mistakeIn('x + 1', ['b']).expected).toBe('the parameter b in the formula');
  });

  it('knows what its parameters may not be called', () => {
    expect(['a', 'beta_2', '_', 'X'].every(isParameterName)).toBe(true);
    expect(['x', 'pi', 'e', 'sin', 'where', 'not', '2a', 'a b', '', 'é'].some(isParameterName)).toBe(false);
  });
});

describe('a hostile formula is refused before it costs anything:', () => {
  it.each([
    ['a hundred thousand characters', 'x+'.repeat(50_000) + 'x', /at most 4000 characters/],
    ['brackets in brackets', '('.repeat(1900) + 'x' + ')'.repeat(1900), /levels of nesting/],
    ['signs before signs', '-'.repeat(3900) + 'x', /levels of nesting/],
    ['powers of powers', 'x^'.repeat(1900) + '2', /levels of nesting/],
    ['calls in calls', 'exp('.repeat(700) + 'x' + ')'.repeat(700), /levels of nesting/],
    ['not of not', `where(${'not '.repeat(900)}x > 1, x, 1)`, /levels of nesting/],
    ['huge powers', '(x^64)^9999', /a power from/],
  ])('%s', (_, formula, expected) => {
    expect(mistakeIn(formula).message).toMatch(expected);
  });

  it('forty levels and four thousand characters are read, one more is not', () => {
    const nested = (levels: number) => '('.repeat(levels) + 'x' + ')'.repeat(levels);
    expect(valueAt(nested(40), 3)).toBe(3);
    expect(mistakeIn(nested(41)).expected).toBe('at most 40 levels of nesting');
    expect(valueAt(`x${' '.repeat(3999)}`, 3)).toBe(3);
    expect(mistakeIn(`x${' '.repeat(4000)}`).expected).toBe('at most 4000 characters');
    expect(valueAt('x + x^64 * 0', 1)).toBe(1);
    expect(mistakeIn('x^64.5').expected).toBe('a power from −64 to 64');
  });

  it('derivatives that grow with the formula stay in proportion', () => {
    // Products of products: without sharing, the derivative of each would hold those before it again.
    const formula = Array.from({ length: 200 }, (_, i) => `sin(x + ${i})`).join(' * ');
    const { value, slope } = formulaOf({ formula, parameters: [] });
    expect(inOrder([value, slope]).length).toBeLessThan(4 * inOrder([value]).length);
  });

  it('one whose derivatives are too long is refused', () => {
    const names = Array.from({ length: 16 }, (_, i) => `p${i}`);
    const formula = Array.from({ length: 150 }, (_, i) => `sin(x * ${names[i % 16]} + ${i})`).join(' * ');
    expect(mistakeIn(formula, names).expected).toBe('a shorter formula');
  });
});
