// Short forms in which the networks with a name (named/) are written: each makes one layer as a plan spells it out.
import type { KernelInitializer } from '../protocol/initializers.ts';
import type { LayerPlan, Padding } from '../protocol/plan.ts';

type ConvolutionPlan = Extract<LayerPlan, { readonly type: 'conv' }>;

/** 3×3, stride 1, padded, with bias, He uniform where nothing else is said. */
export function conv(channels: number, options: Partial<Omit<ConvolutionPlan, 'type' | 'channels'>> = {}): LayerPlan {
  const usual = { size: 3, stride: 1, padding: 'same', bias: true, initializer: 'he-uniform' } as const;
  return { type: 'conv', channels, ...usual, ...options };
}

export function dense(
  units: number | 'classes',
  { bias = true, initializer = 'glorot-uniform' }: { bias?: boolean; initializer?: KernelInitializer } = {},
): LayerPlan {
  return { type: 'dense', units, bias, initializer };
}

export function maxPool(size: number, stride: number = size, padding: Padding = 'valid'): LayerPlan {
  return { type: 'max-pool', size, stride, padding };
}

export function dropout(rate: number | undefined): LayerPlan {
  return { type: 'dropout', rate: rate ?? 0 };
}

export const batchNorm: LayerPlan = { type: 'batch-norm' };
/** The model's. */
export const activation: LayerPlan = { type: 'activation', activation: null };
export const flatten: LayerPlan = { type: 'flatten' };
export const globalAveragePool: LayerPlan = { type: 'global-average-pool' };

export function block(layers: readonly LayerPlan[]): LayerPlan {
  return { type: 'block', layers };
}

/** A skip without layers is the input itself. */
export function residual(branch: readonly LayerPlan[], skip: readonly LayerPlan[] = []): LayerPlan {
  return { type: 'residual', branch, skip, scale: 'none' };
}
