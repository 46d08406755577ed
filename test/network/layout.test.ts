import { describe, expect, it } from 'vitest';
import { layOutNetwork, type ConvolutionLayout, type LayerLayout } from '../../server/network/layout.ts';

/** Neither square nor even, so that no length can stand for another. */
const ends = { sampleShape: [21, 14, 3], nClasses: 10 } as const;
const model = { activation: { type: 'relu' }, dropout: [0.1, 0.2, 0.3, 0.4] } as const;

function convolutionsOf(layers: readonly LayerLayout[]): ConvolutionLayout[] {
  return layers.flatMap((layer) => {
    if (layer.type === 'residual') return [...convolutionsOf(layer.branch), ...convolutionsOf(layer.skip)];
    return layer.type === 'convolution' ? [layer] : [];
  });
}

function flowOf(layers: readonly LayerLayout[]) {
  return convolutionsOf(layers).map(({ name, input, output, stride }) => [name, input, stride, output]);
}

describe('the layout of a network', () => {
  it('keeps height and width in a convolution and halves them, rounded down, in a pooling', () => {
    const layers = layOutNetwork({ network: 'vgg', ...model }, ends);
    expect(flowOf(layers)).toEqual([
      ['conv1', [21, 14, 3], 1, [21, 14, 32]],
      ['conv2', [21, 14, 32], 1, [21, 14, 32]],
      ['conv3', [10, 7, 32], 1, [10, 7, 64]],
      ['conv4', [10, 7, 64], 1, [10, 7, 64]],
      ['conv5', [5, 3, 64], 1, [5, 3, 128]],
      ['conv6', [5, 3, 128], 1, [5, 3, 128]],
    ]);
    expect(layers.filter(({ type }) => type === 'dropout')).toMatchObject([
      { index: 0, rate: 0.1, output: [10, 7, 32] },
      { index: 1, rate: 0.2, output: [5, 3, 64] },
      { index: 2, rate: 0.3, output: [2, 1, 128] },
      { index: 3, rate: 0.4, output: [128] },
    ]);
    expect(layers.filter(({ type }) => type === 'dense')).toMatchObject([
      { name: 'dense1', input: [2 * 1 * 128], output: [128] },
      { name: 'dense2', input: [128], output: [10] },
    ]);
    expect(layers.filter(({ type }) => type === 'activation').map(({ output }) => output)).toEqual([
      ...[[21, 14, 32], [21, 14, 32], [10, 7, 64], [10, 7, 64], [5, 3, 128], [5, 3, 128], [128]],
    ]);
  });

  it('halves height and width, rounded up, at the first block of every stage but the first of a residual network', () => {
    const layers = layOutNetwork({ network: { type: 'resnet', depth: 14 }, ...model }, ends);
    expect(flowOf(layers)).toEqual([
      ['conv1', [21, 14, 3], 1, [21, 14, 16]],
      ['block1.conv1', [21, 14, 16], 1, [21, 14, 16]],
      ['block1.conv2', [21, 14, 16], 1, [21, 14, 16]],
      ['block2.conv1', [21, 14, 16], 1, [21, 14, 16]],
      ['block2.conv2', [21, 14, 16], 1, [21, 14, 16]],
      ['block3.conv1', [21, 14, 16], 2, [11, 7, 32]],
      ['block3.conv2', [11, 7, 32], 1, [11, 7, 32]],
      ['block3.skip', [21, 14, 16], 2, [11, 7, 32]],
      ['block4.conv1', [11, 7, 32], 1, [11, 7, 32]],
      ['block4.conv2', [11, 7, 32], 1, [11, 7, 32]],
      ['block5.conv1', [11, 7, 32], 2, [6, 4, 64]],
      ['block5.conv2', [6, 4, 64], 1, [6, 4, 64]],
      ['block5.skip', [11, 7, 32], 2, [6, 4, 64]],
      ['block6.conv1', [6, 4, 64], 1, [6, 4, 64]],
      ['block6.conv2', [6, 4, 64], 1, [6, 4, 64]],
    ]);
    expect(layers.at(-1)).toMatchObject({ type: 'dense', input: [64], output: [10] });
  });

  it.each(['light', 'vgg', { type: 'resnet', depth: 8 }] as const)(
    'marks only the first convolution of %o as first',
    (network) => {
      const marks = convolutionsOf(layOutNetwork({ network, ...model }, ends)).map(({ isFirst }) => isFirst);
      expect(marks).toEqual(marks.map((_, index) => index === 0));
      expect(marks.length).toBeGreaterThan(1);
    },
  );

  it('makes a maxout’s convolutions and dense layers so many times as wide as what the activation makes', () => {
    const layers = layOutNetwork({ ...model, network: 'light', activation: { type: 'maxout', maps: 3 } }, ends);
    expect(flowOf(layers).map(([, input, , output]) => [input, output])).toEqual([
      [
        [21, 14, 3],
        [21, 14, 96],
      ],
      [
        [21, 14, 32],
        [21, 14, 96],
      ],
      [
        [10, 7, 32],
        [10, 7, 192],
      ],
      [
        [10, 7, 64],
        [10, 7, 192],
      ],
    ]);
    expect(layers.filter(({ type }) => type === 'dense')).toMatchObject([
      { input: [64], output: [3 * 128] },
      { input: [128], output: [10] },
    ]);
  });
});
