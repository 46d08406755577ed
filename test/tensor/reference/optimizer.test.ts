import { describe, expect, it } from 'vitest';

import { attackStep } from '../../../server/tensor/reference/attackStep.ts';
import { adam, sgd } from '../../../server/tensor/reference/optimizer.ts';
import { expectClose } from '../expectClose.ts';

// Worked by hand; whole steps of both optimizers are compared with PyTorch in test/golden.
describe('references by hand:', () => {
  it('SGD adds weight decay to the gradient and keeps a velocity', () => {
    const settings = { learningRate: 0.5, momentum: 0.5, weightDecay: 0.25 };
    const first = sgd(Float64Array.of(4), Float64Array.of(1), Float64Array.of(0), settings);
    expect([first.velocity[0], first.weights[0]]).toEqual([2, 3]);
    const second = sgd(first.weights, Float64Array.of(1), first.velocity, settings);
    expect([second.velocity[0], second.weights[0]]).toEqual([2.75, 1.625]);
  });

  it('Adam’s first step is the learning rate against the gradient’s sign', () => {
    const settings = { step: 1, learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0 };
    const moments = { first: new Float64Array(2), second: new Float64Array(2) };
    const { weights } = adam(Float64Array.of(1, 1), Float64Array.of(5, -0.01), moments, settings);
    expectClose(weights, Float64Array.of(0.9, 1.1), { absolute: 1e-12, relative: 0 });
  });

  it('an attack step moves by the sign, then projects, then clamps', () => {
    const options = { stepSize: 0.25, epsilon: 0.125 };
    const half = new Float64Array(3).fill(0.5);
    expect([...attackStep(half, half, Float64Array.of(2, -2, 0), options)]).toEqual([0.625, 0.375, 0.5]);
    const edges = Float64Array.of(0, 1, 0.0625);
    expect([...attackStep(edges, edges, Float64Array.of(-1, 1, -1), options)]).toEqual([0, 1, 0]);
  });
});
