import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { makeBatchNorm, updateStatistics } from '../../server/model/batchNorm.ts';
import type { BatchStatistics } from '../../server/model/layer.ts';
import { ParameterMaker } from '../../server/model/parameters.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

it('the running variance is Bessel-corrected, but that of a single value, which nothing can divide, is taken as it is', () => {
  const maker = new ParameterMaker(1);
  maker.makeStatistic('bn1', 'mean', 2);
  maker.makeStatistic('bn1', 'variance', 2);
  const [mean, variance] = [tf.fill([2], 5), tf.fill([2], 3)];
  const read = () => maker.statistics.map(({ variable }) => variable.dataSync()[0]);
  updateStatistics(maker.statistics, [{ mean, variance, nValues: 1 }], { step: 1 });
  expect(read()).toEqual([5, 3]);
  updateStatistics(maker.statistics, [{ mean, variance, nValues: 2 }], { step: 1 });
  expect(read()).toEqual([5, 6]);
  tf.dispose([mean, variance, ...maker.statistics.map(({ variable }) => variable)]);
  expect(tf.memory().numTensors).toBe(0);
});

it('a layer goes by the running statistics in inference, and by those of the batch, which it tells, in training', () => {
  const maker = new ParameterMaker(1);
  const layer = makeBatchNorm('bn1', 1, maker);
  const [mean, variance] = maker.statistics.map(({ variable }) => variable);
  mean!.assign(tf.tensor1d([2]));
  variance!.assign(tf.tensor1d([4 - 1e-3]));
  const x = tf.tensor4d([6, 10], [2, 1, 1, 1]);
  const around = { key: null, gradients: 'all' } as const;
  const y = layer(x, { ...around, mode: 'inference', batchStatistics: null });
  expect([...y.dataSync()]).toEqual([2, 4].map((value) => expect.closeTo(value, 5) as number));
  const batchStatistics: BatchStatistics[] = [];
  const trained = layer(x, { ...around, mode: 'training', batchStatistics });
  expect([...trained.dataSync()]).toEqual([-1, 1].map((value) => expect.closeTo(value, 3) as number));
  expect(batchStatistics.map((one) => [one.mean.dataSync()[0], one.variance.dataSync()[0], one.nValues])).toEqual([
    [8, 4, 2],
  ]);
});
