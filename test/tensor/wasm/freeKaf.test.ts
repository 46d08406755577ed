// Free KAF on many rows, where it is evaluated by cubics on a grid: ops/freeKaf.test.ts has few rows and sees the kernels alone.
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import * as reference from '../../../server/tensor/reference/freeKaf.ts';
import { freeGrid, rowsPerEntry } from '../../../server/tensor/wasm/kernels/kafGrid.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryBuild, noise, runKernel } from './builds.ts';

const [nRows, nChannels, size] = [9000, 18, 5];

/** Elements and bandwidths of each channel's own; γ from 0.4 to 2.5. */
function inputs() {
  const x = noise([nRows, nChannels], { scale: 6 });
  const alpha = noise([nChannels, size], { seed: 2 });
  const dictionary = noise([nChannels, size], { seed: 3, scale: 3 });
  const logGamma = noise([nChannels], { seed: 4, scale: 0.9 });
  const dy = noise([nRows, nChannels], { seed: 5 });
  return { x, alpha, dictionary, logGamma, dy };
}

function float64(tensor: tf.Tensor): Float64Array {
  return Float64Array.from(tensor.dataSync());
}

describeOnEveryBuild('free KAF on a grid', () => {
  it.each(['none', 'swish'] as const)('agrees with float64 in values and gradients, base %s', (base) => {
    tf.tidy(() => {
      const { x, alpha, dictionary, logGamma, dy } = inputs();
      const coefficients = {
        alpha: float64(alpha),
        dictionary: float64(dictionary),
        logGamma: float64(logGamma),
      };
      const grid = freeGrid(dictionary.dataSync<'float32'>(), coefficients.logGamma.map(Math.exp));
      expect(rowsPerEntry * grid!.nEntries, 'rows from which the grid is used').toBeLessThanOrEqual(nRows);

      const given = { x, alpha, dictionary, logGamma };
      const [y] = runKernel('KafscopeFreeKaf', given, { base, gradients: 'all' });
      const gradients = runKernel('KafscopeFreeKafGrad', { ...given, dy }, { base, gradients: 'all' });
      const exact = reference.freeKafGradients(float64(dy), float64(x), coefficients, base);
      // Cubics are off by 2e-7 of an α of 1, its slope by 2e-7·√(2γ); five of them, and float32's rounding.
      const exactY = Float32Array.from(reference.freeKaf(float64(x), coefficients, base));
      expectClose(y!.dataSync(), exactY, { absolute: 1e-6, relative: 1e-6 }, 'y');
      expectClose(gradients[0]!.dataSync(), Float32Array.from(exact.dx), { absolute: 2e-6, relative: 1e-6 }, 'dx');
      // Sums of 9,000 terms with either sign, in float32.
      const sums = { absolute: 2e-4, relative: 1e-5 };
      expectClose(gradients[1]!.dataSync(), Float32Array.from(exact.dalpha), sums, 'dalpha');
      expectClose(gradients[2]!.dataSync(), Float32Array.from(exact.ddictionary), sums, 'ddictionary');
      expectClose(gradients[3]!.dataSync(), Float32Array.from(exact.dlogGamma), sums, 'dlogGamma');

      const [dxAlone, nothing] = runKernel('KafscopeFreeKafGrad', { ...given, dy }, { base, gradients: 'input' });
      expect(dxAlone!.dataSync()).toEqual(gradients[0]!.dataSync());
      expect(nothing!.size).toBe(0);
    });
  });

  it('keeps a NaN to its element, its channel’s sums, and everything else finite', () => {
    tf.tidy(() => {
      const { alpha, dictionary, logGamma, dy, ...rest } = inputs();
      const values = rest.x.dataSync<'float32'>().slice();
      values[nChannels + 2] = NaN;
      values[2 * nChannels + 3] = Infinity;
      const given = { x: tf.tensor2d(values, [nRows, nChannels]), alpha, dictionary, logGamma };
      const y = runKernel('KafscopeFreeKaf', given, { base: 'none', gradients: 'all' })[0]!.dataSync();
      expect([y[nChannels + 2], y[2 * nChannels + 3]]).toEqual([NaN, 0]);
      expect(y.filter(Number.isNaN)).toHaveLength(1);
      const [dx, ...sums] = runKernel('KafscopeFreeKafGrad', { ...given, dy }, { base: 'none', gradients: 'all' });
      expect(dx!.dataSync().filter(Number.isNaN)).toHaveLength(1);
      for (const tensor of sums) {
        const perChannel = tensor.size / nChannels;
        tensor.dataSync().forEach((value, index) => {
          expect(Number.isNaN(value), `channel ${index / perChannel}`).toBe(Math.floor(index / perChannel) === 2);
        });
      }
    });
  });
});
