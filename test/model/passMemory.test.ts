import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { countParameters } from '../../server/model/countParameters.ts';
import { buildNetwork, type Network } from '../../server/model/network.ts';
import { measurePass } from '../../server/model/passMemory.ts';
import { mapsOf, type ActivationPlan, type LayerPlan, type ModelPlan } from '../../server/protocol/plan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

const ends = { sampleShape: [8, 8, 3], nClasses: 10 } as const;
const kaf = { dictionary: 7, boundary: 3, gamma: 1, init: { type: 'normal', std: 0.3 } } as const;

let built: Network | null = null;

afterEach(() => {
  built?.dispose();
  built = null;
});

describe('measurePass', () => {
  it('finds the largest kernel of each kind, and 0 where there is none', () => {
    const conv = { type: 'conv', size: 3, stride: 1, padding: 'same', bias: false, initializer: 'he-uniform' } as const;
    const dense = { type: 'dense', units: 'classes', bias: false, initializer: 'he-uniform' } as const;
    const kernels = (layers: readonly LayerPlan[]) => {
      const network = { type: 'layers', layers } as const;
      const rest = { activation: { type: 'relu' }, dropout: [], denseL2: 0, convolutionL2: 0 } as const;
      return measurePass({ network, ...rest, normalization: null }, ends).largestKernel;
    };
    const convolutions = [4, 8, 2].map((channels) => ({ ...conv, channels }));
    const pooled = [...convolutions, { type: 'global-average-pool' }, { ...dense, units: 6 }, dense] as const;
    expect(kernels(pooled)).toEqual({ convolution: 9 * 4 * 8, dense: 6 * 10 });
    expect(kernels([{ type: 'flatten' }, dense])).toEqual({ convolution: 0, dense: 8 * 8 * 3 * 10 });
  });

  it.each([
    { type: 'relu' },
    { type: 'prelu', slope: 0.25 },
    { type: 'generalized-tanh', scale: 1, rate: 2 },
    { type: 'srelu', left: 0, leftSlope: 0.2, right: 1, rightSlope: 1 },
    { type: 'apl', hinges: 3, reach: 1 },
    { type: 'polynomial', degree: 3 },
    { type: 'spline', points: 9, boundary: 3, basis: 'catmull-rom', start: 'tanh', noise: 0 },
    { type: 'kaf', ...kaf },
    { type: 'residual-kaf', ...kaf },
    { type: 'kaf-free', ...kaf },
    { type: 'kaf', kernels: ['relu'], ...kaf },
    { type: 'multi-kaf', kernels: ['gaussian', 'softplus'], ...kaf },
    { type: 'maxout', maps: 3 },
    { type: 'kaf-2d', dictionary: 4, boundary: 3, gamma: 1, init: { type: 'normal', std: 0.3 } },
  ] as const)('counts the parameters and statistics that a network of $type has', (activation: ActivationPlan) => {
    const residual = { type: 'resnet', depth: 8 } as const;
    for (const network of ['light', 'vgg', ...(mapsOf(activation) > 1 ? [] : [residual])] as const) {
      const plan: ModelPlan = {
        ...{ network, activation, dropout: [0, 0, 0, 0], denseL2: 0, convolutionL2: 0, normalization: null },
      };
      built = buildNetwork(plan, { ...ends, seed: 1 });
      const { trainable, statistics } = countParameters(built);
      expect(measurePass(plan, ends)).toMatchObject({ parameters: trainable, statistics });
      built.dispose();
      built = null;
    }
  });
});
