// The shapes of activation functions that are trained, as their coefficients.
import { mixedCoefficients } from '../formula/kafKernels.ts';
import { coefficientsOf, type KafKernels, type ShapeInfo, type ShapesRecord } from '../protocol/records.ts';
import { readFloats } from '../tensor/read.ts';
import type { Weighted } from './norms.ts';

/** A copy of every α, control point or parameter, and of dictionaries and bandwidths that are trained, by layer in the network's order. */
export function shapesRecord(
  network: Weighted & { readonly activations: readonly ShapeInfo[] },
  step: number,
): ShapesRecord {
  const alphas = network.activations.map((info) => {
    const name = `${info.layer}.${coefficientsOf(info)}`;
    const alpha = valuesOf(network, name);
    if (!alpha) throw new Error(`the network has no ${name}`);
    const mixture = valuesOf(network, `${info.layer}.mixture`);
    return mixture ? mixedCoefficients(alpha, mixture, info.channels) : alpha;
  });
  const kernels = network.activations.map(({ layer }) => kernelsOf(network, layer)).filter((made) => made !== null);
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
  return parameter ? readFloats(parameter.variable) : null;
}
