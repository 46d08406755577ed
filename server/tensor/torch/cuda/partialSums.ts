// How gradients that are sums over rows are made without barriers and atomics, so that they are the same every time: a thread keeps one
// channel and walks `rowsPerPart` rows, then sums of sums are added in their order, `sumsPerThread` at a time.

export const rowsPerPart = 64;
export const sumsPerThread = 32;

/** `parts` rows of `width` values become ⌈parts/sumsPerThread⌉ rows; to be launched until there is one. */
export const addPartsSource = `
extern "C" __global__ void addParts(const float *parts, float *sums, int nParts, int width) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const int nSums = (nParts + ${sumsPerThread} - 1) / ${sumsPerThread};
  if (at >= (long long)nSums * width) return;
  const int first = (int)(at / width) * ${sumsPerThread};
  const int column = (int)(at % width);
  float sum = 0.0f;
  for (int part = first; part < first + ${sumsPerThread} && part < nParts; part++)
    sum += parts[(long long)part * width + column];
  sums[at] = sum;
}
`;
