// A value into an experiment's text; test/experiment/applyLearningRate.test.ts has what stays as it was.
import { describe, expect, it } from 'vitest';
import { withValue } from '../../server/experiment/withValue.ts';

const data = (text: string, path: string) =>
  withValue(text, { path: ['dataset', 'path'], tag: 'name', what: 'The place of the data' }, path);

describe('where the data lies', () => {
  it('takes the place of what stood there', () => {
    const text = '# mine\ndataset: { name: mnist, path: ~/old } # there\nseed: 1\n';
    expect(data(text, '/data/new')).toBe('# mine\ndataset: { name: mnist, path: /data/new } # there\nseed: 1\n');
  });

  it('is quoted where it could mean something else', () => {
    expect(data('dataset: {name: mnist, path: a}', '/my data, all/#1')).toBe(
      'dataset: {name: mnist, path: "/my data, all/#1"}',
    );
  });

  it('is added to a data set that is named alone, or not at all', () => {
    expect(data('dataset: mnist # digits\n', '/d')).toMatch(/^dataset:.*\n {2}name: mnist\n {2}path: \/d\n$/);
    expect(data('seed: 1\n', '/d')).toBe('seed: 1\ndataset:\n  path: /d\n');
  });

  it('is not written into a text that is no mapping', () => {
    expect(() => data('a: [1', '/d')).toThrow('The place of the data can be written into an experiment only once');
  });
});
