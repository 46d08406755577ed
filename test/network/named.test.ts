// The networks with a name, by what Peconi (2020) and others counted of them.
import { describe, expect, it } from 'vitest';
import { multiplyAddsOf, parametersOf, statisticsOf } from '../../server/network/costs.ts';
import { layOutNetwork, type NetworkEnds } from '../../server/network/layout.ts';
import { layersOf, namedNetwork } from '../../server/network/named/named.ts';
import type { ActivationPlan, NetworkPlan } from '../../server/protocol/plan.ts';

const cifar10 = { sampleShape: [32, 32, 3], nClasses: 10 };
const kaf = (dictionary: number): ActivationPlan => ({
  ...{ type: 'kaf', dictionary, boundary: 3, gamma: 1 },
  init: { type: 'normal', std: 0.3 },
});
const relu = { type: 'relu' } as const;

function costs(network: NetworkPlan, activation: ActivationPlan, ends: NetworkEnds = cifar10) {
  const named = namedNetwork(network)!;
  const layers = layOutNetwork({ network, activation, dropout: named.entry.dropout(named.numbers) }, ends);
  const total = (of: (layer: (typeof layers)[number]) => number) => layers.reduce((sum, layer) => sum + of(layer), 0);
  return { parameters: total(parametersOf), statistics: total(statisticsOf), multiplyAdds: total(multiplyAddsOf) };
}

describe('the trained values and running statistics', () => {
  // The thesis's counts are Keras's, which include the running statistics; its KAFs' fixed dictionaries are left out.
  it.each<[string, NetworkPlan, ActivationPlan, number]>([
    ['light, ReLU', 'light', relu, 75_946],
    ['light, KAF of 16', 'light', kaf(16), 81_146 - 5 * 16],
    ['VGG, ReLU', 'vgg', relu, 552_362],
    ['VGG, KAF of 20', 'vgg', kaf(20), 552_362 + 11_520],
    ['ResNet20', { type: 'resnet', depth: 20 }, relu, 294_922],
    ['ResNet56', { type: 'resnet', depth: 56 }, relu, 882_250],
    ['KafResNet20', { type: 'resnet', depth: 20 }, kaf(20), 294_922 + 13_760],
    ['the CNN of Table 4.1, four blocks', { type: 'cnn5', blocks: 4 }, { type: 'elu', alpha: 1 }, 1_700_860],
    ['two blocks with KAF', { type: 'cnn5', blocks: 2 }, kaf(20), 653_600 - 2 * 20],
  ])('of %s are those that the author counted', (_, network, activation, count) => {
    const { parameters, statistics } = costs(network, activation);
    expect(parameters + statistics).toBe(count);
  });

  it('of the pre-activation ResNet18 are those of Wong, Rice & Kolter’s', () => {
    expect(costs('preact-resnet18', relu).parameters).toBe(11_172_170);
  });

  it('of the fully connected network for SUSY are the author’s, with one output for both classes', () => {
    const susy = { sampleShape: [18], nClasses: 2, nOutputs: 1 };
    const ofReLU = costs({ type: 'mlp', hiddenLayers: 5, units: 300 }, relu, susy);
    expect(ofReLU.parameters).toBe(367_201);
    const ofKaf = costs({ type: 'mlp', hiddenLayers: 2, units: 300 }, kaf(20), susy);
    expect(ofKaf.parameters).toBe(108_341 - 2 * 20);
  });
});

describe('the multiply-adds of a picture', () => {
  it.each<[NetworkPlan, number]>([
    ['vgg', 38.9],
    [{ type: 'resnet', depth: 20 }, 42.9],
    [{ type: 'resnet', depth: 56 }, 127.8],
  ])('of %o are those of the thesis, in millions', (network, millions) => {
    expect(costs(network, relu).multiplyAdds / 1e6).toBeCloseTo(millions, 1);
  });
});

describe('a network with a name', () => {
  it('has the drop rates that it is given, in order', () => {
    const rates = (network: NetworkPlan, dropout: number[]) =>
      layersOf({ network, dropout }).flatMap((layer) => (layer.type === 'dropout' ? [layer.rate] : []));
    expect(rates('vgg', [0.1, 0.2, 0.3, 0.4])).toEqual([0.1, 0.2, 0.3, 0.4]);
    expect(rates('light', [0.1, 0.2, 0.3])).toEqual([0.1, 0.2, 0.3]);
    expect(rates({ type: 'cnn5', blocks: 3 }, [0.5, 0.6, 0.7])).toEqual([0.5, 0.6, 0.7]);
  });

  it('pools the last of five blocks of Table 4.1 although one pixel is left', () => {
    expect(costs({ type: 'cnn5', blocks: 5 }, relu).parameters).toBe(11_400 + 4 * 562_650 + 1510);
  });
});
