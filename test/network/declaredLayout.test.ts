// Declared layers laid out: shapes, names and what is refused, each at its place.
import { describe, expect, it } from 'vitest';
import { activationsOf } from '../../server/network/activations.ts';
import { datasetEnds, endsUnder } from '../../server/network/datasetEnds.ts';
import {
  batchNorm,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  maxPool,
  residual,
} from '../../server/network/declare.ts';
import { flatLayers, layOutNetwork, type LayerLayout } from '../../server/network/layout.ts';
import { NetworkError } from '../../server/network/networkError.ts';
import type { ActivationPlan, LayerPlan } from '../../server/protocol/plan.ts';

const ends = { sampleShape: [12, 9, 3], nClasses: 4 };
const last = dense('classes');
const maxout: LayerPlan = { type: 'activation', activation: { type: 'maxout', maps: 2 } };
const relu: LayerPlan = { type: 'activation', activation: { type: 'relu' } };
const repeat = (times: number, layers: readonly LayerPlan[]): LayerPlan => ({ type: 'repeat', times, layers });
const block = (layers: readonly LayerPlan[]): LayerPlan => ({ type: 'block', layers });
const concat = (...ways: readonly (readonly LayerPlan[])[]): LayerPlan => ({ type: 'concat', ways });
const groupNorm = (groups: number): LayerPlan => ({ type: 'group-norm', groups });

function layOut(
  layers: readonly LayerPlan[],
  sampleShape: readonly number[] = ends.sampleShape,
): readonly LayerLayout[] {
  const model = { network: { type: 'layers', layers }, activation: { type: 'relu' }, dropout: [] } as const;
  return layOutNetwork(model, { ...ends, sampleShape });
}

const shapes = (layers: readonly LayerPlan[]) => layOut(layers).map(({ name, output }) => [name, output]);
const end = [globalAveragePool, last];

/** Where it is refused, what was expected and what is there. */
function refusal(layers: readonly LayerPlan[], sampleShape?: readonly number[]): readonly string[] {
  try {
    layOut(layers, sampleShape);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return [error.path, error.expected, error.got, error.remedy];
  }
  return [];
}

describe('ways side by side', () => {
  const ways = concat([conv(5), relu], [conv(7, { size: 1 }), conv(2)], []);

  it('have the channels of all, also of the input where a way is empty', () => {
    expect(shapes([ways, ...end])).toEqual([
      ['concat1', [12, 9, 5 + 2 + 3]],
      ['pool1', [10]],
      ['dense1', [4]],
    ]);
    expect(shapes([flatten, concat([dense(6)], [dense(5)]), last])[1]).toEqual(['concat1', [11]]);
  });

  it('all begin with the sample, whose gradient nobody needs; what comes behind does not', () => {
    const layers = flatLayers(layOut([ways, concat([conv(1)], [conv(1)]), residual([conv(2)], [conv(2)]), ...end]));
    const firsts = layers.flatMap((layer) => (layer.type === 'convolution' ? [layer.isFirst] : []));
    expect(firsts).toEqual([true, true, false, false, false, false, false]);
    const summed = flatLayers(layOut([residual([conv(2)], [conv(2)]), conv(2), ...end]));
    expect(summed.flatMap((layer) => (layer.type === 'convolution' ? [layer.isFirst] : []))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('are refused at the way that has another height or width, and as one behind flattened values', () => {
    const [path, expected, got] = refusal([conv(2), concat([conv(5)], [conv(5)], [maxPool(2)]), ...end]);
    expect(path).toBe('layers[1].concat[2]');
    expect(expected).toContain('[12, 9, 5]');
    expect(got).toBe('[6, 4, 2]');
    expect(refusal([concat([conv(5)], [conv(5, { stride: 2 })]), ...end])[0]).toBe('layers[0].concat[1]');
  });

  it('take no maxout over from what is before them, and leave none', () => {
    expect(refusal([concat([conv(2), maxout], [conv(3)]), ...end])).toEqual([]);
    expect(refusal([concat([conv(2)], [conv(3)]), maxout, ...end])[0]).toBe('layers[1]');
    expect(refusal([conv(2), concat([maxout], [conv(3)]), ...end])[0]).toBe('layers[1].concat[0][0]');
  });
});

describe('a sum', () => {
  it('needs ways of one shape, a skip without layers being the input itself', () => {
    expect(refusal([residual([conv(3)]), ...end])).toEqual([]);
    const [path, expected, got, remedy] = refusal([residual([conv(5)]), ...end]);
    expect([path, expected, got]).toEqual(['layers[0]', "a skip of the branch's shape [12, 9, 5]", '[12, 9, 3]']);
    expect(remedy).toContain('Give it a skip');
    expect(refusal([residual([conv(5)], [conv(4)]), ...end])[3]).toContain('of both ways alike');
  });

  it('before maxout has each map beside the others in its branch, and the skip as often', () => {
    const layers = layOut([conv(3), residual([conv(3)]), batchNorm, maxout, ...end]);
    expect(layers.map(({ output }) => output)).toEqual([[12, 9, 3], [12, 9, 6], [12, 9, 6], [12, 9, 3], [3], [4]]);
    expect(layers[1]).toMatchObject({ type: 'residual', tiles: 2 });
    const both = layOut([residual([conv(3)], [conv(3, { size: 1 })]), maxout, ...end]);
    expect(both[0]).toMatchObject({ tiles: 1, output: [12, 9, 6], skip: [{ output: [12, 9, 6] }] });
  });
});

describe('maxout', () => {
  it.each([
    ['at once', [conv(5), maxout]],
    ['behind normalisations', [conv(5), batchNorm, { type: 'layer-norm' }, groupNorm(2), maxout]],
    ['in a block', [conv(5), block([batchNorm, maxout])]],
    ['behind a block', [block([conv(5), batchNorm]), maxout]],
    ['in a repetition', [conv(5), repeat(1, [maxout])]],
    ['repeated with its layer', [repeat(3, [conv(5), maxout])]],
    ['behind a repetition', [repeat(2, [maxout, conv(5)].slice(1)), maxout]],
  ] as [string, LayerPlan[]][])('makes the layer before it twice as wide: %s', (name, layers) => {
    if (name === 'behind a repetition') {
      // The first of the two convolutions has another behind it, which takes no maps.
      expect(layOut([...layers, ...end]).map(({ output }) => output[2])).toEqual([5, 10, 5, undefined, undefined]);
      return;
    }
    const laid = flatLayers(layOut([...layers, ...end]));
    for (const layer of laid) {
      if (layer.type === 'convolution') expect(layer.output[2]).toBe(10);
      if (layer.type === 'activation') expect([layer.input[2], layer.output[2]]).toEqual([10, 5]);
    }
    expect(laid.at(-2)!.output).toEqual([5]);
  });

  it('is refused behind the sample and behind layers that make no maps, at its place', () => {
    expect(refusal([maxout, ...end]).slice(0, 3)).toEqual([
      'layers[0]',
      'a convolution, dense layer or sum with normalisations alone between it and maxout, whose maps it makes',
      'the sample',
    ]);
    expect(refusal([conv(2), relu, maxout, ...end]).slice(0, 3)).toEqual([
      'layers[2]',
      expect.anything(),
      'no such layer',
    ]);
    expect(refusal([conv(2), maxPool(2), maxout, ...end])[0]).toBe('layers[2]');
    expect(refusal([conv(2), block([relu]), maxout, ...end])[0]).toBe('layers[2]');
    const pairs: LayerPlan = {
      ...{
        type: 'activation',
        activation: { type: 'kaf-2d', dictionary: 3, boundary: 1, gamma: 1, init: { type: 'normal', std: 1 } },
      },
    };
    expect(refusal([pairs, ...end])[1]).toContain('between it and kaf-2d, whose pairs it makes');
  });
});

describe('names', () => {
  it('are counted by kind, anew in each block, and may not come twice', () => {
    const named = (name: string) => conv(2, { name });
    expect(
      shapes(
        [conv(2), conv(2), block([conv(2), relu]), block([conv(2), conv(2)]), ...end].slice(0, -2).concat(end),
      ).map(([name]) => name),
    ).toEqual(['conv1', 'conv2', 'block1.conv1', 'block1.relu1', 'block2.conv1', 'block2.conv2', 'pool1', 'dense1']);
    expect(refusal([named('a'), block([named('a')]), ...end])).toEqual([]);
    expect(refusal([named('a'), named('a'), ...end]).slice(0, 3)).toEqual([
      'layers[1]',
      'a name that no other layer has',
      '"a"',
    ]);
    expect(refusal([conv(2), conv(2, { name: 'conv1' }), ...end])[0]).toBe('layers[1]');
    expect(refusal([repeat(2, [named('a')]), ...end])[0]).toBe('layers[0].repeat.layers[0]');
  });

  it('of dropouts, poolings and sums count, too', () => {
    const layers = layOut([
      dropout(0.5),
      residual([conv(3)]),
      dropout(undefined),
      maxPool(2),
      residual([conv(3)]),
      ...end,
    ]);
    expect(layers.map(({ name }) => name)).toEqual([
      'dropout1',
      'sum1',
      'dropout2',
      'pool1',
      'sum2',
      'pool2',
      'dense1',
    ]);
    expect(layers.flatMap((layer) => (layer.type === 'dropout' ? [[layer.index, layer.rate]] : []))).toEqual([
      [0, 0.5],
      [1, 0],
    ]);
  });

  it('of activations are those that the plan alone tells, on the skip as in the branch', () => {
    const kaf: ActivationPlan = {
      type: 'multi-kaf',
      dictionary: 3,
      boundary: 1,
      gamma: 1,
      init: { type: 'normal', std: 1 },
    };
    const layers = [residual([conv(3), relu], [conv(3), { type: 'activation', activation: kaf } as const]), ...end];
    const model = { network: { type: 'layers', layers }, activation: { type: 'relu' }, dropout: [] } as const;
    expect(activationsOf(model).map(({ name, path }) => [name, path])).toEqual([
      ['relu1', 'layers[0].residual.branch[1]'],
      ['kaf2', 'layers[0].residual.skip[1]'],
    ]);
    expect(flatLayers(layOut(layers)).flatMap(({ type, name }) => (type === 'activation' ? [name] : []))).toEqual([
      'relu1',
      'kaf2',
    ]);
  });
});

describe('what does not fit is refused at its layer', () => {
  it('a window that is higher or wider than an unpadded map', () => {
    expect(refusal([conv(2, { size: 9, padding: 'valid' }), ...end])).toEqual([]);
    expect(refusal([conv(2, { size: 10, padding: 'valid' }), ...end]).slice(0, 3)).toEqual([
      'layers[0]',
      'a map of at least 10×10 for conv without padding',
      '[12, 9, 3]',
    ]);
    expect(refusal([maxPool(10), ...end], [9, 12, 3])[0]).toBe('layers[0]');
    expect(refusal([conv(2, { size: 11 }), ...end])).toEqual([]);
  });

  it('groups that do not divide the channels', () => {
    expect(refusal([conv(6), groupNorm(3), ...end])).toEqual([]);
    expect(refusal([conv(6), groupNorm(4), ...end]).slice(0, 3)).toEqual(['layers[1]', 'a divisor of 6 channels', '4']);
    // 12 of the height and 9 of the width are none.
    expect(refusal([conv(5), groupNorm(3), ...end])[0]).toBe('layers[1]');
  });

  it('an end that is no value for each class', () => {
    expect(refusal([conv(4), flatten, dense(7)]).slice(1, 3)).toEqual([
      '[4], a value for each class, from the last layer',
      '[7]',
    ]);
    expect(refusal([conv(4), globalAveragePool])).toEqual([]);
    expect(refusal([conv(4)])).toEqual([
      ...['layers[0]', '[4], a value for each class, from the last layer', '[12, 9, 4]'],
      'End with "- global-average-pool" or "- flatten", and "- dense: classes".',
    ]);
    // Four rows are no four classes.
    expect(refusal([conv(2)], [4, 9, 3])[2]).toBe('[4, 9, 2]');
  });

  it('more than 20,000 layers, repetitions written out', () => {
    const many = (times: number) => refusal([repeat(times, [batchNorm]), last], [4]);
    expect(many(19_998)).toEqual([]);
    expect(many(19_999).slice(0, 3)).toEqual(['layers[1]', 'at most 20000 layers', 'more than 20000']);
  });
});

describe('what a data set and a loss make of the ends', () => {
  it('are 20 groups of CIFAR-100’s classes where they are asked for, and one value under binary cross-entropy', () => {
    const plan = { path: '', trainSamples: 1, testSamples: 1 };
    const of = (labels: 'fine' | 'coarse') => datasetEnds({ name: 'cifar100', labels, ...plan })!.nClasses;
    expect([of('fine'), of('coarse'), datasetEnds({ name: 'cifar10', ...plan })!.nClasses]).toEqual([100, 20, 10]);
    const two = { sampleShape: [3], nClasses: 2 };
    expect(endsUnder('binary-cross-entropy', two)).toEqual({ ...two, nOutputs: 1 });
    expect([endsUnder('cross-entropy', two), endsUnder(undefined, two)]).toEqual([two, two]);
  });
});
