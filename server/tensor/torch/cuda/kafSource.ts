// CUDA C of KafscopeKaf and its gradient, for one dictionary: an exponential an element of it, no D-fold tensor. Each kernel is printed
// from its formula (server/formula/kafKernels.ts).
import { kafKernelFormula } from '../../../formula/kafKernels.ts';
import type { KafOptions } from '../../ops/kaf.ts';
import { addPartsSource, rowsPerPart } from './partialSums.ts';
import { literal, prelude, printNodes } from './printCuda.ts';

/** So many sums a thread keeps in registers; of a larger dictionary each block of so many has threads of its own. */
export const elementsPerThread = 32;

/**
 * `forward(x, alpha, y, size, channels)`, an element a thread; `backward(dy, x, alpha, dx, parts, rows, channels)`, of channels ×
 * ⌈rows/rowsPerPart⌉ threads, and in y a block for each `elementsPerThread` of the dictionary; and `addParts`. Alpha is [channels, D],
 * parts [⌈rows/rowsPerPart⌉, channels, D].
 */
export function kafSource(length: number, { boundary, gamma, base }: Omit<KafOptions, 'gradients'>): string {
  const step = (2 * boundary) / (length - 1);
  const elements = Array.from({ length }, (_, i) => literal(i * step - boundary)).join(', ');
  const { value, slope } = kafKernelFormula('gaussian', gamma);
  const kernel = printNodes([value], { x: 'distance' }, 'v');
  const both = printNodes([value, slope], { x: 'distance' }, 'v');
  // Outside by more than 11/√γ every kernel is 0 in float32; an infinite distance would make its slope NaN.
  const furthest = literal(boundary + 11 / Math.sqrt(gamma));
  return `${prelude}
__device__ inline float within(float x) { return minimum(maximum(x, -${furthest}), ${furthest}); }
__device__ inline float base(float x) { ${base === 'swish' ? 'const float u = maximum(x, -100.0f); return u * sigmoid(u);' : 'return 0.0f;'} }
__device__ inline float baseSlope(float x) { ${
    base === 'swish'
      ? 'const float u = minimum(maximum(x, -100.0f), 100.0f); const float s = sigmoid(u); return s * (1.0f + u * (1.0f - s));'
      : 'return 0.0f;'
  } }
extern "C" __global__ void forward(const float *xs, const float *alphas, float *ys, long long size, int channels) {
  const float elements[${length}] = {${elements}};
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= size) return;
  const float *alpha = alphas + (at % channels) * ${length};
  const float x = xs[at];
  float sum = base(x);
  for (int i = 0; i < ${length}; i++) {
    const float distance = x - elements[i];
    ${kernel.statements}
    sum += alpha[i] * ${kernel.names[0]!};
  }
  ys[at] = sum;
}
extern "C" __global__ void backward(const float *dys, const float *xs, const float *alphas, float *dxs, float *parts,
                                    long long rows, int channels) {
  const float elements[${length}] = {${elements}};
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const long long first = at / channels * ${rowsPerPart};
  const int channel = (int)(at % channels);
  const int from = blockIdx.y * ${elementsPerThread};
  if (first >= rows) return;
  const float *alpha = alphas + channel * ${length};
  float sums[${elementsPerThread}] = {0};
  for (long long row = first; row < first + ${rowsPerPart} && row < rows; row++) {
    const float dy = dys[row * channels + channel];
    const float x = within(xs[row * channels + channel]);
    float slope = baseSlope(xs[row * channels + channel]);
    for (int i = 0; i < ${length}; i++) {
      const float distance = x - elements[i];
      ${both.statements}
      slope += alpha[i] * ${both.names[1]!};
      if (i >= from && i < from + ${elementsPerThread}) sums[i - from] += dy * ${both.names[0]!};
    }
    if (from == 0) dxs[row * channels + channel] = dy * slope;
  }
  for (int i = from; i < from + ${elementsPerThread} && i < ${length}; i++) parts[at * ${length} + i] = sums[i - from];
}
${addPartsSource}`;
}
