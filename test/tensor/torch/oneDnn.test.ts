// The kernels that PyTorch's library for the CPU (oneDNN) takes on processors without AVX-512, on any: a process is told so before it
// loads the library, which is why this has a file of its own.
import { beforeAll, describe, it } from 'vitest';

import { checkConvolution } from '../ops/checkConvolution.ts';
import { openContractRuntime } from '../ops/runtimes.ts';

describe('convolutions of torch on AVX2', () => {
  beforeAll(async () => {
    process.env['ONEDNN_MAX_CPU_ISA'] = 'AVX2';
    await openContractRuntime('torch');
  });

  // Each of several calls alone may come out right by chance.
  it.each([1, 3, 4, 7, 12, 20])('windows of one pixel at a stride, over %d channels', (nInputs) => {
    for (let call = 0; call < 50; call++)
      checkConvolution({ x: [2, 8, 8, nInputs], kernel: [1, 1, nInputs, 6], stride: 2, padding: 'same' });
  });
});
