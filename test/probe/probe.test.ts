import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildNetwork, type Network } from '../../server/model/network.ts';
import { beginShapes } from '../../server/probe/shapes.ts';
import { measured, measureWeights, normsRecord } from '../../server/probe/norms.ts';
import { tensorNorms } from '../../server/tensor/ops/norms.ts';
import type { KafPlan, SplinePlan } from '../../server/protocol/plan.ts';
import { openCpu, tinyPlan } from '../trainer/tinyPlan.ts';

let network: Network;

beforeAll(openCpu);
beforeEach(() => {
  network = buildNetwork(tinyPlan.model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
});
afterEach(() => {
  network.dispose();
});

describe('normsRecord', () => {
  it('holds the L2 norms and the non-finite counts of weights and gradients in the order of the parameters', () => {
    const { variable } = network.parameters[0]!;
    variable.assign(tf.fill(variable.shape, 2));
    const gradients = network.parameters.map(({ shape }, index) => tf.fill([...shape], index));
    gradients[1] = tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY, ...Array<number>(30).fill(1)]);
    const record = normsRecord(measureWeights(network)(), measured(tensorNorms(gradients))(), 9);
    expect(record.step).toBe(9);
    expect(record.weights[0]).toBeCloseTo(2 * Math.sqrt(3 * 3 * 3 * 32), 4);
    expect(record.gradients[2]).toBeCloseTo(2 * Math.sqrt(32), 5);
    expect(Number.isFinite(record.gradients[1])).toBe(false);
    expect([...record.nonFiniteGradients.slice(0, 3)]).toEqual([0, 2, 0]);
    expect(record.nonFiniteWeights.every((count) => count === 0)).toBe(true);
    expect(record.weights).toHaveLength(network.parameters.length);
    tf.dispose(gradients);
  });
});

describe('beginShapes', () => {
  it('copies the coefficients: later changes of the network leave the record as it was', () => {
    const record = beginShapes(network, 3)();
    expect(record.alphas.map(({ length }) => length)).toEqual([32, 32, 64, 64, 128].map((channels) => channels * 5));
    const before = record.alphas[4]!.slice();
    const { variable } = network.parameters.find(({ name }) => name === 'kaf5.alpha')!;
    expect([...variable.dataSync()]).toEqual([...before]);
    variable.assign(tf.zeros(variable.shape));
    expect(record.alphas[4]).toEqual(before);
    expect(record.kernels).toBeUndefined();
  });

  it('copies the control points of splines', () => {
    const activation = {
      ...{ type: 'spline', points: 6, boundary: 2.5, basis: 'b-spline', start: 'identity', noise: 0 },
    } as SplinePlan;
    const model = { ...tinyPlan.model, activation };
    const splines = buildNetwork(model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
    const knots = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5];
    expect(splines.activations[1]).toEqual({ layer: 'spline2', channels: 32, dictionary: knots, spline: 'b-spline' });
    const { alphas, kernels } = beginShapes(splines, 3)();
    expect(alphas.map(({ length }) => length)).toEqual([32, 32, 64, 64, 128].map((channels) => channels * 6));
    expect(alphas[1]!.slice(-6)).toEqual(Float32Array.from(knots));
    expect(kernels).toBeUndefined();
    splines.dispose();
  });

  it('weighs the coefficients of each kernel by its weight where several are mixed', () => {
    const activation = { ...(tinyPlan.model.activation as KafPlan), type: 'multi-kaf', kernels: ['gaussian', 'relu'] };
    const model = { ...tinyPlan.model, activation: activation as KafPlan };
    const mixed = buildNetwork(model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
    const find = (name: string) => mixed.parameters.find((parameter) => parameter.name === name)!.variable;
    expect([...find('kaf2.mixture').dataSync()]).toEqual(Array(64).fill(0.5));
    find('kaf2.alpha').assign(tf.tile(tf.tensor2d([[1, 2, 3, 4, 5]]), [32, 1]));
    find('kaf2.mixture').assign(tf.tile(tf.tensor2d([[10, -1]]), [32, 1]));
    expect(mixed.activations[1]).toMatchObject({ layer: 'kaf2', kernelNames: ['gaussian', 'relu'] });
    const { alphas, kernels } = beginShapes(mixed, 3)();
    expect(alphas[1]!.slice(-10)).toEqual(Float32Array.of(10, 20, 30, 40, 50, -1, -2, -3, -4, -5));
    expect(kernels).toBeUndefined();
    mixed.dispose();
  });

  it('copies dictionary and bandwidth where they are trained', () => {
    const { activation } = tinyPlan.model;
    const model = { ...tinyPlan.model, activation: { ...(activation as KafPlan), type: 'kaf-free' } } as const;
    const free = buildNetwork(model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
    const find = (name: string) => free.parameters.find((parameter) => parameter.name === name)!.variable;
    find('kaf2.dictionary').assign(tf.fill([32, 5], 0.5));
    find('kaf2.logGamma').assign(tf.fill([32], Math.log(2)));
    const { kernels } = beginShapes(free, 3)();
    expect(kernels).toHaveLength(5);
    expect(kernels![1]!.dictionaries).toEqual(new Float32Array(160).fill(0.5));
    // log 2 is rounded to float32, and so is its exponential.
    expect(kernels![1]!.gammas[31]).toBeCloseTo(2, 6);
    free.dispose();
  });
});
