// Data that an experiment names and this machine does not have.
import { describe, expect, it } from 'vitest';
import { quickFixes } from '../../server/language/diagnose.ts';
import { missingData } from '../../server/language/missingData.ts';

const options = { file: '/projects/a.kaf.yaml', homeFolder: '/home/user' };
const nowhere = () => false;
const found = (text: string) => missingData(text, options, nowhere);

/** The characters of the text that are underlined. */
function underlined(text: string): string | undefined {
  const range = found(text)?.range;
  return range && text.split('\n')[range.start.line]!.slice(range.start.character, range.end.character);
}

describe('data that is not there', () => {
  it('is underlined where the text says where it is, else which it is', () => {
    expect(underlined('dataset: { name: cifar10, path: ~/cifar }')).toBe('~/cifar');
    expect(underlined('dataset:\n  name: folder\n  path: pictures')).toBe('pictures');
    expect(underlined('name: a\ndataset: mnist')).toBe('mnist');
    expect(found('dataset: mnist')!.message).toBe(
      'MNIST is not at /home/user/data/mnist on this machine (Folder with the four idx files (train-images-idx3-ubyte …), packed as .gz or not). Choose where it lies, or download it (11 MiB).',
    );
    expect(found('dataset: { name: folder, path: pictures }')!.message).toContain('is not at /projects/pictures on');
  });

  it('is told although other things are wrong', () => {
    expect(underlined('dataset: { name: mnist }\nsed: 1\ntraining: { epochs: -1 }')).toBeDefined();
  });

  it('is none where it is there, made, or each cell’s own', () => {
    expect(missingData('dataset: mnist', options, (path) => path === '/home/user/data/mnist')).toBeNull();
    for (const text of ['', 'dataset: shapes', 'dataset: mnist\nmatrix: { dataset.path: [a, b] }']) {
      expect(found(text), text).toBeNull();
    }
    expect(found('dataset: mnist\nmatrix: { dataset.trainSamples: [100, 200] }')).not.toBeNull();
  });

  it('can be chosen, and what is published can be fetched to where it is looked for', () => {
    const fixes = (text: string) =>
      quickFixes('file:///projects/a.kaf.yaml', [found(text)!]).map(({ title, command }) => [title, command]);
    expect(fixes('dataset: mnist')).toEqual([
      [
        'Choose where MNIST lies…',
        expect.objectContaining({
          command: 'kafscope.chooseData',
          arguments: ['file:///projects/a.kaf.yaml', { isFile: false }],
        }),
      ],
      [
        'Download MNIST (11 MiB) into /home/user/data/mnist',
        expect.objectContaining({
          command: 'kafscope.downloadDataset',
          arguments: [{ name: 'mnist', folder: '/home/user/data/mnist' }],
        }),
      ],
    ]);
    expect(fixes('dataset: { name: table, path: a.csv }')).toEqual([
      ['Choose where A table lies…', expect.objectContaining({ arguments: [expect.any(String), { isFile: true }] })],
    ]);
    expect(fixes('dataset: { name: susy, path: /data/SUSY.csv.gz }')[1]).toEqual([
      'Download SUSY (879 MiB) into /data',
      expect.anything(),
    ]);
  });
});
