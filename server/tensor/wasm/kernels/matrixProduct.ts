// BatchMatMul and _FusedMatMul over assembly/matrixProduct.ts: every transposition, batches broadcast, bias and ReLU fused.
import * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import { callCpuKernel, isFloat, roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Transpositions {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

interface Operands {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}

export const matrixProductKernels: readonly WasmKernel[] = [
  wasmKernel<Operands, Transpositions>(tf.BatchMatMul, (call) => {
    const { a, b } = call.inputs;
    if (!isFloat(call.backend, a, b)) return callCpuKernel(tf.BatchMatMul, call);
    return multiply(call.backend, a, b, { ...call.attrs, bias: null, isRelu: false });
  }),
  wasmKernel<Operands & { bias?: tf.TensorInfo }, Transpositions & { activation?: string }>(tf._FusedMatMul, (call) => {
    const { a, b, bias } = call.inputs;
    const { transposeA, transposeB, activation } = call.attrs;
    const columns = b.shape[b.shape.length - (transposeB ? 2 : 1)]!;
    const isPlainBias = !bias || (bias.shape.at(-1) === columns && sizeOf(bias) === columns);
    const isRelu = activation === 'relu';
    if (
      !isFloat(call.backend, a, b) ||
      !isPlainBias ||
      !(isRelu || activation === undefined || activation === 'linear')
    ) {
      return callCpuKernel(tf._FusedMatMul, call);
    }
    return multiply(call.backend, a, b, { transposeA, transposeB, bias: bias ?? null, isRelu });
  }),
];

interface Matrix {
  readonly address: number;
  /** As it is stored. */
  readonly rowLength: number;
  readonly isTransposed: boolean;
}

/** out[M, N] = a·op(b) of matrices in the memory: a [M, K], op(b) [K, N]. */
export function multiplyRows(
  backend: WasmBackend,
  { a, b, out }: { readonly a: number; readonly b: Matrix; readonly out: number },
  [nRows, inner, nColumns]: readonly [number, number, number],
): void {
  const paddedColumns = roundUp(nColumns, 8);
  backend.withScratch([paddedColumns * inner * 4, paddedColumns * 4], (panels, bias) => {
    backend.floats(bias!, paddedColumns).fill(0);
    const [rowBytes, columnBytes] = b.isTransposed ? [4, b.rowLength * 4] : [b.rowLength * 4, 4];
    backend.kernels.packMatrix(b.address, rowBytes, columnBytes, inner, nColumns, panels!);
    const fixed = [a, inner, panels!, nColumns, bias!, out];
    const offsets = { argument: fixed.length + 2, sizeBytes: 24 };
    backend.runOver(nRows, grainOf(inner, nColumns), 'multiplyRows', (...range) => [...fixed, ...range, 0, 0], offsets);
  });
}

/** Some 200,000 operations, by whole tiles of six rows. */
function grainOf(inner: number, nColumns: number): number {
  return 6 * Math.ceil(16_384 / Math.max(1, inner * nColumns));
}

interface ProductOptions extends Transpositions {
  readonly bias: tf.TensorInfo | null;
  readonly isRelu: boolean;
}

/** out[…, M, N] = op(a)·op(b) + bias. */
function multiply(backend: WasmBackend, a: tf.TensorInfo, b: tf.TensorInfo, options: ProductOptions): tf.TensorInfo {
  const { transposeA, transposeB, bias, isRelu } = options;
  const rankA = a.shape.length;
  const rankB = b.shape.length;
  const nRows = a.shape[rankA - (transposeA ? 1 : 2)]!;
  const inner = a.shape[rankA - (transposeA ? 2 : 1)]!;
  const innerOfB = b.shape[rankB - (transposeB ? 1 : 2)]!;
  const nColumns = b.shape[rankB - (transposeB ? 2 : 1)]!;
  tf.util.assert(
    inner === innerOfB,
    () =>
      `Error in matMul: inner shapes (${inner}) and (${innerOfB}) of Tensors with shapes ${a.shape} and ${b.shape} must match.`,
  );
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const nBatchA = tf.util.sizeFromShape(batchA);
  const nBatchB = tf.util.sizeFromShape(batchB);
  const nBatch = tf.util.sizeFromShape(batch);
  const out = backend.place([...batch, nRows, nColumns]);
  if (nBatch * nRows * nColumns === 0) return out.info;

  const addressA = backend.addressOf(a);
  const addressB = backend.addressOf(b);
  const paddedColumns = roundUp(nColumns, 8);
  const grain = grainOf(inner, nColumns);
  const sizesBytes = [paddedColumns * inner * 4, paddedColumns * 4, transposeA ? nRows * paddedColumns * 4 : 0];
  backend.withScratch(sizesBytes, (panels, paddedBias, sums) => {
    const biasValues = backend.floats(paddedBias!, paddedColumns).fill(0);
    if (bias) biasValues.set(backend.floats(backend.addressOf(bias), nColumns));
    let packed = -1;
    for (let index = 0; index < nBatch; index++) {
      const indexB = index % nBatchB;
      if (packed !== indexB) {
        const matrix = addressB + indexB * inner * nColumns * 4;
        backend.kernels.packMatrix(
          ...[matrix, transposeB ? 4 : nColumns * 4, transposeB ? inner * 4 : 4, inner, nColumns, panels!],
        );
        packed = indexB;
      }
      const matrix = addressA + (index % nBatchA) * nRows * inner * 4;
      const to = out.address + index * nRows * nColumns * 4;
      const relu = isRelu ? 1 : 0;
      if (transposeA) {
        const fixed = [matrix, inner, nRows, panels!, nColumns, paddedBias!, to, sums!];
        backend.runOver(nRows, grain, 'multiplyColumns', (...range) => [...fixed, ...range, relu]);
      } else {
        const fixed = [matrix, inner, panels!, nColumns, paddedBias!, to];
        const offsets = { argument: fixed.length + 2, sizeBytes: 24 };
        backend.runOver(nRows, grain, 'multiplyRows', (...range) => [...fixed, ...range, 0, relu], offsets);
      }
    }
  });
  return out.info;
}
