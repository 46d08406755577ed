// The networks of the paper on kernel activation functions (Scardapane et al., 2019), as Peconi (2020) quotes them in Table 4.1.
import type { LayerPlan } from '../../protocol/plan.ts';
import { activation, conv, dense, dropout, flatten, maxPool } from '../declare.ts';

/**
 * Blocks of 150 filters of 5×5, maximum pooling over 3×3 with stride 2, and dropout: 5 in the paper, 4 or 2 in Peconi's runs. Those
 * pool without padding; of a picture of 32×32 a fifth block would find one pixel, so that five need it.
 */
export function cnn5(blocks: number, rates: readonly number[]): LayerPlan[] {
  const pool = maxPool(3, 2, blocks > 4 ? 'same' : 'valid');
  const layers = Array.from({ length: blocks }, (_, index) => [
    ...[conv(150, { size: 5 }), activation, pool, dropout(rates[index])],
  ]);
  return [...layers.flat(), flatten, dense('classes')];
}

/** Fully connected; of a picture all values. The paper: 3 × 100 (KAF: 1 × 100) for Sensorless, 5 × 300 (KAF: 2 × 300) for SUSY. */
export function mlp(hiddenLayers: number, units: number): LayerPlan[] {
  const hidden = Array.from({ length: hiddenLayers }, () => [dense(units, { initializer: 'he-uniform' }), activation]);
  return [flatten, ...hidden.flat(), dense('classes')];
}
