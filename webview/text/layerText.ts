// How the fixed part of an activation layer is told: where its functions stand, and what they are.
import { gaussianAlone, kafKernels } from '../../server/formula/kafKernels.ts';
import type { KafLayer, ShapedLayer } from '../../server/formula/shape.ts';
import type { SurfaceLayer } from '../kaf/surface.ts';
import { formatNumber } from './numbers.ts';

/** What the points at which its functions stand are called. */
export function placesName(layer: ShapedLayer): 'dictionary' | 'knots' | 'parameters' {
  if ('formula' in layer) return 'parameters';
  return 'spline' in layer ? 'knots' : 'dictionary';
}

/** For example `20 on [-3, 3] · γ 1.67`, `20 on [-3, 3] · Gaussian + ReLU · γ 1.67`, `21 on [-3, 3] · catmull-rom`, `10² on [-3, 3]² · γ 0.562` or `a, b`. */
export function layerText(layer: ShapedLayer | SurfaceLayer): string {
  if ('axis' in layer) return surfaceText(layer);
  if ('formula' in layer) return layer.formula.parameters.join(', ');
  const { dictionary } = layer;
  const [low, high] = [Math.min(...dictionary), Math.max(...dictionary)].map((value) => formatNumber(value, 2));
  const kind = 'spline' in layer ? layer.spline : kernelsText(layer);
  return `${dictionary.length.toString()} on [${low!}, ${high!}] · ${kind}`;
}

function surfaceText({ axis, gamma }: SurfaceLayer): string {
  const [low, high] = [axis[0]!, axis.at(-1)!].map((value) => formatNumber(value, 2));
  return `${axis.length.toString()}² on [${low!}, ${high!}]² · γ ${formatNumber(gamma, 3)}`;
}

/** The function of one channel. */
export function equationText(layer: ShapedLayer | SurfaceLayer): string {
  if ('axis' in layer) return 'f(u, v) = ΣΣ αᵢⱼ exp(−γ((u−dᵢ)² + (v−dⱼ)²))';
  if ('formula' in layer) return `f(x) = ${layer.formula.formula}`;
  if ('spline' in layer) return 'f(x) = uᵀB·[qᵢ₋₁, qᵢ, qᵢ₊₁, qᵢ₊₂]';
  const base = layer.base === 'swish' ? 'swish(x) + ' : '';
  const names = layer.kernelNames ?? gaussianAlone;
  return names.length === 1 ? `f(x) = ${base}Σ αᵢ ${kafKernels[names[0]!].summand}` : `f(x) = ${base}ΣΣ αₘᵢ κₘ(x, dᵢ)`;
}

/** Kernels, unless there is only the Gaussian, and their bandwidth, unless none has one. */
function kernelsText({ kernelNames, gamma }: KafLayer): string {
  const names = kernelNames ? [kernelNames.map((name) => kafKernels[name].name).join(' + ')] : [];
  const hasWidth = (kernelNames ?? gaussianAlone).some((name) => kafKernels[name].hasWidth);
  return [...names, ...(hasWidth ? [`γ ${formatNumber(gamma, 3)}`] : [])].join(' · ');
}
