import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { activationFunction, type FormulaActivation } from '../../../server/formula/activationFunction.ts';
import { activate, activateGradients } from '../../../server/formula/evaluate.ts';
import { batchNormTraining } from '../../../server/tensor/ops/batchNorm.ts';
import { applyFormula } from '../../../server/tensor/ops/formula.ts';
import { canNormalizeFormula, normalizeAndApply } from '../../../server/tensor/ops/normalizedFormula.ts';
import * as reference from '../../../server/tensor/reference/batchNorm.ts';
import { expectClose } from '../expectClose.ts';
import {
  describeOnEveryRuntime,
  evaluateGradients,
  float64,
  input,
  rounded,
  scatter,
  withoutTrace,
} from './contract.ts';

const epsilon = 1e-3;

type Inputs = [tf.Tensor, tf.Tensor1D, tf.Tensor1D];

/** The op, and the two that it is made of. */
function opsOf(plan: FormulaActivation) {
  const { formula } = activationFunction(plan);
  const attributes = { formula, gradients: 'input' } as const;
  return {
    formula,
    fused: (...[x, gamma, beta]: Inputs) => normalizeAndApply(x, gamma, beta, epsilon, attributes),
    apart: (...[x, gamma, beta]: Inputs) => {
      const normalized = batchNormTraining(x, gamma, beta, epsilon);
      return { ...normalized, y: applyFormula(normalized.y, null, attributes) };
    },
  };
}

function inputsOf(x: Float32Array, nRows: number, nChannels: number) {
  const [gamma, beta] = [scatter(nChannels, 1, 1), scatter(nChannels, 1, 2)];
  return [input(x, [nRows, nChannels]), input(gamma), input(beta)] as const;
}

const activations = [{ type: 'relu' }, { type: 'swish' }, { type: 'elu', alpha: 1 }, { type: 'tanh' }] as const;

const shapes = [
  [0, 3],
  [1, 4],
  [2, 1],
  [5, 3],
  [7, 5],
  [67, 8],
  [131, 32],
  [300, 10],
  [1027, 4],
  [2100, 17],
] as const;

describeOnEveryRuntime('normalizeAndApply', (runtime) => {
  it.each(activations)('gives the bits that both ops give one after the other, $type', (plan) => {
    const { fused, apart } = opsOf(plan);
    for (const [nRows, nChannels] of shapes) {
      const x = Float32Array.from(scatter(nRows * nChannels, 3));
      const inputs = inputsOf(x, nRows, nChannels);
      const dy = scatter(nRows * nChannels, 1, 3);
      const outcome = (op: typeof fused) => {
        const { y, gradients } = evaluateGradients((...tensors: Inputs) => op(...tensors).y, inputs, dy);
        const statistics = withoutTrace(inputs, (tensors) => {
          const { mean, variance } = op(...(tensors as Inputs));
          return [mean, variance].map((each) => each.dataSync<'float32'>().slice());
        });
        return [y, ...gradients, ...statistics];
      };
      expect(outcome(fused), `${nRows} × ${nChannels}`).toEqual(outcome(apart));
    }
  });

  it('does so for NaN, ±Inf and very small numbers, which stay in their channel', () => {
    for (const value of [NaN, Infinity, -Infinity, 1e-42, 3e38]) {
      const x = Float32Array.from(scatter(40 * 9, 3));
      x[9 * 11 + 4] = value;
      const inputs = inputsOf(x, 40, 9);
      const dy = scatter(40 * 9, 1, 3);
      const { fused, apart } = opsOf({ type: 'swish' });
      const outcome = (op: typeof fused) => evaluateGradients((...tensors: Inputs) => op(...tensors).y, inputs, dy);
      expect(outcome(fused)).toEqual(outcome(apart));
      const hidden = outcome(fused).y.findIndex((y, index) => index % 9 !== 4 && !Number.isFinite(y));
      expect(hidden).toBe(-1);
    }
  });

  it.each(activations)('agrees with float64, $type', (plan) => {
    const [nRows, nChannels] = [131, 13];
    const { formula, fused } = opsOf(plan);
    const x = Float32Array.from(scatter(nRows * nChannels, 3));
    const inputs = inputsOf(x, nRows, nChannels);
    const dy = scatter(nRows * nChannels, 1, 3);
    const [gamma, beta] = [scatter(nChannels, 1, 1), scatter(nChannels, 1, 2)].map(float64);
    const { y: normalized } = reference.batchNorm(float64(x), gamma!, beta!, epsilon);
    const none = [new Float32Array(0)];
    const y = activate(formula, normalized, none);
    const { dx: slopes } = activateGradients(formula, float64(dy), normalized, none);
    const exact = reference.batchNormGradients(Float64Array.from(slopes), float64(x), gamma!, epsilon);
    const seen = evaluateGradients((...tensors: Inputs) => fused(...tensors).y, inputs, dy);
    expectClose(seen.y, rounded(Float64Array.from(y)), { absolute: 3e-6, relative: 1e-5 }, 'y');
    expectClose(seen.gradients[0]!, rounded(exact.dx), { absolute: 6e-6, relative: 1e-5 }, 'dx');
    const sums = { absolute: 3e-6 * (4 + nRows), relative: 1e-5 };
    expectClose(seen.gradients[1]!, rounded(exact.dgamma), sums, 'dgamma');
    expectClose(seen.gradients[2]!, rounded(exact.dbeta), sums, 'dbeta');
  });

  it('is one op on wasm', () => {
    expect(canNormalizeFormula()).toBe(runtime.startsWith('wasm'));
  });

  it('refuses coefficients of another length than the channels', () => {
    if (!canNormalizeFormula()) return;
    const { fused } = opsOf({ type: 'relu' });
    withoutTrace(inputsOf(new Float32Array(12), 4, 3), ([x, gamma]) => {
      const beta = tf.zeros([2]) as tf.Tensor1D;
      expect(() => fused(x!, gamma as tf.Tensor1D, beta)).toThrow(
        'normalizeAndApply: expected beta of shape [3], got [2]',
      );
      return null;
    });
  });
});
