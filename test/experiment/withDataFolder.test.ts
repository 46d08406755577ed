// Data that lies elsewhere now.
import { expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { withDataFolder } from '../../server/experiment/withDataFolder.ts';

function planOf(dataset: string) {
  return compileExperiment(`dataset: ${dataset}`, { file: null, homeFolder: '/home/user' }).plans[0]!;
}

it('another folder changes the place of the data and nothing else', () => {
  const plan = planOf('cifar10');
  const { dataset, ...rest } = withDataFolder(plan, '/moved');
  expect(dataset).toEqual({ ...plan.dataset, path: '/moved' });
  expect({ ...rest, dataset: plan.dataset }).toEqual(plan);
  expect(withDataFolder(plan, null)).toBe(plan);
});

it('data that is made has no folder', () => {
  expect(() => withDataFolder(planOf('shapes'), '/moved')).toThrow('The data set shapes is made, not read');
});
