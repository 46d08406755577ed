import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { updateStatistics } from '../../server/model/batchNorm.ts';
import { ParameterMaker } from '../../server/model/parameters.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

it('the running variance is Bessel-corrected, but that of a single value, which nothing can divide, is taken as it is', () => {
  const maker = new ParameterMaker(1);
  maker.makeStatistic('bn1', 'mean', 2);
  maker.makeStatistic('bn1', 'variance', 2);
  const [mean, variance] = [tf.fill([2], 5), tf.fill([2], 3)];
  const read = () => maker.statistics.map(({ variable }) => variable.dataSync()[0]);
  updateStatistics(maker.statistics, [{ mean, variance, nValues: 1 }], 1);
  expect(read()).toEqual([5, 3]);
  updateStatistics(maker.statistics, [{ mean, variance, nValues: 2 }], 1);
  expect(read()).toEqual([5, 6]);
  tf.dispose([mean, variance, ...maker.statistics.map(({ variable }) => variable)]);
  expect(tf.memory().numTensors).toBe(0);
});
