// How a norm changes from layer to layer through the network, among tensors of one kind.
import type { ParameterInfo } from '../protocol/records.ts';

/** Tensors that can be compared with one another: those of other kinds have norms of another size, whatever the depth. */
export interface DepthKind {
  readonly name: 'conv' | 'dense' | 'normalisation' | 'activation';
  /** Positions in `prepared.parameters`, in the network's order: kernels, or what scales or shapes a layer. */
  readonly parameters: readonly number[];
}

const kindOf: readonly [DepthKind['name'], (parameter: ParameterInfo) => boolean][] = [
  ['conv', ({ name, shape }) => name.endsWith('.kernel') && shape.length === 4],
  ['dense', ({ name, shape }) => name.endsWith('.kernel') && shape.length === 2],
  ['normalisation', ({ name }) => name.endsWith('.gamma')],
  ['activation', ({ name }) => /\.(alpha|points|coefficients)$/.test(name)],
];

/** Those that the network has. Biases are in none: before a normalisation their gradient is rounding alone. */
export function depthKinds(parameters: readonly ParameterInfo[]): DepthKind[] {
  return kindOf.flatMap(([name, isOfIt]) => {
    const members = parameters.flatMap((parameter, index) => (isOfIt(parameter) ? [index] : []));
    return members.length > 0 ? [{ name, parameters: members }] : [];
  });
}

/** What a network's depth is measured by: its convolutions, or where it has fewer than three its dense layers. */
export function mainKind(kinds: readonly DepthKind[]): DepthKind | null {
  const withThree = kinds.find(({ name, parameters }) => name === 'conv' && parameters.length >= 3);
  return withThree ?? kinds.find(({ name }) => name === 'dense') ?? kinds[0] ?? null;
}

export interface DepthGain {
  /**
   * The factor from one layer to the next one before it, as the backward pass goes: least squares through the logarithms. NaN where
   * fewer than two values count.
   */
  readonly gain: number;
  /** Of the network's first layer on that line; NaN as above. */
  readonly first: number;
  /** Of the values, exactly 0 or not finite: they have no say. */
  readonly nZero: number;
  readonly nNonFinite: number;
}

/** @param norms from the network's first layer to its last */
export function depthGain(norms: readonly number[]): DepthGain {
  const points = norms.flatMap((norm, depth) =>
    norm > 0 && Number.isFinite(norm) ? [[depth, Math.log(norm)] as const] : [],
  );
  const { start, slope } = fitLine(points);
  return {
    gain: Math.exp(-slope),
    first: Math.exp(start),
    nZero: norms.filter((norm) => norm === 0).length,
    nNonFinite: norms.filter((norm) => !Number.isFinite(norm)).length,
  };
}

function fitLine(points: readonly (readonly [number, number])[]): { start: number; slope: number } {
  if (points.length < 2) return { start: Number.NaN, slope: Number.NaN };
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  return { start: meanY - slope * meanX, slope };
}
