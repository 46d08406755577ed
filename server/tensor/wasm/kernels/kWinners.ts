// KafscopeKWinners and its gradient over assembly/kWinners.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { WinnersAttributes } from '../../ops/kWinners.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

const countsBytes = 2048 * 4;

interface Gradient {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly thresholds: tf.TensorInfo;
  readonly quotas: tf.TensorInfo;
}

export const kWinnersKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, WinnersAttributes>('KafscopeKWinners', ({ inputs: { x }, attrs, backend }) => {
    const { count, nLanes, isExact } = attrs;
    const nGroups = x.shape[0]! * nLanes;
    const y = backend.place(x.shape);
    const thresholds = backend.place([nGroups]);
    const quotas = backend.place([nGroups], 'int32');
    backend.floats(thresholds.address, nGroups).fill(0);
    backend.integers(quotas.address, nGroups).fill(0);
    const outputs = [y.info, thresholds.info, quotas.info];
    if (sizeOf(x) === 0) return outputs;
    const from = backend.addressOf(x);
    const size = sizeOf(x) / nGroups;
    const selection = [from, size, nLanes, count, isExact ? 1 : 0, thresholds.address, quotas.address];
    const counts = { argument: selection.length, sizeBytes: countsBytes };
    const grain = nLanes === 1 ? 1 : Math.ceil(4096 / size);
    backend.runOver(nGroups, grain, 'selectThresholds', (...range) => [...selection, 0, ...range], counts);
    keepWinners(backend, x, [from, from, thresholds.address, quotas.address, y.address], nLanes);
    return outputs;
  }),
  wasmKernel<Gradient, WinnersAttributes>('KafscopeKWinnersGrad', ({ inputs, attrs, backend }) => {
    const { dy, x, thresholds, quotas } = inputs;
    const dx = backend.place(x.shape);
    if (sizeOf(x) === 0) return dx.info;
    const addresses = [dy, x, thresholds, quotas].map((tensor) => backend.addressOf(tensor));
    keepWinners(backend, x, [...addresses, dx.address], attrs.nLanes);
    return dx.info;
  }),
];

/** Ranges have some 16,000 values. */
function keepWinners(backend: WasmBackend, x: tf.TensorInfo, addresses: readonly number[], nLanes: number): void {
  const nSamples = x.shape[0]!;
  const size = sizeOf(x) / nSamples / nLanes;
  const grain = Math.ceil(16_384 / (size * nLanes));
  backend.runOver(nSamples, grain, 'keepWinners', (...range) => [...addresses, size, nLanes, ...range]);
}
