// The shapes of activation functions that are trained, as their coefficients.
import { mixedCoefficients } from '../formula/kafKernels.ts';
import { coefficientsOf, type KafKernels, type ShapeInfo, type ShapesRecord } from '../protocol/records.ts';
import { beginFloats, type Reading } from '../tensor/read.ts';
import type { Weighted } from './norms.ts';

/** A copy of every α, control point or parameter, and of dictionaries and bandwidths that are trained, by layer in the network's order. */
export function beginShapes(
  network: Weighted & { readonly activations: readonly ShapeInfo[] },
  step: number,
): Reading<ShapesRecord> {
  const alphas = network.activations.map((info) => {
    const name = `${info.layer}.${coefficientsOf(info)}`;
    const alpha = valuesOf(network, name);
    if (!alpha) throw new Error(`the network has no ${name}`);
    const mixture = valuesOf(network, `${info.layer}.mixture`);
    return () => (mixture ? mixedCoefficients(alpha(), mixture(), info.channels) : alpha());
  });
  const kernels = network.activations.map(({ layer }) => kernelsOf(network, layer)).filter((made) => made !== null);
  return () => {
    const shapes = { type: 'shapes', step, alphas: alphas.map((read) => read()) } as const;
    return kernels.length > 0 ? { ...shapes, kernels: kernels.map((read) => read()) } : shapes;
  };
}

/** Null where they are fixed. A network's KAFs are all of one kind. */
function kernelsOf(network: Weighted, layer: string): Reading<KafKernels> | null {
  const dictionaries = valuesOf(network, `${layer}.dictionary`);
  const logGammas = valuesOf(network, `${layer}.logGamma`);
  if (!dictionaries || !logGammas) return null;
  return () => ({ dictionaries: dictionaries(), gammas: logGammas().map(Math.exp) });
}

function valuesOf({ parameters }: Weighted, name: string): Reading<Float32Array> | null {
  const parameter = parameters.find((each) => each.name === name);
  return parameter ? beginFloats(parameter.variable) : null;
}
