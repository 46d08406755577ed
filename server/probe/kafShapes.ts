// The shapes of the kernel activation functions, as their coefficients.
import type { KafInfo, ShapesRecord } from '../protocol/records.ts';
import type { Weighted } from './norms.ts';

/** A copy of every α, `[channels, dictionary]` row by row, in the order of `network.kafs`. */
export function shapesRecord(network: Weighted & { readonly kafs: readonly KafInfo[] }, step: number): ShapesRecord {
  const alphas = network.kafs.map(({ layer }) => {
    const alpha = network.parameters.find(({ name }) => name === `${layer}.alpha`);
    if (!alpha) throw new Error(`the network has no ${layer}.alpha`);
    return Float32Array.from(alpha.variable.dataSync());
  });
  return { type: 'shapes', step, alphas };
}
