// Activations that are formulas, for tests: on the current runtime, and in float64.
import type * as tf from '@tensorflow/tfjs-core';
import { activationFunction, type FormulaActivation } from '../../server/formula/activationFunction.ts';
import { activate, activateGradients } from '../../server/formula/evaluate.ts';
import { applyFormula } from '../../server/tensor/ops/formula.ts';

/** One without trained coefficients. */
export function applyFixed(plan: FormulaActivation, x: tf.Tensor): tf.Tensor {
  return applyFormula(x, null, { formula: activationFunction(plan).formula, gradients: 'all' });
}

/** By rows of coefficients `[C, P]`. */
export function applyTrained(
  plan: FormulaActivation,
  x: tf.Tensor,
  coefficients: tf.Tensor2D,
  gradients: 'all' | 'input' = 'all',
): tf.Tensor {
  return applyFormula(x, coefficients, { formula: activationFunction(plan).formula, gradients });
}

export interface ExactInputs {
  readonly x: Float64Array;
  readonly dy: Float64Array;
  /** `[C, P]`, row by row; absent for P = 0. */
  readonly coefficients?: Float64Array;
  /** C. */
  readonly channels?: number;
}

/** Values and gradients in float64. */
export function exactActivation(
  plan: FormulaActivation,
  { x, dy, coefficients = new Float64Array(0), channels = 1 }: ExactInputs,
): { y: Float64Array; dx: Float64Array; dcoefficients: Float64Array } {
  const { formula } = activationFunction(plan);
  const length = channels === 0 ? 0 : coefficients.length / channels;
  const rows = Array.from({ length: channels }, (_, channel) =>
    coefficients.subarray(channel * length, (channel + 1) * length),
  );
  const { dx, dcoefficients } = activateGradients(formula, dy, x, rows);
  const sums = Float64Array.from(dcoefficients.flatMap((row) => [...row]));
  return { y: activate(formula, x, rows), dx, dcoefficients: sums };
}
