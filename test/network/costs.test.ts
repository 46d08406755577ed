// What a layer costs, told without a tensor, against the tensors of the network that is built of it; and the settings of the networks
// with a name, as Peconi (2020) and the authors of the others give them.
import { beforeAll, describe, expect, it } from 'vitest';
import { buildNetwork } from '../../server/model/network.ts';
import { multiplyAddsOf, parametersOf, statisticsOf } from '../../server/network/costs.ts';
import { conv, dense, globalAveragePool } from '../../server/network/declare.ts';
import { layOutNetwork } from '../../server/network/layout.ts';
import { layersOf, namedNetworks, type NamedNetwork } from '../../server/network/named/named.ts';
import type { ActivationPlan, LayerPlan, ModelPlan } from '../../server/protocol/plan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

const ends = { sampleShape: [6, 5, 3], nClasses: 4 };
const start = { dictionary: 5, boundary: 2, gamma: 0.7, init: { type: 'normal', std: 0.1 } } as const;
const activations: readonly ActivationPlan[] = [
  { type: 'relu' },
  { type: 'kaf', ...start },
  { type: 'residual-kaf', ...start },
  { type: 'kaf-free', ...start },
  { type: 'multi-kaf', ...start, kernels: ['gaussian', 'rational-quadratic'] },
  { type: 'kaf-2d', ...start },
  { type: 'maxout', maps: 3 },
  { type: 'prelu', alpha: 0.25 },
] as readonly ActivationPlan[];

describe('trained values and running statistics', () => {
  it.each(activations)('are as many as the tensors of the network have: $type', (activation) => {
    const plain: LayerPlan = { type: 'activation', activation: null };
    const layers: LayerPlan[] = [
      ...[conv(6), { type: 'batch-norm' } as const, plain],
      {
        ...{ type: 'residual', scale: 'trained', skip: [conv(4, { bias: false }), { type: 'batch-norm' }] },
        branch: [conv(4, { size: 1 }), { type: 'group-norm', groups: 2 }],
      },
      { type: 'concat', ways: [[conv(2), { type: 'batch-norm' }], [], [conv(8), plain, { type: 'layer-norm' }]] },
      ...[
        globalAveragePool,
        dense(8, { bias: false }),
        plain,
        { type: 'dropout', rate: 0.5 } as const,
        dense('classes'),
      ],
    ];
    const model: ModelPlan = {
      ...{
        network: { type: 'layers', layers },
        activation,
        dropout: [],
        denseL2: 0,
        convolutionL2: 0,
        normalization: null,
      },
    };
    const laid = layOutNetwork(model, ends);
    const network = buildNetwork(model, { ...ends, seed: 1 });
    const values = (of: readonly { readonly variable: { readonly size: number } }[]) =>
      of.reduce((sum, { variable }) => sum + variable.size, 0);
    expect(laid.reduce((sum, layer) => sum + parametersOf(layer), 0)).toBe(values(network.parameters));
    expect(laid.reduce((sum, layer) => sum + statisticsOf(layer), 0)).toBe(values(network.statistics));
    network.dispose();
  });

  it('cost a multiply-add for each weight of a convolution at each place, of a dense layer once, and nothing elsewhere', () => {
    const layers: LayerPlan[] = [
      ...[conv(2, { stride: 2 }), { type: 'batch-norm' } as const, { type: 'activation', activation: null } as const],
      { type: 'concat', ways: [[conv(1, { size: 1 })], []] },
      ...[{ type: 'flatten' } as const, dense('classes')],
    ];
    const model = { network: { type: 'layers', layers }, activation: { type: 'relu' }, dropout: [] } as const;
    const costs = layOutNetwork(model, ends).map(multiplyAddsOf);
    expect(costs).toEqual([3 * 3 * 2 * (9 * 3), 0, 0, 3 * 3 * 1 * 2, 0, 3 * 3 * 3 * 4]);
  });
});

describe('the networks with a name', () => {
  it('have the penalties and drop rates of their authors', () => {
    const settings = Object.entries<NamedNetwork>(namedNetworks).map(([name, { denseL2, convolutionL2, dropout }]) => [
      ...[name, denseL2, convolutionL2, dropout({})],
    ]);
    expect(settings).toEqual([
      ['light', 0.0012, 0, [0.2, 0.3, 0.4]],
      ['vgg', 0.0012, 0, [0.2, 0.25, 0.3, 0.4]],
      ['resnet', 0.0005, 0.0005, []],
      ['preact-resnet18', 0, 0, []],
      ['cnn5', 0.0001, 0.0001, [0.25, 0.25, 0.25, 0.25, 0.25]],
      ['mlp', 0.0001, 0, []],
    ]);
    expect(namedNetworks.cnn5.dropout({ blocks: 2 })).toEqual([0.25, 0.25]);
  });

  it('take the numbers that may be, and without one their usual', () => {
    const ranges = Object.entries<NamedNetwork>(namedNetworks).flatMap(([name, { keys }]) =>
      Object.entries(keys).map(([key, { byDefault, min, max }]) => [`${name}.${key}`, byDefault, min, max]),
    );
    expect(ranges).toEqual([
      ['resnet.depth', 20, 8, 1202],
      ['cnn5.blocks', 5, 1, 5],
      ['mlp.hiddenLayers', 3, 1, 64],
      ['mlp.units', 100, 1, 65_536],
    ]);
    for (const [name, { keys, layers, dropout }] of Object.entries<NamedNetwork>(namedNetworks)) {
      const usual = Object.fromEntries(Object.entries(keys).map(([key, { byDefault }]) => [key, byDefault]));
      expect(layers({}, dropout({})), name).toEqual(layers(usual, dropout(usual)));
    }
  });

  it('take the largest where they pool', () => {
    const pools = (['light', 'vgg', { type: 'cnn5', blocks: 2 }] as const).map(
      (network) => layersOf({ network, dropout: [] }).filter(({ type }) => type === 'max-pool').length,
    );
    expect(pools).toEqual([2, 3, 2]);
  });

  it('draw their kernels as their authors do', () => {
    const drawn = (network: ModelPlan['network']): Record<string, number> => {
      const counts: Record<string, number> = {};
      const visit = (layers: readonly LayerPlan[]): void => {
        for (const layer of layers) {
          if (layer.type === 'conv' || layer.type === 'dense') {
            const key = `${layer.type} ${layer.initializer}`;
            counts[key] = (counts[key] ?? 0) + 1;
          } else if (layer.type === 'block') visit(layer.layers);
          else if (layer.type === 'residual') visit([...layer.branch, ...layer.skip]);
        }
      };
      visit(layersOf({ network, dropout: [] }));
      return counts;
    };
    expect(drawn({ type: 'resnet', depth: 20 })).toEqual({ 'conv glorot-uniform': 21, 'dense he-normal': 1 });
    expect(drawn({ type: 'resnet', depth: 56 })).toEqual({ 'conv glorot-uniform': 57, 'dense he-normal': 1 });
    expect(drawn('preact-resnet18')).toEqual({ 'conv he-normal': 20, 'dense glorot-uniform': 1 });
    expect(drawn({ type: 'mlp', hiddenLayers: 2, units: 5 })).toEqual({
      'dense he-uniform': 2,
      'dense glorot-uniform': 1,
    });
    expect(drawn({ type: 'cnn5', blocks: 2 })).toEqual({ 'conv he-uniform': 2, 'dense glorot-uniform': 1 });
    expect(drawn('light')).toEqual({ 'conv he-uniform': 4, 'dense glorot-uniform': 2 });
  });
});
