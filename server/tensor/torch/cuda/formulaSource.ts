// CUDA C of KafscopeFormula, KafscopeTrainedFormula and their gradients, for one formula.
import type { Formula } from '../../../formula/formula.ts';
import { addPartsSource, rowsPerPart } from './partialSums.ts';
import { prelude, printNodes } from './printCuda.ts';

/**
 * `forward(x, coefficients, y, size, channels)`, an element a thread; `backward(dy, x, coefficients, dx, parts, rows, channels)`, of
 * channels × ⌈rows/rowsPerPart⌉ threads; and `addParts`. Coefficients are [channels, P], parts [⌈rows/rowsPerPart⌉, channels, P].
 */
export function formulaSource({ value, slope, partials, text }: Formula): string {
  const nParameters = text.parameters.length;
  const variables = Object.fromEntries(text.parameters.map((name, p) => [name, `own[${p}]`]));
  const forward = printNodes([value], { ...variables, x: 'x' }, 'v');
  const backward = printNodes([slope, ...partials], { ...variables, x: 'x' }, 'v');
  return `${prelude}
extern "C" __global__ void forward(const float *xs, const float *coefficients, float *ys, long long size, int channels) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= size) return;
  const float *own = coefficients + (at % channels) * ${nParameters};
  const float x = xs[at];
  ${forward.statements}
  ys[at] = ${forward.names[0]!};
}
extern "C" __global__ void backward(const float *dys, const float *xs, const float *coefficients, float *dxs, float *parts,
                                    long long rows, int channels) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const long long first = at / channels * ${rowsPerPart};
  const int channel = (int)(at % channels);
  if (first >= rows) return;
  const float *own = coefficients + channel * ${nParameters};
  float sums[${nParameters} + 1] = {0};
  for (long long row = first; row < first + ${rowsPerPart} && row < rows; row++) {
    const float x = xs[row * channels + channel];
    const float dy = dys[row * channels + channel];
    ${backward.statements}
    dxs[row * channels + channel] = passing(dy, ${backward.names[0]!});
    ${partials.map((_, p) => `sums[${p}] += passing(dy, ${backward.names[p + 1]!});`).join('\n    ')}
  }
  for (int p = 0; p < ${nParameters}; p++) parts[at * ${nParameters} + p] = sums[p];
}
${addPartsSource}`;
}
