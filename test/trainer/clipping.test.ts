import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Parameter } from '../../server/model/parameters.ts';
import { clipped } from '../../server/trainer/clipping.ts';
import { openCpu } from './tinyPlan.ts';

beforeAll(openCpu);

type Given = Pick<Parameter, 'kernelOf'> & {
  readonly weights: Parameters<typeof tf.tensor>[0];
  readonly gradient: Parameters<typeof tf.tensor>[0];
};

const limit = 0.1;

function adaptively(given: readonly Given[]): number[][] {
  const before = tf.memory().numTensors;
  const parameters = given.map(({ weights, kernelOf }) => {
    const variable = tf.tidy(() => tf.variable(tf.tensor(weights)));
    return { variable, kernelOf, shape: variable.shape } as unknown as Parameter;
  });
  const gradients = given.map(({ gradient }) => tf.tensor(gradient));
  const norms = tf.tensor1d([]);
  const held = clipped(gradients, { type: 'adaptive', limit }, { parameters, norms });
  const values = held.map((gradient) => [...gradient.dataSync()]);
  tf.dispose([...gradients, ...held, norms, ...parameters.map(({ variable }) => variable)]);
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6) as number);

describe('adaptive clipping', () => {
  it('holds the weights that make an output: of a kernel its columns', () => {
    const kernel: Given = {
      kernelOf: 'dense',
      weights: [
        [3, 0, 6],
        [4, 1, 8],
      ],
      gradient: [
        [30, 0.06, -0.3],
        [40, 0.08, 0.4],
      ],
    };
    // ‖w‖ = 5, 1, 10: at most 0.5, 0.1 and 1; the gradients are 50, 0.1 and 0.5 long.
    expect(adaptively([kernel])).toEqual([close([0.3, 0.06, -0.3, 0.4, 0.08, 0.4])]);
  });

  it('holds all of a filter together', () => {
    // Two pixels of two channels for each of two filters.
    const filters = (values: readonly number[]) => [
      [[values.slice(0, 2), values.slice(2, 4)]],
      [[values.slice(4, 6), values.slice(6, 8)]],
    ];
    const weights = filters([2, 2, 0, 0, 0, 0, 0, 0]);
    // ‖w‖ = 2 for both: at most 0.2 of 0.4 and 0.1.
    const gradient = filters([0.2, 0.1, 0.2, 0, -0.2, 0, 0.2, 0]);
    const [held] = adaptively([{ kernelOf: 'convolution', weights, gradient }]);
    expect(held).toEqual(close([0.1, 0.1, 0.1, 0, -0.1, 0, 0.1, 0]));
  });

  it('holds what is no kernel by its rows, and what has one axis value by value', () => {
    const alpha = {
      kernelOf: null,
      weights: [
        [3, 4],
        [0, 1],
      ],
      gradient: [
        [0, 5],
        [0.03, 0.04],
      ],
    };
    const bias = { kernelOf: null, weights: [2, -1, 4], gradient: [-1, 0.05, 1] };
    expect(adaptively([alpha, bias])).toEqual([close([0, 0.5, 0.03, 0.04]), close([-0.2, 0.05, 0.4])]);
  });

  it('lets a unit at 0 leave it', () => {
    expect(adaptively([{ kernelOf: null, weights: [0, 0], gradient: [7, 0] }])).toEqual([close([1e-4, 0])]);
  });
});
