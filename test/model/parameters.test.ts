import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ParameterMaker } from '../../server/model/parameters.ts';
import { randomStreams } from '../../server/model/randomStreams.ts';
import { normal } from '../../server/tensor/ops/random.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

let maker: ParameterMaker;

afterEach(() => {
  tf.dispose([...maker.parameters, ...maker.statistics].map(({ variable }) => variable));
  expect(tf.memory().numTensors).toBe(0);
});

describe('a parameter', () => {
  it('of rows has the same row for every channel, plus noise from a stream of its own place', () => {
    maker = new ParameterMaker(5);
    const row = Float64Array.of(1, -2, 0.5);
    maker.make<tf.Rank.R2>('spline1', 'points', [4, 3], { type: 'rows', row });
    maker.make<tf.Rank.R2>('spline2', 'points', [4, 3], { type: 'rows', row, noise: 0.1 });
    const [plain, noisy] = maker.parameters.map(({ variable }) => variable.dataSync<'float32'>().slice());
    expect([...plain!]).toEqual([1, 2, 3, 4].flatMap(() => [...row]));
    const key = { seed: 5, stream: randomStreams.initialWeights + 1, counter: 0 };
    const drawn = tf.tidy(() => normal([4, 3], 0, 0.1, key).dataSync<'float32'>().slice());
    expect(noisy).toEqual(plain!.map((value, index) => value + drawn[index]!));
  });

  it('says of which layers it is a kernel, and that only kernels decay', () => {
    maker = new ParameterMaker(5);
    const zeros = { type: 'constant', value: 0 } as const;
    maker.make<tf.Rank.R4>('conv1', 'kernel', [3, 3, 1, 2], zeros);
    maker.make<tf.Rank.R1>('conv1', 'bias', [2], zeros);
    maker.make<tf.Rank.R2>('kaf1', 'alpha', [2, 5], zeros);
    maker.make<tf.Rank.R2>('dense1', 'kernel', [2, 3], zeros);
    expect(maker.parameters.map(({ name, kernelOf, isDecayed }) => [name, kernelOf, isDecayed])).toEqual([
      ['conv1.kernel', 'convolution', true],
      ['conv1.bias', null, false],
      ['kaf1.alpha', null, false],
      ['dense1.kernel', 'dense', true],
    ]);
  });
});
