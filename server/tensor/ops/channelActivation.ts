// Activations with trained coefficients, a row of them for each channel: PReLU, the generalised hyperbolic tangent, SReLU, APL
// and the polynomial. Kernel activation functions are in kaf.ts and freeKaf.ts.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectFloats, expectRank, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

export type ChannelActivationType = 'prelu' | 'generalized-tanh' | 'srelu' | 'apl' | 'polynomial';

export interface ChannelActivationOptions {
  readonly type: ChannelActivationType;
  /** `input` leaves out the gradient with respect to the coefficients, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/**
 * An activation by the coefficients c of each channel:
 * - `prelu`, P = 1: x for x > 0, c₀x otherwise (He et al., 2015, eq. 1);
 * - `generalized-tanh`, P = 2: c₀(1 − exp(−c₁x))/(1 + exp(−c₁x)) = c₀·tanh(c₁x/2) (Chen and Chang, 1996);
 * - `srelu`, P = 4 (tˡ, aˡ, tʳ, aʳ): tʳ + aʳ(x − tʳ) for x ≥ tʳ, tˡ + aˡ(x − tˡ) for x ≤ tˡ, else x (Jin et al., 2016);
 * - `apl`, P = 2S (a₁ … a_S, b₁ … b_S): max(0, x) + Σ aᵢ·max(0, bᵢ − x) (Agostinelli et al., 2014);
 * - `polynomial`, P = S + 1: Σ cᵢxⁱ, by Horner's rule.
 * @param x `[…, C]` float32. @param coefficients `[C, P]` float32.
 * @returns `[…, C]`. NaN gives NaN; a polynomial of an infinity is what Horner's rule gives.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function channelActivation<T extends tf.Tensor>(
  x: T,
  coefficients: tf.Tensor2D,
  options: ChannelActivationOptions,
): T {
  const { type, gradients } = options;
  expectDtype(type, 'x', x, 'float32');
  const nChannels = lastAxis(type, 'x', x);
  expectRank(type, 'coefficients', coefficients, 2);
  const length = coefficients.shape[1];
  expectFloats(type, 'coefficients', coefficients, [nChannels, length]);
  if (!isLength(type, length))
    throw new RangeError(`${type}: expected ${lengths[type]} coefficients a channel, got ${String(length)}`);
  return tf.engine().runKernel('KafscopeChannelActivation', { x, coefficients }, { type, gradients });
}

export const channelActivationOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeChannelActivation',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { type } = attrs as unknown as ChannelActivationOptions;
        const x = inputOf(inputs, 'x');
        const rows = rowsOf(floatsOf(backend, inputs['coefficients']), inputOf(inputs, 'coefficients'));
        const y = floatsOf(backend, x).map((value, n) => valueOf(type, value, rows[n % rows.length]!));
        return makeFloats(backend, x.shape, y);
      },
    },
    {
      kernelName: 'KafscopeChannelActivationGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { type, gradients } = attrs as unknown as ChannelActivationOptions;
        const x = inputOf(inputs, 'x');
        const coefficients = inputOf(inputs, 'coefficients');
        const dy = floatsOf(backend, inputs['dy']);
        const rows = rowsOf(floatsOf(backend, coefficients), coefficients);
        const length = coefficients.shape[1]!;
        const sums = new Float64Array(rows.length * length);
        const partials = new Float64Array(length);
        const dx = floatsOf(backend, x).map((value, n) => {
          const channel = n % rows.length;
          const slope = slopeOf(type, value, rows[channel]!, partials);
          for (let p = 0; p < length; p++) sums[channel * length + p]! += dy[n]! * partials[p]!;
          return dy[n]! * slope;
        });
        const wantsAll = gradients === 'all';
        const dcoefficients = wantsAll ? Float32Array.from(sums) : new Float32Array(0);
        return [
          makeFloats(backend, x.shape, dx),
          makeFloats(backend, wantsAll ? coefficients.shape : [0], dcoefficients),
        ];
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeChannelActivation',
      inputsToSave: ['x', 'coefficients'],
      gradFunc: (dy, saved, attrs) => {
        const [x, coefficients] = saved as [tf.Tensor, tf.Tensor];
        const inputs = { dy: dy as tf.Tensor, x, coefficients };
        const [dx, dcoefficients] = tf
          .engine()
          .runKernel<tf.Tensor[]>('KafscopeChannelActivationGrad', inputs, attrs) as [tf.Tensor, tf.Tensor];
        return {
          x: () => dx,
          coefficients: () => {
            if (attrs['gradients'] === 'input') {
              const type = String(attrs['type']);
              throw new Error(`${type}: no gradient with respect to coefficients under gradients: 'input'`);
            }
            return dcoefficients;
          },
        };
      },
    },
  ],
};

/** How many coefficients a channel has, in words. */
const lengths: Readonly<Record<ChannelActivationType, string>> = {
  prelu: '1',
  'generalized-tanh': '2',
  srelu: '4',
  apl: 'an even number of at least 2',
  polynomial: 'at least 1',
};

function isLength(type: ChannelActivationType, length: number): boolean {
  switch (type) {
    case 'prelu':
      return length === 1;
    case 'generalized-tanh':
      return length === 2;
    case 'srelu':
      return length === 4;
    case 'apl':
      return length >= 2 && length % 2 === 0;
    case 'polynomial':
      return length >= 1;
  }
}

function rowsOf(values: Float32Array, { shape }: tf.TensorInfo): Float32Array[] {
  const [nChannels, length] = shape as [number, number];
  return Array.from({ length: nChannels }, (_, channel) => values.subarray(channel * length, (channel + 1) * length));
}

function valueOf(type: ChannelActivationType, x: number, c: Float32Array): number {
  switch (type) {
    case 'prelu':
      return x > 0 ? x : c[0]! * x;
    case 'generalized-tanh':
      return c[0]! * Math.tanh((c[1]! * x) / 2);
    case 'srelu':
      if (x >= c[2]!) return c[2]! + c[3]! * (x - c[2]!);
      return x <= c[0]! ? c[0]! + c[1]! * (x - c[0]!) : x;
    case 'apl': {
      const nHinges = c.length / 2;
      let y = Math.max(0, x);
      for (let i = 0; i < nHinges; i++) y += c[i]! * Math.max(0, c[nHinges + i]! - x);
      return y;
    }
    case 'polynomial': {
      let y = c[c.length - 1]!;
      for (let power = c.length - 2; power >= 0; power--) y = y * x + c[power]!;
      return y;
    }
  }
}

/** ∂f/∂x; `partials` is filled with ∂f/∂c. */
function slopeOf(type: ChannelActivationType, x: number, c: Float32Array, partials: Float64Array): number {
  partials.fill(0);
  switch (type) {
    case 'prelu':
      if (x > 0) return 1;
      partials[0] = x;
      return c[0]!;
    case 'generalized-tanh': {
      const t = Math.tanh((c[1]! * x) / 2);
      const flank = 1 - t * t;
      partials[0] = t;
      // An infinite x, where the function is flat, adds nothing.
      partials[1] = flank === 0 ? 0 : (c[0]! * x * flank) / 2;
      return (c[0]! * c[1]! * flank) / 2;
    }
    case 'srelu': {
      const isRight = x >= c[2]!;
      if (!isRight && !(x <= c[0]!)) return 1;
      const side = isRight ? 2 : 0;
      partials[side] = 1 - c[side + 1]!;
      partials[side + 1] = x - c[side]!;
      return c[side + 1]!;
    }
    case 'apl': {
      const nHinges = c.length / 2;
      let slope = x > 0 ? 1 : 0;
      for (let i = 0; i < nHinges; i++) {
        partials[i] = Math.max(0, c[nHinges + i]! - x);
        if (!(c[nHinges + i]! > x)) continue;
        partials[nHinges + i] = c[i]!;
        slope -= c[i]!;
      }
      return slope;
    }
    case 'polynomial': {
      let slope = 0;
      for (let power = c.length - 1; power > 0; power--) slope = slope * x + power * c[power]!;
      let term = 1;
      for (let power = 0; power < c.length; power++) {
        partials[power] = term;
        term *= x;
      }
      return slope;
    }
  }
}
