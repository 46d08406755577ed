// Derivatives of formulas, what is simplified, and what is said of them before they are trained.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activationFunction, usualActivation } from '../../server/formula/activationFunction.ts';
import { activations, type ActivationName } from '../../server/formula/activations.ts';
import { cornersOf, gainOf } from '../../server/formula/analysis.ts';
import { activate, activateGradients, curveOf } from '../../server/formula/evaluate.ts';
import { inOrder, type Node } from '../../server/formula/expression.ts';
import { formulaOf } from '../../server/formula/formula.ts';
import { boundErrors } from './errorBound.ts';
import { formulas } from './randomFormula.ts';

function written(node: Node): string {
  if (node.type === 'constant') return String(node.value);
  return node.type === 'variable' ? node.name : `${node.operation}(${node.args.map(written).join(', ')})`;
}

function slopeOf(formula: string, parameters: readonly string[] = []): string {
  return written(formulaOf({ formula, parameters }).slope);
}

describe('the derivative of a formula', () => {
  it.each([
    ['x', '1'],
    ['3 * x', '3'],
    ['2 * (3 * x)', '6'],
    ['x + 1', '1'],
    ['max(x, 0)', 'where(le(x, 0), 0, 1)'],
    ['max(0, x)', 'where(le(x, 0), 0, 1)'],
    ['where(x > 0, x, 0.1 * x)', 'where(lt(0, x), 1, 0.1)'],
    ['exp(x)', 'exp(x)'],
    ['sigmoid(x)', 'mul(sigmoid(x), sub(1, sigmoid(x)))'],
    ['x^2', 'mul(x, 2)'],
    // Nothing infinite can meet a 0 here, so no product is guarded.
    ['x * x * x', 'add(mul(x, x), mul(x, mul(x, 2)))'],
  ])('of %s is %s', (formula, slope) => {
    expect(slopeOf(formula)).toBe(slope);
  });

  it.each([
    ['exp(-x^2)', -3e38, 0],
    ['x * exp(-x^2)', 1e30, 0],
    ['x / (1 + exp(-x))', -3e38, 0],
    ['x / (1 + x^2)', 3e38, 0],
    ['where(x > 0, sqrt(x), 0)', -1, 0],
    ['where(x > 0, x * log(x), 0)', 0, 0],
    ['max(x, -100) * sigmoid(x)', Infinity, 1],
    ['max(x, -100) * sigmoid(x)', -Infinity, 0],
  ])('of %s at %d is finite', (formula, x, slope) => {
    expect(curveOf(formulaOf({ formula, parameters: [] }), [x], []).slopes[0]).toBeCloseTo(slope, 12);
  });

  it('is that of central differences, for random formulas', () => {
    let nCompared = 0;
    fc.assert(
      fc.property(formulas, ({ formula, parameters }) => {
        const made = formulaOf({ formula, parameters: Object.keys(parameters) });
        const row = Object.values(parameters);
        for (const x of [-1.7, -0.4, 0.3, 1.1, 2.3]) {
          const { dx, dcoefficients } = activateGradients(made, [1], [x], [row]);
          const step = 1e-6;
          const differences = [0, ...row.map((_, p) => p + 1)].map((which) => {
            const at = (sign: number) => {
              const moved = row.map((value, p) => value + (which === p + 1 ? sign * step : 0));
              return activate(made, [x + (which === 0 ? sign * step : 0)], [moved])[0]!;
            };
            // A corner or a jump between the two has no derivative to compare with.
            const [below, here, above] = [at(-1), at(0), at(1)];
            const isSmooth = Math.abs(above - 2 * here + below) < 1e-9 * (1 + Math.abs(here));
            return isSmooth ? (above - below) / (2 * step) : NaN;
          });
          const bounds = boundErrors([made.value], { x, ...parameters });
          if (!(bounds[0]!.error < 1e-4)) continue;
          [dx[0]!, ...dcoefficients[0]!].forEach((slope, which) => {
            if (Number.isNaN(differences[which]) || Math.abs(slope) > 1e3) return;
            nCompared++;
            expect(Math.abs(slope - differences[which]!), `${formula} at ${x}, by ${which}`).toBeLessThan(
              1e-3 * (1 + Math.abs(slope)),
            );
          });
        }
      }),
      { numRuns: 500 },
    );
    expect(nCompared).toBeGreaterThan(1500);
  });
});

describe('a formula is written more simply', () => {
  // The same value at 3 by both, and by hand.
  it.each([
    ['x + 0', 'x', 3],
    ['0 + x', 'x', 3],
    ['x - 0', 'x', 3],
    ['0 - x', 'neg(x)', -3],
    ['x + -1 * x^3', 'sub(x, pow(x, 3))', -24],
    ['-x + x^3', 'sub(pow(x, 3), x)', 24],
    ['x - -x^3', 'add(x, pow(x, 3))', 30],
    ['--x', 'x', 3],
    ['1 * x', 'x', 3],
    ['x * -1', 'neg(x)', -3],
    ['2 * -x', 'mul(x, -2)', -6],
    ['2 * (x * 3)', 'mul(x, 6)', 18],
    ['2 * (sin(x) * x)', 'mul(2, mul(x, sin(x)))', 6 * Math.sin(3)],
    ['x / 1', 'x', 3],
    ['x / -1', 'neg(x)', -3],
    ['x / 4', 'mul(x, 0.25)', 0.75],
    ['x / 3', 'div(x, 3)', 1],
    ['3 * x / 3', 'x', 3],
    ['(x * 3) / 3', 'x', 3],
    ['x^1', 'x', 3],
    ['x^2', 'mul(x, x)', 9],
    ['x^0.5', 'sqrt(x)', Math.sqrt(3)],
    ['x^-1', 'div(1, x)', 1 / 3],
    ['x + x^0', 'add(x, 1)', 4],
    ['max(x, x)', 'x', 3],
    ['where(x > 1, x, x)', 'x', 3],
    ['where(not x > 1, 1, x)', 'where(lt(1, x), x, 1)', 3],
    ['where(x != 3, 1, x)', 'where(eq(x, 3), x, 1)', 3],
    ['where(not not x > 1, 1, x)', 'where(lt(1, x), 1, x)', 1],
    ['x * (1 + 2)', 'mul(x, 3)', 9],
    ['x * sqrt(4)', 'mul(x, 2)', 6],
  ])('%s is %s', (formula, simpler, value) => {
    const made = formulaOf({ formula, parameters: [] });
    expect(written(made.value)).toBe(simpler);
    expect(curveOf(made, [3], []).values[0]).toBeCloseTo(value, 12);
  });

  it('but not where a number would leave float32', () => {
    const made = formulaOf({ formula: '1e-20 * (1e-20 * x)', parameters: [] });
    expect(written(made.value)).toBe('mul(1e-20, mul(x, 1e-20))');
  });

  it('and a part that is the same for all x has its value everywhere', () => {
    const made = formulaOf({ formula: 'where(1 < 2, x, 0) + 0 * x', parameters: [] });
    expect([...curveOf(made, [1, 2, 3], []).values]).toEqual([1, 2, 3]);
    const flat = formulaOf({ formula: 'where(2 < 1, x, 5)', parameters: [] });
    expect([
      ...curveOf(
        flat,
        Array.from({ length: 600 }, (_, i) => i),
        [],
      ).values,
    ]).toEqual(Array(600).fill(5));
  });
});

describe('equal formulas', () => {
  it('are one object, by which what is compiled for it is found', () => {
    const text = { formula: 'x * sigmoid(b * x)', parameters: ['b'] };
    expect(formulaOf({ ...text })).toBe(formulaOf({ ...text }));
    expect(formulaOf({ ...text, constants: { c: 1 } })).not.toBe(formulaOf(text));
  });

  it('compute what they share once', () => {
    const { value } = formulaOf({ formula: 'exp(x) * (exp(x) + 2) / (exp(x) * (exp(x) + 2) + 2)', parameters: [] });
    expect(inOrder([value]).filter((node) => node.type === 'call' && node.operation === 'exp')).toHaveLength(1);
  });
});

describe('the gain per layer behind batch normalisation', () => {
  // Of the thesis's analysis of its deepest network: √(E f′²/Var f) at N(0, 1).
  it.each([
    ['relu', Math.sqrt(Math.PI / (Math.PI - 1)), 1e-4],
    ['gelu', 1.148, 5e-4],
    ['swish', 1.101, 5e-4],
    ['tanh', 1.085, 5e-4],
    ['elu', 1.039, 5e-4],
    ['softplus', 1.04, 6e-4],
    ['polynomial', 1, 1e-6],
  ] as const)('of %s is %d', (type, gain, tolerance) => {
    const plan = usualActivation(type);
    expect(Math.abs(gainOf(activationFunction(plan)) - gain)).toBeLessThan(tolerance);
  });

  it('is none for what is constant there', () => {
    const formula = formulaOf({ formula: 'where(x > 1000, x, 1)', parameters: [] });
    expect(gainOf({ formula, parameters: [] })).toBeNaN();
  });
});

describe('the corners of an activation', () => {
  const cornersOfNamed = (type: ActivationName) => cornersOf(activationFunction(usualActivation(type)));

  it('are found where it has no derivative', () => {
    expect(cornersOfNamed('relu')).toEqual([{ x: 0, isJump: false, slopes: [0, 1] }]);
    expect(cornersOfNamed('hard-tanh').map(({ x }) => x)).toEqual([-1, 1]);
    expect(cornersOfNamed('step')).toEqual([{ x: 0, isJump: true, slopes: [1, 1] }]);
  });

  it('are none where the branches meet smoothly', () => {
    for (const type of ['elu', 'swish', 'softplus', 'mish', 'tanh', 'gelu'] as const) {
      expect(cornersOfNamed(type), type).toEqual([]);
    }
  });

  it('are found between the points that are looked at', () => {
    const formula = formulaOf({ formula: 'abs(x - 0.12345)', parameters: [] });
    const [corner] = cornersOf({ formula, parameters: [] });
    expect(corner!.x).toBeCloseTo(0.12345, 6);
  });
});

it('every activation with a name has all that its documents say', () => {
  for (const [type, { name, description, equation }] of Object.entries(activations)) {
    expect(description, type).toMatch(/\.$/);
    expect(equation, type).toMatch(/^f\(x\)/);
    expect(name, type).not.toBe('');
  }
});
