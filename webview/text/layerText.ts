// How the fixed part of an activation layer is told: where its functions stand, and what they are.
import type { ShapedLayer } from '../kaf/shape.ts';
import { formatNumber } from './numbers.ts';

/** What the points at which its functions stand are called. */
export function placesName(layer: ShapedLayer): 'dictionary' | 'knots' | 'parameters' {
  if ('formula' in layer) return 'parameters';
  return 'spline' in layer ? 'knots' : 'dictionary';
}

/** For example `20 on [-3, 3] · γ 1.67`, `21 on [-3, 3] · catmull-rom` or `a, b`. */
export function layerText(layer: ShapedLayer): string {
  if ('formula' in layer) return layer.formula.parameters.join(', ');
  const { dictionary } = layer;
  const [low, high] = [Math.min(...dictionary), Math.max(...dictionary)].map((value) => formatNumber(value, 2));
  const kind = 'spline' in layer ? layer.spline : `γ ${formatNumber(layer.gamma, 3)}`;
  return `${dictionary.length.toString()} on [${low!}, ${high!}] · ${kind}`;
}

/** The function of one channel. */
export function equationText(layer: ShapedLayer): string {
  if ('formula' in layer) return `f(x) = ${layer.formula.formula}`;
  if ('spline' in layer) return 'f(x) = uᵀB·[qᵢ₋₁, qᵢ, qᵢ₊₁, qᵢ₊₂]';
  return `f(x) = ${layer.base === 'swish' ? 'swish(x) + ' : ''}Σ αᵢ exp(−γ(x−dᵢ)²)`;
}
