// The size of a network as Keras counts it.
import type { Network } from './network.ts';

/** Values that training moves, and the running statistics that it only follows. */
export function countParameters(network: Network): { trainable: number; statistics: number } {
  const count = (tensors: readonly { shape: readonly number[] }[]) =>
    tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return { trainable: count(network.parameters), statistics: count(network.statistics) };
}
