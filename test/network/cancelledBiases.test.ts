import { expect, it } from 'vitest';
import { cancelledBiases } from '../../server/network/cancelledBiases.ts';
import { layOutNetwork } from '../../server/network/layout.ts';

const ends = { sampleShape: [16, 16, 3], nClasses: 10 } as const;
const model = { activation: { type: 'relu' }, dropout: [] } as const;

it('names the biases of layers that go into a batch normalisation alone', () => {
  const conv = { type: 'conv', channels: 4, size: 3, stride: 1, padding: 'same', bias: true } as const;
  const normalised = [conv, { type: 'batch-norm' }] as const;
  const layers = [
    ...normalised,
    { type: 'activation', activation: null },
    conv,
    { type: 'layer-norm' },
    { type: 'residual', branch: [...normalised, conv], skip: [] },
    { type: 'batch-norm' },
    { type: 'residual', branch: [...normalised, conv], skip: [conv] },
    { type: 'global-average-pool' },
    { type: 'dense', units: 'classes', bias: true },
  ];
  const laid = layOutNetwork({ ...model, network: { type: 'layers', layers } as never }, ends);
  // Behind a layer normalisation, before a sum that others use, and of the answers, a bias does something.
  expect(cancelledBiases(laid)).toEqual(['conv1.bias', 'conv3.bias', 'conv4.bias', 'conv5.bias']);
});
