// The layers of kernel activation functions.
import type * as tf from '@tensorflow/tfjs-core';
import type { Kaf2dPlan, KafPlan } from '../protocol/plan.ts';
import { baseOf, fitKaf } from '../network/startShape.ts';
import type { KafInfo } from '../protocol/records.ts';
import { freeKaf } from '../tensor/ops/freeKaf.ts';
import { kaf2d } from '../tensor/ops/kaf2d.ts';
import { kaf } from '../tensor/ops/kaf.ts';
import { kernelKaf, mixKernels } from '../tensor/ops/kernelKaf.ts';
import { normalizeAndKaf } from '../tensor/ops/normalizedKaf.ts';
import { kafGrid } from '../tensor/wasm/kernels/kafGrid.ts';
import type { ActivationLayer, NormalizedLayer, Place } from './activationLayer.ts';
import type { Layer } from './layer.ts';
import type { Initializer } from './parameters.ts';
import { dictionaryElements, fitRidge2d } from '../formula/ridge.ts';
import { startTargets } from '../formula/startTargets.ts';

/** The coefficients, and what else is trained, with the function of them. */
export function makeKaf(plan: KafPlan, place: Place): ActivationLayer {
  const { name: layer, channels, maker } = place;
  const { dictionary: size, boundary, gamma, kernels } = plan;
  const base = baseOf(plan);
  const elements = dictionaryElements({ size, boundary, gamma });
  const alpha: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'alpha', [channels, size], kafInitializer(plan));
  const named = kernels ? { kernelNames: kernels } : {};
  const info: KafInfo = { layer, channels, dictionary: [...elements], gamma, base, ...named };
  if (plan.type === 'kaf-free') return { apply: freeLayer(alpha, elements, plan, { ...place, layer }), info };
  const shape = { boundary, gamma, base };
  if (!kernels) {
    const plain: ActivationLayer = { apply: (x, { gradients }) => kaf(x, alpha, { ...shape, gradients }), info };
    const applyNormalized: NormalizedLayer = (x, normalization, { gradients }) =>
      normalizeAndKaf(x, [normalization.gamma, normalization.beta], normalization.epsilon, alpha, {
        ...shape,
        gradients,
      });
    return kafGrid(size, boundary, gamma) ? { ...plain, applyNormalized } : plain;
  }
  const options = { kernels, ...shape };
  if (plan.type !== 'multi-kaf') {
    return { apply: (x, { gradients }) => kernelKaf(x, alpha, { ...options, gradients }), info };
  }
  const mixture: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'mixture', [channels, kernels.length], {
    type: 'constant',
    value: 1 / kernels.length,
  });
  return { apply: (x, { gradients }) => kernelKaf(x, mixKernels(alpha, mixture), { ...options, gradients }), info };
}

/** Of pairs of channels. */
export function makeKaf2d(
  { dictionary: size, boundary, gamma, init }: Kaf2dPlan,
  { name: layer, channels, maker }: Place,
): ActivationLayer {
  const initializer: Initializer =
    init.type === 'normal'
      ? { type: 'normal', std: init.std }
      : { type: 'rows', row: fitRidge2d({ size, boundary, gamma }, startTargets[init.target].at, init.epsilon) };
  const alpha: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'alpha', [channels, size ** 2], initializer);
  return {
    apply: (x, { gradients }) => kaf2d(x, alpha, { boundary, gamma, gradients }),
    info: { layer, channels, axis: [...dictionaryElements({ size, boundary, gamma })], gamma },
  };
}

/** Dictionary and bandwidth of each channel's own. */
function freeLayer(
  alpha: tf.Tensor2D,
  elements: Float64Array,
  { dictionary: size, gamma }: KafPlan,
  { layer, channels, maker }: Pick<Place, 'channels' | 'maker'> & { readonly layer: string },
): Layer {
  const dictionary: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'dictionary', [channels, size], {
    type: 'rows',
    row: elements,
  });
  const logGamma: tf.Tensor1D = maker.make<tf.Rank.R1>(layer, 'logGamma', [channels], {
    type: 'constant',
    value: Math.log(gamma),
  });
  return (x, { gradients }) => freeKaf(x, alpha, dictionary, logGamma, { base: 'none', gradients });
}

function kafInitializer(plan: KafPlan): Initializer {
  const { init } = plan;
  return init.type === 'normal' ? { type: 'normal', std: init.std } : { type: 'rows', row: fitKaf(plan, init) };
}
