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

it('takes a file of the same name in the folder, where the data set is a file', () => {
  const moved = (text: string) => {
    const { plans } = compileExperiment(text, { file: '/projects/a.kaf.yaml', homeFolder: '/home/me' });
    return withDataFolder(plans[0]!, '/there').dataset;
  };
  expect(moved('dataset: {name: table, path: a.csv, testPath: b.csv}')).toMatchObject({
    ...{ path: '/there/a.csv', testPath: '/there/b.csv' },
  });
  expect(moved('dataset: {name: table, path: a.csv}')).toMatchObject({ path: '/there/a.csv', testPath: null });
  expect(moved('dataset: {name: arrays, path: a.npz}')).toMatchObject({ path: '/there/a.npz' });
  expect(moved('dataset: {name: arrays, path: folder}')).toMatchObject({ path: '/there' });
  expect(moved('dataset: {name: susy, path: SUSY.csv.gz}')).toMatchObject({ path: '/there/SUSY.csv.gz' });
  expect(moved('dataset: {name: susy, path: susy}')).toMatchObject({ path: '/there' });
  expect(moved('dataset: {name: folder, path: pics}')).toMatchObject({ path: '/there' });
});
