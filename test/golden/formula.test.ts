// Random formulas against PyTorch's autograd in float64 (formula.py): the float64 reference, and every runtime within what float32
// can do.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { activate, activateGradients } from '../../server/formula/evaluate.ts';
import { formulaOf, type Formula } from '../../server/formula/formula.ts';
import { applyFormula } from '../../server/tensor/ops/formula.ts';
import { WasmBackend } from '../../server/tensor/wasm/wasmBackend.ts';
import { boundErrors } from '../formula/errorBound.ts';
import { describeOnEveryRuntime, evaluateGradients, input } from '../tensor/ops/contract.ts';
import { readGolden } from './readGolden.ts';

interface Case {
  readonly formula: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly x: readonly number[];
  /** Null where nothing is to be compared. */
  readonly y: readonly (number | null)[];
  /** With respect to x and to each parameter. */
  readonly gradients: readonly (readonly (number | null)[])[];
}

const { cases } = readGolden<{ cases: readonly Case[] }>('formula');

/** What they leave open. */
const nineDigits = 5e-9;
/** PyTorch has eᵘ as expm1(u) + 1, which loses what is small beside 1. */
const digitsOfOne = 1e-15;
/** Autograd adds x·1 and x·(−1) to 0.03 one after the other, and at 3.4e38 loses it. */
const lostByAutograd = '(x) * (erfc((1.528)) - (x - (x))) - ((((x) * ((-0.468))) / (x))^-1)';

const read = cases.map((one) => ({
  ...one,
  x: one.x.map(Math.fround),
  row: Object.values(one.parameters).map(Math.fround),
  made: formulaOf({ formula: one.formula, parameters: Object.keys(one.parameters) }),
}));

describe('random formulas agree with PyTorch in float64', () => {
  it('in values and all gradients, wherever both are finite', () => {
    let nCompared = 0;
    const wrong: string[] = [];
    for (const { formula, parameters, x, row, made, y, gradients } of read) {
      const nodes = [made.value, made.slope, ...made.partials];
      const bounds = x.map((at) => boundErrors(nodes, { x: at, ...rounded(parameters) }));
      const ours = [activate(made, x, [row]), ...slopesOf(made, x, row)];
      [y, ...gradients].forEach((theirs, quantity) => {
        theirs.forEach((value, n) => {
          const own = ours[quantity]![n]!;
          // By the bound of float32, as many times smaller as float64's rounding is; 64 for PyTorch's other way to compute.
          const error = bounds[n]![quantity]!.error * 64 * 2 ** -29;
          if (formula === lostByAutograd && Math.abs(x[n]!) > 1e38 && quantity === 1) return;
          if (value === null || !(error < 1e-3 * (1 + Math.abs(value)))) return;
          nCompared++;
          if (Math.abs(own - value) <= error + nineDigits * Math.abs(value) + digitsOfOne) return;
          wrong.push(`${formula} at ${x[n]} by ${['y', 'x', 'a', 'b', 'c'][quantity]}: ${own}, PyTorch ${value}`);
        });
      });
    }
    expect(wrong).toEqual([]);
    expect(nCompared).toBeGreaterThan(15_000);
  });

  it('are finite where PyTorch is', () => {
    const lost = read.flatMap(({ formula, x, row, made, y, gradients }) => {
      const [slopes] = slopesOf(made, x, row);
      const values = activate(made, x, [row]);
      return x
        .filter((_, n) => {
          const isFinite = y[n] !== null && gradients[0]![n] !== null;
          return isFinite && !(Number.isFinite(values[n]) && Number.isFinite(slopes![n]));
        })
        .map((at) => `${formula} at ${at}`);
    });
    expect(lost).toEqual([]);
  });
});

describeOnEveryRuntime('random formulas', () => {
  it('are as near to float64 as float32 allows', () => {
    let nCompared = 0;
    const wrong: string[] = [];
    const backend = tf.backend();
    if (backend instanceof WasmBackend) backend.formulas.prepare(read.map(({ made }) => made));
    for (const { formula, parameters, x, row, made } of read) {
      const names = made.text.parameters;
      // Each x is a channel of its own, so that each has its own gradient of the parameters.
      const inputs = [
        input(x, [1, x.length]),
        ...(row.length > 0
          ? [
              input(
                x.flatMap(() => row),
                [x.length, row.length],
              ),
            ]
          : []),
      ];
      const op = (xs: tf.Tensor, coefficients?: tf.Tensor2D) =>
        applyFormula(xs, coefficients ?? null, { formula: made, gradients: 'all' });
      const { y, gradients } = evaluateGradients(op, inputs, new Float32Array(x.length).fill(1));
      x.forEach((at, n) => {
        const bounds = boundErrors([made.value, made.slope, ...made.partials], { x: at, ...rounded(parameters) });
        const ours = [y[n]!, gradients[0]![n]!, ...names.map((_, p) => gradients[1]![n * names.length + p]!)];
        bounds.forEach(({ value, error }, quantity) => {
          // A bound as large as the value says nothing.
          if (!(error < 1e-2 * (1 + Math.abs(value)))) return;
          nCompared++;
          const off = Math.abs(ours[quantity]! - value);
          if (off <= 2 * error + 1e-37) return;
          wrong.push(`${formula} at ${at}, quantity ${quantity}: ${ours[quantity]}, exact ${value}, bound ${error}`);
        });
      });
    }
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(nCompared).toBeGreaterThan(12_000);
  });
});

function rounded(parameters: Case['parameters']): Record<string, number> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, Math.fround(value)]));
}

/** ∂f/∂x and ∂f/∂p at each x. */
function slopesOf(made: Formula, x: readonly number[], row: readonly number[]): Float64Array[] {
  const ones = new Float64Array(1).fill(1);
  const each = x.map((at) => activateGradients(made, ones, [at], [row]));
  return [
    Float64Array.from(each, ({ dx }) => dx[0]!),
    ...row.map((_, p) => Float64Array.from(each, ({ dcoefficients }) => dcoefficients[0]![p]!)),
  ];
}
