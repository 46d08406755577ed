import { expect, it } from 'vitest';
import { normLines } from '../../../server/protocol/series.ts';
import { blocksOf, foldLines } from '../../../webview/curves/normBlocks.ts';
import { layerLines, tagOf, tensorLines } from '../../../webview/curves/normTable.ts';

const parameters = ['conv1.kernel', 'conv1.bias', 'block1.conv1.kernel', 'block1.bn1.gamma', 'block1.bn1.beta'].map(
  (name) => ({ name, layer: name.slice(0, name.lastIndexOf('.')), shape: [2] }),
);

it('folds the layers of a block into one line, and every line that it makes has a series', () => {
  const lines = layerLines(parameters);
  expect(blocksOf(lines)).toEqual(['block1']);
  const folded = foldLines(lines, new Set(['block1']));
  expect(folded.map(({ name, members }) => [name, members])).toEqual([
    ['conv1', [0, 1]],
    ['block1', [2, 3, 4]],
  ]);
  expect(folded.map((line) => tagOf('gradients', line))).toEqual(['gradients/conv1/*', 'gradients/block1/**']);
  expect(foldLines(lines, new Set())).toEqual(lines);
});

it('folds tensors by their block, and outside of blocks by their layer', () => {
  const lines = tensorLines(parameters);
  expect(blocksOf(lines)).toEqual(['conv1', 'block1']);
  const folded = foldLines(lines, new Set(['conv1', 'block1']));
  const tags = folded.map((line) => tagOf('update', line));
  expect(tags).toEqual(['update/conv1/*', 'update/block1/**']);
  const known = normLines(parameters).map(({ name, members }) => [`update/${name}`, members]);
  for (const [index, tag] of tags.entries()) expect(known).toContainEqual([tag, folded[index]!.members]);
});
