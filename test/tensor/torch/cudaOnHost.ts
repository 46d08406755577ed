// Sources for CUDA compiled by the machine's C++ compiler and run thread after thread: their arithmetic without a GPU.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { rowsPerPart, sumsPerThread } from '../../../server/tensor/torch/cuda/partialSums.ts';

export interface CudaSource {
  readonly source: string;
  /** Trained values a channel. */
  readonly width: number;
  /** Of the backward kernel. */
  readonly blocksInY: number;
}

export interface Given {
  readonly x: Float32Array;
  readonly dy: Float32Array;
  /** `[channels, width]` */
  readonly trained: Float32Array;
  readonly channels: number;
}

export interface Computed {
  readonly y: Float32Array;
  readonly dx: Float32Array;
  /** `[channels, width]` */
  readonly dtrained: Float32Array;
}

/** One program of all sources in the folder, each called by its place in the list. */
export function buildOnHost(folder: string, sources: readonly CudaSource[]): (index: number, given: Given) => Computed {
  const [text, program] = [path.join(folder, 'kernels.cpp'), path.join(folder, 'kernels')];
  fs.writeFileSync(text, programOf(sources));
  // As NVRTC is told: no product and sum in one.
  const flags = ['-O1', '-std=c++17', '-ffp-contract=off', '-o', program, text];
  const built = spawnSync(process.env['CXX'] ?? 'g++', flags, { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the kernels do not compile: ${built.stderr}`);
  return (index, given) => run(program, index, sources[index]!, given);
}

function run(program: string, index: number, { width }: CudaSource, { x, dy, trained, channels }: Given): Computed {
  const input = Buffer.concat([x, trained, dy].map(({ buffer }) => Buffer.from(buffer)));
  const args = [index, x.length / channels, channels].map(String);
  const { status, stdout, stderr } = spawnSync(program, args, { input, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`the kernels ended with ${String(status)}: ${String(stderr)}`);
  const values = new Float32Array(new Uint8Array(stdout).buffer);
  const n = x.length;
  return {
    y: values.slice(0, n),
    dx: values.slice(n, 2 * n),
    dtrained: values.slice(2 * n, 2 * n + channels * width),
  };
}

function programOf(sources: readonly CudaSource[]): string {
  const namespaces = sources.map(
    ({ source }, i) => `namespace source${i} {\n${source.replaceAll('extern "C" ', '')}\n}`,
  );
  const cases = sources.map(
    ({ width, blocksInY }, i) =>
      `case ${i}: work(source${i}::forward, source${i}::backward, source${i}::addParts, ${width}, ${blocksInY}, rows, channels); break;`,
  );
  return `
#include <cstdio>
#include <cstdlib>
#include <math.h>
#include <vector>
struct Place { int x, y; };
static Place blockIdx, blockDim, threadIdx;
#define __global__
#define __device__ static
${namespaces.join('\n')}
template <typename Kernel> static void launch(Kernel kernel, long long nThreads, int blocksInY) {
  blockDim = {64, 1};
  // A block more than is needed: threads without work must do nothing.
  for (int y = 0; y < blocksInY; y++)
    for (long long block = 0; block < nThreads / 64 + 2; block++)
      for (int thread = 0; thread < 64; thread++) {
        blockIdx = {(int)block, y};
        threadIdx = {thread, 0};
        kernel();
      }
}
static std::vector<float> take(size_t size) {
  std::vector<float> values(size + 1);
  if (fread(values.data(), 4, size, stdin) != size) exit(3);
  return values;
}
template <typename Forward, typename Backward, typename Add>
static void work(Forward forward, Backward backward, Add addParts, int width, int blocksInY, long long rows, int channels) {
  const long long size = rows * channels;
  std::vector<float> x = take(size), trained = take((size_t)channels * width), dy = take(size), y(size + 1), dx(size + 1);
  launch([&] { forward(x.data(), trained.data(), y.data(), size, channels); }, size, 1);
  long long nParts = (rows + ${rowsPerPart} - 1) / ${rowsPerPart};
  std::vector<float> parts(nParts * channels * width + 1);
  launch([&] { backward(dy.data(), x.data(), trained.data(), dx.data(), parts.data(), rows, channels); }, nParts * channels, blocksInY);
  while (nParts > 1) {
    const long long nSums = (nParts + ${sumsPerThread} - 1) / ${sumsPerThread};
    std::vector<float> sums(nSums * channels * width + 1);
    launch([&] { addParts(parts.data(), sums.data(), (int)nParts, channels * width); }, nSums * channels * width, 1);
    parts = sums;
    nParts = nSums;
  }
  fwrite(y.data(), 4, size, stdout);
  fwrite(dx.data(), 4, size, stdout);
  fwrite(parts.data(), 4, (size_t)channels * width, stdout);
}
int main(int, char **arguments) {
  const long long rows = atoll(arguments[2]);
  const int channels = atoi(arguments[3]);
  switch (atoi(arguments[1])) {
    ${cases.join('\n    ')}
    default: return 2;
  }
}
`;
}
