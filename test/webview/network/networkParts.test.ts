// What the picture of a network is made of: its parts, their words and their figures.
import { describe, expect, it } from 'vitest';
import * as declare from '../../../server/network/declare.ts';
import { layOutNetwork } from '../../../server/network/layout.ts';
import type { LayerPlan } from '../../../server/protocol/plan.ts';
import {
  extentOf,
  flatParts,
  kindText,
  LayerFigures,
  memoryOf,
  partsOf,
} from '../../../webview/network/networkParts.ts';
import { makeNetworkSnapshot } from '../gallery/networkData.ts';

const ends = { sampleShape: [8, 8, 3], nClasses: 10 };

function layOut(layers: readonly LayerPlan[]) {
  const end = [declare.globalAveragePool, declare.dense('classes')];
  const network = { type: 'layers', layers: [...layers, ...end] } as const;
  return layOutNetwork({ network, activation: { type: 'swish' }, dropout: [] }, ends);
}

describe('the parts of a network', () => {
  const layers = layOut([
    declare.conv(4),
    declare.residual([declare.conv(4)]),
    { type: 'concat', ways: [[declare.conv(2)], [], [declare.conv(3), declare.activation]] },
  ]);

  it('have the ways of a sum and of what stands side by side, the input itself as an empty one', () => {
    const [first, sum, concat] = partsOf(layers);
    const names = (ways: ReturnType<typeof partsOf>[]) => ways.map((way) => way.map(({ layer }) => layer.name));
    expect(first!.ways).toEqual([]);
    expect(names(sum!.ways.map((way) => [...way]))).toEqual([['conv2'], []]);
    expect(names(concat!.ways.map((way) => [...way]))).toEqual([['conv3'], [], ['conv4', 'swish1']]);
  });

  it('follow one another as they are drawn: ways before what they come together to', () => {
    const order = ['conv1', 'conv2', 'sum1', 'conv3', 'conv4', 'swish1', 'concat1', 'pool1', 'dense1'];
    expect(flatParts(partsOf(layers)).map(({ name }) => name)).toEqual(order);
  });
});

describe('a layer in words', () => {
  it.each<[LayerPlan, string]>([
    [declare.conv(4, { size: 5, stride: 2 }), 'conv 5×5 / 2'],
    [declare.conv(4, { size: 1 }), 'conv 1×1'],
    [declare.maxPool(2), 'max-pool 2×2 / 2'],
    [{ type: 'group-norm', groups: 3 }, 'group norm of 3'],
    [declare.dropout(0.3), 'dropout 0.3'],
    [declare.activation, 'swish'],
    [{ type: 'residual', branch: [declare.conv(3)], skip: [], scale: 'trained' }, 'sum, branch × s'],
  ])('%o is “%s”', (layer, text) => {
    expect(kindText(layOut([layer])[0]!)).toBe(text);
  });
});

describe('the figures of a layer', () => {
  const snapshot = makeNetworkSnapshot();
  const figures = new LayerFigures(snapshot);
  const layers = flatParts(partsOf(layOutNetwork(snapshot.plan.model, { sampleShape: [32, 32, 3], nClasses: 10 })));
  const named = (name: string) => layers.find((layer) => layer.name === name)!;

  it('are the newest norms of its tensors together, and what it costs', () => {
    const { norms, prepared } = snapshot;
    const [kernel, bias] = ['conv1.kernel', 'conv1.bias'].map((name) =>
      prepared!.parameters.findIndex((parameter) => parameter.name === name),
    );
    const row = norms.gradients.at(-1)!;
    expect(figures.of(named('conv1'), 'gradients')).toBeCloseTo(Math.hypot(row[kernel!]!, row[bias!]!), 6);
    expect(figures.of(named('conv1'), 'parameters')).toBe(28 * 32);
    expect(figures.of(named('conv1'), 'multiplyAdds')).toBe(32 * 32 * 27 * 32);
    expect(figures.of(named('conv1'), 'memory')).toBe(4 * 128 * 32 * 32 * 32);
  });

  it('are none where there is nothing: norms of what is not trained, parameters of a sum, memory of a view', () => {
    expect(figures.of(named('pool1'), 'gradients')).toBeNaN();
    expect(figures.of(named('block1.sum1'), 'parameters')).toBeNaN();
    const [flat] = layOut([declare.dropout(0)]);
    expect(memoryOf(flat!, 128)).toBeNaN();
    expect(figures.line(named('pool1'))).toBeUndefined();
  });

  it('span from the least to the largest that is finite and above 0', () => {
    expect(extentOf([Number.NaN, 0, 3, Infinity, 7])).toEqual({ low: 3, high: 7 });
    expect(extentOf([0, Number.NaN])).toBeNull();
  });
});
