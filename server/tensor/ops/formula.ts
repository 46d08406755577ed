// Activation functions that are a formula of x and of a row of trained coefficients for each channel; ../../formula has the language
// and the table of those with a name.
import * as tf from '@tensorflow/tfjs-core';

import { activate, activateGradients } from '../../formula/evaluate.ts';
import type { Formula } from '../../formula/formula.ts';
import { expectDtype, expectFloats, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { trainedGradient } from './trainedGradient.ts';

export interface FormulaAttributes {
  readonly formula: Formula;
  /** `input` leaves out the gradient with respect to the coefficients, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/**
 * The formula at each element, by its channel's coefficients: their columns are the formula's parameters, in their order.
 * @param x float32 `[…, C]`; of any shape where the formula has no parameters.
 * @param coefficients float32 `[C, P]`; null where P = 0.
 * @returns like x. NaN gives NaN. What passes back is dy·∂f/∂x, as the formula's derivative or the slope in its place says.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function applyFormula<T extends tf.Tensor>(
  x: T,
  coefficients: tf.Tensor2D | null,
  attributes: FormulaAttributes,
): T {
  // An object of ours, which tfjs hands through.
  const named = { ...attributes } as unknown as tf.NamedAttrMap;
  const nParameters = attributes.formula.text.parameters.length;
  expectDtype('formula', 'x', x, 'float32');
  if (nParameters === 0) return tf.engine().runKernel('KafscopeFormula', { x }, named);
  if (!coefficients) throw new RangeError(`formula: expected coefficients for ${nParameters} parameters`);
  expectFloats('formula', 'coefficients', coefficients, [lastAxis('formula', 'x', x), nParameters]);
  return tf.engine().runKernel('KafscopeTrainedFormula', { x, coefficients }, named);
}

const forward: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { formula } = attrs as unknown as FormulaAttributes;
  const x = inputOf(inputs, 'x');
  const y = activate(formula, floatsOf(backend, x), rowsOf(backend, inputs['coefficients']));
  return makeFloats(backend, x.shape, Float32Array.from(y));
};

const backward: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { formula, gradients } = attrs as unknown as FormulaAttributes;
  const x = inputOf(inputs, 'x');
  const { coefficients } = inputs;
  const [dy, rows] = [floatsOf(backend, inputs['dy']), rowsOf(backend, coefficients)];
  const { dx, dcoefficients } = activateGradients(formula, dy, floatsOf(backend, x), rows);
  const made = makeFloats(backend, x.shape, Float32Array.from(dx));
  if (!coefficients) return made;
  const wantsAll = gradients === 'all';
  const sums = wantsAll ? Float32Array.from(dcoefficients.flatMap((row) => [...row])) : new Float32Array(0);
  return [made, makeFloats(backend, wantsAll ? coefficients.shape : [0], sums)];
};

/** Two ops, because an op of tfjs has always the same inputs. */
export const formulaOps: OpDefinition = {
  kernels: [
    { kernelName: 'KafscopeFormula', kernelFunc: forward },
    { kernelName: 'KafscopeFormulaGrad', kernelFunc: backward },
    { kernelName: 'KafscopeTrainedFormula', kernelFunc: forward },
    { kernelName: 'KafscopeTrainedFormulaGrad', kernelFunc: backward },
  ],
  gradients: [
    {
      kernelName: 'KafscopeFormula',
      inputsToSave: ['x'],
      gradFunc: (dy, saved, attrs) => ({
        x: () => tf.engine().runKernel('KafscopeFormulaGrad', { dy: dy as tf.Tensor, x: saved[0]! }, attrs),
      }),
    },
    trainedGradient('KafscopeTrainedFormula', 'formula', ['coefficients']),
  ],
};

/** A row a channel; one empty row where there are no coefficients. */
function rowsOf(backend: object, coefficients: tf.TensorInfo | undefined): Float32Array[] {
  if (!coefficients) return [new Float32Array(0)];
  const values = floatsOf(backend, coefficients);
  const [nChannels, length] = coefficients.shape as [number, number];
  return Array.from({ length: nChannels }, (_, channel) => values.subarray(channel * length, (channel + 1) * length));
}
