// Residual networks.
import type { LayerPlan } from '../../protocol/plan.ts';
import { activation, batchNorm, block, conv, dense, globalAveragePool, residual } from '../declare.ts';

const glorot = { initializer: 'glorot-uniform' } as const;

/**
 * Peconi (2020), §7.2 and equation 7.1, as the author built it: depth 6n + 2 (He et al., 2016) with the stem at stride 1, batch
 * normalisation after the sum, and a 3×3 convolution on the skip where the shape changes.
 */
export function resnet(depth: number): LayerPlan[] {
  const blocksPerStage = (depth - 2) / 6;
  const stages = [16, 32, 64].flatMap((channels, stage) =>
    Array.from({ length: blocksPerStage }, (_, index) => {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const skip = stride === 2 ? [conv(channels, { ...glorot, stride, name: 'skip' })] : [];
      const branch = [conv(channels, { ...glorot, stride }), batchNorm, activation, conv(channels, glorot)];
      return block([residual(branch, skip), batchNorm, activation]);
    }),
  );
  const stem = [conv(16, glorot), batchNorm, activation];
  return [...stem, ...stages, globalAveragePool, dense('classes', { initializer: 'he-normal' })];
}

const plain = { bias: false, initializer: 'he-normal' } as const;

/**
 * Pre-activation residual network of depth 18 (He et al., 2016b) as Wong, Rice & Kolter (2020) train it: two blocks in each of
 * four stages, the 1×1 convolution of a skip behind the block's first activation.
 */
export function preactResnet18(): LayerPlan[] {
  const stages = [64, 128, 256, 512].flatMap((channels, stage) =>
    [0, 1].map((index) => {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const first = [batchNorm, activation];
      const rest = [...[conv(channels, { ...plain, stride }), batchNorm, activation], conv(channels, plain)];
      const skip = [conv(channels, { ...plain, stride, size: 1, name: 'skip' })];
      return block(stride === 2 ? [...first, residual(rest, skip)] : [residual([...first, ...rest])]);
    }),
  );
  return [conv(64, plain), ...stages, batchNorm, activation, globalAveragePool, dense('classes')];
}
