// By how much one layer can lengthen a difference between two inputs, under L2.
import type * as tf from '@tensorflow/tfjs-core';
import { kernelsOf, type ActivationPlan } from '../protocol/plan.ts';
import type { LayerLayout, PoolLayout } from '../network/layout.ts';
import type { LayerBound } from '../protocol/records.ts';
import { readFloats } from '../tensor/read.ts';
import { batchNormEpsilon, groupNormEpsilon, tensorOf } from './boundNetwork.ts';
import type { Subject } from './certificate.ts';
import { boundCurve, steepest } from './curve.ts';
import { curvesOf, rowsOf, type ValuesOf } from './curves.ts';
import { convolutionOperator, denseOperator, operatorNorm } from './operatorNorm.ts';

/** Of a residual the factor of its branch. */
export function* layerBound(
  { network, seed }: Pick<Subject, 'network' | 'seed'>,
  layout: LayerLayout,
): Generator<readonly LayerBound[], number, void> {
  const own = <T extends tf.Tensor>(quantity: string) => tensorOf<T>(network, layout.name, quantity);
  const valuesOf: ValuesOf = (quantity) => {
    const tensor = own(quantity);
    return tensor && readFloats(tensor);
  };
  switch (layout.type) {
    case 'convolution':
      return yield* silently(
        operatorNorm(convolutionOperator(own<tf.Tensor4D>('kernel')!, layout.input, layout), seed),
      );
    case 'dense':
      return yield* silently(operatorNorm(denseOperator(own<tf.Tensor2D>('kernel')!), seed));
    case 'batch-norm': {
      const variance = valuesOf('variance')!;
      return largest(valuesOf('gamma')!.map((gamma, c) => gamma / Math.sqrt(variance[c]! + batchNormEpsilon)));
    }
    case 'layer-norm':
    case 'group-norm':
      // Of (x − μ)/√(s² + ε) the Jacobian is a projection over √(s² + ε), and s may be 0.
      return largest(valuesOf('gamma')!) / Math.sqrt(groupNormEpsilon);
    case 'activation':
      return activationBound(layout.activation, layout.output.at(-1)!, valuesOf);
    case 'dropout':
    case 'flatten':
      return 1;
    case 'max-pool':
      // Each value may be the largest of so many windows.
      return windowsOf(layout);
    case 'average-pool':
      return Math.sqrt(windowsOf(layout) ** 2 / fewestPixels(layout));
    case 'global-average-pool':
      return 1 / Math.sqrt(layout.input[0]! * layout.input[1]!);
    case 'residual':
      return layout.isScaled ? Math.abs(valuesOf('scale')![0]!) : 1;
    case 'concat':
      return 1;
    default:
      return layout satisfies never;
  }
}

/** sup |f′| over channels: for KAFs of Gaussians the lesser of that and Σ|αᵢ|·√(2γ/e), √(2γ/e) being the steepest that a kernel is. */
export function activationBound(plan: ActivationPlan, channels: number, valuesOf: ValuesOf): number {
  switch (plan.type) {
    case 'maxout':
      return 1;
    case 'k-wta':
      // It jumps.
      return Infinity;
    case 'kaf-2d': {
      const most = Math.max(...rowsOf(valuesOf('alpha')!, channels).map(sumOfSizes));
      return most * Math.sqrt((2 * plan.gamma) / Math.E) * Math.SQRT2;
    }
    default: {
      const slopes = curvesOf(plan, channels, valuesOf)!.map((curve) => steepest(boundCurve(curve)));
      const found = Math.max(...slopes);
      const isPlain = plan.type === 'kaf' && kernelsOf(plan).every((kernel) => kernel === 'gaussian');
      return isPlain ? Math.min(found, kafBound(valuesOf('alpha')!, channels, plan.gamma)) : found;
    }
  }
}

/** max over channels of ‖α‖₁·√(2γ/e). */
export function kafBound(alpha: Float32Array, channels: number, gamma: number): number {
  return Math.max(...rowsOf(alpha, channels).map(sumOfSizes)) * Math.sqrt((2 * gamma) / Math.E);
}

/** Of how many windows of one axis a value is part of, at most; of both axes that is its square, whose root this is. */
function windowsOf({ size, stride }: PoolLayout): number {
  return Math.ceil(size / stride);
}

/** Of a window that a mean is taken of: at an edge that is padded fewer than it has room for. */
function fewestPixels({ size, stride, padding, input, output }: PoolLayout): number {
  if (padding === 'valid') return size * size;
  return [0, 1].reduce((product, axis) => {
    const [length, count] = [input[axis]!, output[axis]!];
    const before = Math.floor(Math.max(0, (count - 1) * stride + size - length) / 2);
    const pixels = Array.from({ length: count }, (_, index) => {
      const start = index * stride - before;
      return Math.min(length, start + size) - Math.max(0, start);
    });
    return product * Math.min(...pixels);
  }, 1);
}

function* silently<T>(work: Generator<void, T, void>): Generator<readonly LayerBound[], T, void> {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    yield [];
  }
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function sumOfSizes(values: Float32Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}
