// A made-up run of a network of every kind of layer, for its picture: norms as of a training, drawn from the layers' sizes.
import * as declare from '../../../server/network/declare.ts';
import { flatLayers, layOutNetwork } from '../../../server/network/layout.ts';
import type { ParameterInfo } from '../../../server/protocol/records.ts';
import { applyRow, emptySnapshot, type RunSnapshot } from '../../../server/protocol/snapshot.ts';
import type { LayerPlan, Plan } from '../../../server/protocol/plan.ts';
import { makePlan, makeSummary } from './runData.ts';

const block = declare.block([
  declare.residual([declare.conv(32), declare.batchNorm, declare.activation, declare.conv(32)]),
  ...[declare.batchNorm, declare.activation],
]);
const point = (channels: number) => declare.conv(channels, { size: 1 });
const layers: readonly LayerPlan[] = [
  ...[declare.conv(32), declare.batchNorm, declare.activation],
  { type: 'repeat', times: 2, layers: [block] },
  declare.maxPool(2),
  {
    type: 'concat',
    ways: [
      [point(16)],
      [point(16), declare.conv(24)],
      [point(8), declare.conv(16, { size: 5 })],
      [{ type: 'average-pool', size: 3, stride: 1, padding: 'same' }, point(16)],
    ],
  },
  { type: 'group-norm', groups: 8 },
  { type: 'activation', activation: { type: 'swish' } },
  ...[declare.dropout(0.3), declare.globalAveragePool, declare.dense(64), declare.activation, declare.dense('classes')],
];

export function makeNetworkSnapshot(): RunSnapshot {
  const usual = makePlan('kaf');
  const plan: Plan = { ...usual, model: { ...usual.model, network: { type: 'layers', layers }, dropout: [] } };
  const laidOut = flatLayers(layOutNetwork(plan.model, { sampleShape: [32, 32, 3], nClasses: 10 }));
  const parameters = laidOut.flatMap(({ name, type, output }): ParameterInfo[] => {
    const quantities = { convolution: ['kernel', 'bias'], dense: ['kernel', 'bias'], activation: ['alpha'] }[
      type as string
    ];
    const all = quantities ?? (type.endsWith('norm') ? ['gamma', 'beta'] : []);
    return all.map((quantity) => ({ name: `${name}.${quantity}`, layer: name, shape: [output.at(-1)!] }));
  });
  const trained = parameters.filter(({ layer }) => !layer.startsWith('swish'));
  const run = {
    ...makeSummary({ steps: 1200, status: 'training' }),
    description: 'own layers · KAF 20 · standard · shapes',
  };
  const snapshot = emptySnapshot(run, plan);
  const activations = laidOut
    .filter(({ name }) => name.includes('kaf'))
    .map(({ name, output }) => ({
      ...{ layer: name, channels: output.at(-1)!, gamma: 1.67, base: 'none' as const },
      dictionary: Array.from({ length: 20 }, (_, index) => -3 + (6 * index) / 19),
    }));
  const prepared = {
    type: 'prepared',
    parameters: trained,
    activations,
    steps: 4700,
    stepsPerEpoch: 391,
    epochs: 12,
  } as const;
  applyRow(snapshot, { seq: 1, timeMs: 0, record: prepared });
  const norms = Float32Array.from(trained, (_, index) => 0.02 * 1.09 ** index * (1 + (index % 3)));
  const none = new Int32Array(trained.length);
  for (const step of [1, 1200]) {
    const weights = Float32Array.from(trained, (_, index) => 3 + (index % 7));
    const record = {
      ...{ type: 'norms' as const, step, weights, gradients: norms },
      ...{ nonFiniteWeights: none, nonFiniteGradients: none },
    };
    applyRow(snapshot, { seq: step + 1, timeMs: step, record });
  }
  return snapshot;
}
