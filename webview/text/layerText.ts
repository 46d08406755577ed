// How the fixed part of an activation layer is told: where its functions stand, and what they are.
import { gaussianAlone, kafKernels } from '../../server/formula/kafKernels.ts';
import type { KafLayer, ShapedLayer } from '../kaf/shape.ts';
import { formatNumber } from './numbers.ts';

/** What the points at which its functions stand are called. */
export function placesName(layer: ShapedLayer): 'dictionary' | 'knots' | 'parameters' {
  if ('formula' in layer) return 'parameters';
  return 'spline' in layer ? 'knots' : 'dictionary';
}

/** For example `20 on [-3, 3] · γ 1.67`, `20 on [-3, 3] · Gaussian + ReLU · γ 1.67`, `21 on [-3, 3] · catmull-rom` or `a, b`. */
export function layerText(layer: ShapedLayer): string {
  if ('formula' in layer) return layer.formula.parameters.join(', ');
  const { dictionary } = layer;
  const [low, high] = [Math.min(...dictionary), Math.max(...dictionary)].map((value) => formatNumber(value, 2));
  const kind = 'spline' in layer ? layer.spline : kernelsText(layer);
  return `${dictionary.length.toString()} on [${low!}, ${high!}] · ${kind}`;
}

/** The function of one channel. */
export function equationText(layer: ShapedLayer): string {
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
