import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { batchNormTraining } from '../../../server/tensor/ops/batchNorm.ts';
import { kaf, type KafOptions } from '../../../server/tensor/ops/kaf.ts';
import { canNormalizeKaf, normalizeAndKaf } from '../../../server/tensor/ops/normalizedKaf.ts';
import * as batchNormReference from '../../../server/tensor/reference/batchNorm.ts';
import * as kafReference from '../../../server/tensor/reference/kaf.ts';
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
const options = { boundary: 3, gamma: 361 / 216, base: 'none', gradients: 'all' } as const satisfies KafOptions;
const dictionary = 20;

type Inputs = [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor2D];

/** The op, and the two that it is made of. */
function opsOf(used: KafOptions) {
  return {
    fused: (...[x, gamma, beta, alpha]: Inputs) => normalizeAndKaf(x, [gamma, beta], epsilon, alpha, used),
    apart: (...[x, gamma, beta, alpha]: Inputs) => {
      const normalized = batchNormTraining(x, gamma, beta, epsilon);
      return { ...normalized, y: kaf(normalized.y, alpha, used) };
    },
  };
}

function inputsOf(x: ArrayLike<number>, nRows: number, nChannels: number) {
  const alpha = input(scatter(nChannels * dictionary, 0.3, 4), [nChannels, dictionary]);
  return [
    input(x, [nRows, nChannels]),
    input(scatter(nChannels, 1, 1)),
    input(scatter(nChannels, 1, 2)),
    alpha,
  ] as const;
}

const shapes = [
  [0, 3],
  [1, 4],
  [2, 1],
  [7, 5],
  [67, 8],
  [131, 32],
  [1027, 4],
  [2100, 17],
] as const;

describeOnEveryRuntime('normalizeAndKaf', (runtime) => {
  it.each(['none', 'swish'] as const)('gives the bits that both ops give one after the other, base %s', (base) => {
    const { fused, apart } = opsOf({ ...options, base });
    for (const [nRows, nChannels] of shapes) {
      const inputs = inputsOf(scatter(nRows * nChannels, 3), nRows, nChannels);
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

  // The last has more rows in a part of the sums than a block has.
  it.each([...shapes, [16_000, 32]] as const)('gives the same bits to attacks, of %d × %d', (nRows, nChannels) => {
    const { fused, apart } = opsOf({ ...options, gradients: 'input' });
    const [x, gamma, beta, alpha] = inputsOf(scatter(nRows * nChannels, 3), nRows, nChannels);
    const dy = scatter(nRows * nChannels, 1, 3);
    const outcome = (op: typeof fused) => {
      const coefficients = tf.tensor2d(Float32Array.from(alpha.values), alpha.shape as [number, number]);
      const of = (...[a, b, c]: [tf.Tensor, tf.Tensor1D, tf.Tensor1D]) => op(a, b, c, coefficients).y;
      const { gradients } = evaluateGradients(of, [x, gamma, beta], dy);
      coefficients.dispose();
      return gradients;
    };
    const seen = outcome(fused);
    outcome(apart).forEach((wanted, index) => {
      expectClose(seen[index]!, wanted, { absolute: 0, relative: 0 }, ['dx', 'dgamma', 'dbeta'][index]);
    });
  });

  it.each([NaN, Infinity, -Infinity, 3e38])('does so for %d, which stays in its channel', (value) => {
    const x = Float32Array.from(scatter(40 * 9, 3));
    x[9 * 11 + 4] = value;
    const inputs = inputsOf(x, 40, 9);
    const dy = scatter(40 * 9, 1, 3);
    const { fused, apart } = opsOf(options);
    const outcome = (op: typeof fused) => evaluateGradients((...tensors: Inputs) => op(...tensors).y, inputs, dy);
    expect(outcome(fused)).toEqual(outcome(apart));
    expect(outcome(fused).y.findIndex((y, index) => index % 9 !== 4 && !Number.isFinite(y))).toBe(-1);
  });

  it('agrees with float64', () => {
    const [nRows, nChannels] = [131, 13];
    const [x, dy] = [scatter(nRows * nChannels, 3), scatter(nRows * nChannels, 1, 3)];
    const [gamma, beta] = [scatter(nChannels, 1, 1), scatter(nChannels, 1, 2)].map(float64);
    const alpha = float64(scatter(nChannels * dictionary, 0.3, 4));
    const { y: normalized } = batchNormReference.batchNorm(float64(x), gamma!, beta!, epsilon);
    const elements = kafReference.uniformDictionary(dictionary, options.boundary);
    const given = { channels: nChannels, dictionary: elements, gamma: options.gamma, base: options.base };
    const y = kafReference.kaf(normalized, alpha, given);
    const slopes = kafReference.kafGradients(float64(dy), normalized, alpha, given);
    const exact = batchNormReference.batchNormGradients(slopes.dx, float64(x), gamma!, epsilon);
    const { fused } = opsOf(options);
    const seen = evaluateGradients((...tensors: Inputs) => fused(...tensors).y, inputsOf(x, nRows, nChannels), dy);
    expectClose(seen.y, rounded(y), { absolute: 1e-5, relative: 1e-5 }, 'y');
    expectClose(seen.gradients[0]!, rounded(exact.dx), { absolute: 3e-5, relative: 1e-5 }, 'dx');
    const sums = { absolute: 1e-5 * (4 + nRows), relative: 1e-5 };
    expectClose(seen.gradients[1]!, rounded(exact.dgamma), sums, 'dgamma');
    expectClose(seen.gradients[2]!, rounded(exact.dbeta), sums, 'dbeta');
    expectClose(seen.gradients[3]!, rounded(slopes.dalpha), sums, 'dalpha');
  });

  it('is one op on wasm', () => {
    expect(canNormalizeKaf()).toBe(runtime.startsWith('wasm'));
  });
});
