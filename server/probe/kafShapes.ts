// The shapes of the kernel activation functions, as their coefficients.
import type { KafInfo, KafKernels, ShapesRecord } from '../protocol/records.ts';
import type { Weighted } from './norms.ts';

/** A copy of every α, and of every dictionary and bandwidth that is trained, in the order of `network.kafs`. */
export function shapesRecord(network: Weighted & { readonly kafs: readonly KafInfo[] }, step: number): ShapesRecord {
  const alphas = network.kafs.map(({ layer }) => {
    const alpha = valuesOf(network, `${layer}.alpha`);
    if (!alpha) throw new Error(`the network has no ${layer}.alpha`);
    return alpha;
  });
  const kernels = network.kafs.map(({ layer }) => kernelsOf(network, layer)).filter((made) => made !== null);
  return kernels.length > 0 ? { type: 'shapes', step, alphas, kernels } : { type: 'shapes', step, alphas };
}

/** Null where they are fixed. A network's KAFs are all of one kind. */
function kernelsOf(network: Weighted, layer: string): KafKernels | null {
  const dictionaries = valuesOf(network, `${layer}.dictionary`);
  const logGammas = valuesOf(network, `${layer}.logGamma`);
  return dictionaries && logGammas ? { dictionaries, gammas: logGammas.map(Math.exp) } : null;
}

function valuesOf({ parameters }: Weighted, name: string): Float32Array | null {
  const parameter = parameters.find((each) => each.name === name);
  return parameter ? Float32Array.from(parameter.variable.dataSync()) : null;
}
