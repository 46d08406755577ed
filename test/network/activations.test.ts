// Which layer has which activation function, told by the plan alone: as the layout has it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { activationsOf } from '../../server/network/activations.ts';
import { flatLayers, layOutNetwork } from '../../server/network/layout.ts';
import type { LayerPlan, ModelPlan } from '../../server/protocol/plan.ts';
import { experimentValues } from '../experiment/experimentValues.ts';

const ends = { sampleShape: [32, 32, 3], nClasses: 10 };

function laidOut(model: ModelPlan) {
  return flatLayers(layOutNetwork(model, ends)).flatMap((layer) =>
    layer.type === 'activation' ? [{ name: layer.name, path: layer.path, activation: layer.activation }] : [],
  );
}

describe('the activation functions of a network', () => {
  it('are those of its layout, by name, place and order, for any network', () => {
    fc.assert(
      fc.property(experimentValues, (values) => {
        const { plans } = compileExperiment(stringify(values), { file: null, homeFolder: '/' });
        const { model } = plans[0]!;
        expect(activationsOf(model).map(({ isOwn: _, ...place }) => place)).toEqual(laidOut(model));
      }),
      { numRuns: 60 },
    );
  });

  it('are told apart from the model’s where a layer has its own', () => {
    const text = `
model:
  activation: swish
  network:
    layers:
      - conv: 4
      - activation
      - repeat: { times: 2, layers: [activation: { formula: "a * x", parameters: { a: 1 } }] }
      - block: [{ residual: { branch: [activation: relu] } }]
      - flatten
      - dense`;
    const { model } = compileExperiment(text, { file: null, homeFolder: '/' }).plans[0]!;
    expect(activationsOf(model).map(({ name, isOwn, path }) => [name, isOwn, path])).toEqual([
      ['swish1', false, 'layers[1]'],
      ['formula2', true, 'layers[2].repeat.layers[0]'],
      ['formula3', true, 'layers[2].repeat.layers[0]'],
      ['block1.relu1', true, 'layers[3].block[0].residual.branch[0]'],
    ]);
  });

  it('end where a network has more layers than it may, however often it repeats them', () => {
    const often = (layers: readonly LayerPlan[]): LayerPlan[] => [{ type: 'repeat', times: 1000, layers }];
    const plain: LayerPlan = { type: 'activation', activation: null };
    const model = (layers: readonly LayerPlan[]) => ({
      ...({ network: { type: 'layers', layers }, activation: { type: 'relu' }, dropout: [] } as const),
    });
    expect(activationsOf(model(often(often(often([plain]))))).length).toBeLessThanOrEqual(20_000);
    expect(activationsOf(model(often(often(often([])))))).toEqual([]);
    expect(activationsOf(model([...often(Array.from({ length: 19 }, () => plain)), plain]))).toHaveLength(19_001);
  });
});
