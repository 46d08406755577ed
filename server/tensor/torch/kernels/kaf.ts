// KafscopeKaf and its gradients where PyTorch has no kernel of ours: a loop over the dictionary whose tensors all have the shape of x, so
// that memory does not grow with the dictionary; nothing is kept for the way back.
import type * as tf from '@tensorflow/tfjs-core';
import type { KafOptions } from '../../ops/kaf.ts';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, type TorchKernel } from './torchKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
}

export const kafKernels: readonly TorchKernel[] = [
  torchKernel<Inputs, KafOptions>('KafscopeKaf', filled(onlyFloats), (torch, of, { x, alpha }, options) => {
    const scaled = torch.scale(of(x), Math.sqrt(options.gamma));
    const columns = columnsOf(torch, of(alpha), alpha);
    const start = options.base === 'swish' ? swish(torch, of(x)) : torch.full([], 0);
    const y = scaledDictionary(columns.length, options).reduce((sum, element, i) => {
      const [next] = torch.scope(() => {
        const kernel = kernelOf(torch, torch.sub(scaled, torch.constant(element)));
        return [torch.add(torch.call('mulInto', kernel, columns[i]!), sum)];
      });
      torch.release(sum);
      return next!;
    }, start);
    return floats(y);
  }),
  torchKernel<Inputs & { readonly dy: tf.TensorInfo }, KafOptions>(
    'KafscopeKafGrad',
    filled(onlyFloats),
    (torch, of, { dy, x, alpha }, options) => {
      const { gamma, boundary, gradients, base } = options;
      const [nChannels, length] = alpha.shape as [number, number];
      const root = Math.sqrt(gamma);
      // Outside by more than 11 every kernel is 0 in float32; an infinite distance would make its slope NaN.
      const furthest = torch.constant(boundary * root + 11);
      const nearest = torch.constant(-boundary * root - 11);
      const rows = [x.shape.reduce((product, one) => product * one, 1) / nChannels, nChannels];
      const scaled = torch.call('clamp', torch.scale(torch.view(of(x), rows), root), nearest, furthest);
      const upstream = torch.view(of(dy), rows);
      const columns = columnsOf(torch, of(alpha), alpha);
      const dcolumns: Handle[] = [];
      let slope = torch.full([], 0);
      scaledDictionary(length, options).forEach((element, i) => {
        const made = torch.scope(() => {
          const distance = torch.sub(scaled, torch.constant(element));
          const kernel = kernelOf(torch, torch.copy(distance));
          const dcolumn = gradients === 'all' ? [columnSums(torch, torch.call('mul', upstream, kernel))] : [];
          const moment = torch.call('mulInto', torch.call('mulInto', kernel, distance), columns[i]!);
          return [torch.add(moment, slope), ...dcolumn];
        });
        torch.release(slope);
        slope = made[0]!;
        if (gradients === 'all') dcolumns.push(made[1]!);
      });
      slope = torch.view(torch.scale(slope, -2 * root), x.shape);
      if (base === 'swish') slope = torch.add(slope, swishSlope(torch, of(x)));
      const dx = floats(torch.call('mul', of(dy), slope));
      return [dx, floats(gradients === 'all' ? torch.call('stack', dcolumns, 1) : torch.empty([0]))];
    },
  ),
];

/** exp(−d²) in the place of d. */
function kernelOf(torch: Torch, distance: Handle): Handle {
  const square = torch.call('mulInto', distance, distance);
  return torch.call('expInto', torch.call('negInto', square));
}

export function columnSums(torch: Torch, rows: Handle): Handle {
  return torch.call('sum', rows, [0], false, null);
}

/** The columns of a matrix, each with memory of its own. */
export function columnsOf(torch: Torch, matrix: Handle, { shape }: tf.TensorInfo): Handle[] {
  const [nRows, nColumns] = shape as [number, number];
  const turned = torch.copy(torch.call('permute', matrix, [1, 0]));
  return Array.from({ length: nColumns }, (_, i) =>
    torch.view(torch.copy(torch.call('slice', turned, 0, i, i + 1, 1)), [nRows]),
  );
}

/** The dictionary times √γ. */
function scaledDictionary(count: number, { boundary, gamma }: KafOptions): number[] {
  const step = (2 * boundary) / (count - 1);
  return Array.from({ length: count }, (_, i) => Math.sqrt(gamma) * (i * step - boundary));
}

/** x·σ(x), with its limits at ±Inf: below −100 the value is under 4e-42 in magnitude. */
function swish(torch: Torch, x: Handle): Handle {
  const clamped = torch.call('maximum', x, torch.constant(-100));
  return torch.call('mul', clamped, torch.call('sigmoid', clamped));
}

/** σ(x)·(1 + x·(1 − σ(x))), with its limits 0 and 1 at ±Inf. */
function swishSlope(torch: Torch, x: Handle): Handle {
  const clamped = torch.call('clamp', x, torch.constant(-100), torch.constant(100));
  const sigmoid = torch.call('sigmoid', clamped);
  const one = torch.constant(1);
  const inner = torch.add(torch.call('mul', clamped, torch.sub(one, sigmoid)), one);
  return torch.call('mul', sigmoid, inner);
}
