// Float64 reference of two-dimensional convolution and its gradients: seven nested loops, any stride, any padding.

export interface ConvolutionShape {
  /** `[B, H, W, I]` */
  readonly x: readonly [number, number, number, number];
  /** `[h, w, I, O]` */
  readonly kernel: readonly [number, number, number, number];
  readonly stride: number;
  readonly padding: 'same' | 'valid';
}

/** Output length and the padding before the first element (TensorFlow's rule: the odd one comes last). */
export function outputSize(
  size: number,
  kernel: number,
  stride: number,
  padding: 'same' | 'valid',
): { length: number; before: number } {
  if (padding === 'valid') return { length: Math.max(Math.floor((size - kernel) / stride) + 1, 0), before: 0 };
  const length = Math.ceil(size / stride);
  const total = Math.max((length - 1) * stride + kernel - size, 0);
  return { length, before: Math.floor(total / 2) };
}

/** `[B, H′, W′, O]` */
export function outputShape({ x, kernel, stride, padding }: ConvolutionShape): [number, number, number, number] {
  return [
    x[0],
    outputSize(x[1], kernel[0], stride, padding).length,
    outputSize(x[2], kernel[1], stride, padding).length,
    kernel[3],
  ];
}

/** y = x ⋆ kernel + bias. */
export function convolution(
  x: Float64Array,
  kernel: Float64Array,
  bias: Float64Array,
  shape: ConvolutionShape,
): Float64Array {
  const nOutputs = shape.kernel[3];
  const y = new Float64Array(outputShape(shape).reduce((a, b) => a * b, 1)).map((_, n) => bias[n % nOutputs]!);
  forEachProduct(shape, (xIndex, kernelIndex, yIndex) => {
    y[yIndex] = y[yIndex]! + x[xIndex]! * kernel[kernelIndex]!;
  });
  return y;
}

export function convolutionGradients(
  dy: Float64Array,
  x: Float64Array,
  kernel: Float64Array,
  shape: ConvolutionShape,
): { dx: Float64Array; dkernel: Float64Array; dbias: Float64Array } {
  const dx = new Float64Array(x.length);
  const dkernel = new Float64Array(kernel.length);
  const dbias = new Float64Array(shape.kernel[3]);
  forEachProduct(shape, (xIndex, kernelIndex, yIndex) => {
    dx[xIndex] = dx[xIndex]! + dy[yIndex]! * kernel[kernelIndex]!;
    dkernel[kernelIndex] = dkernel[kernelIndex]! + dy[yIndex]! * x[xIndex]!;
  });
  dy.forEach((value, n) => {
    dbias[n % dbias.length] = dbias[n % dbias.length]! + value;
  });
  return { dx, dkernel, dbias };
}

/** Visits every product x·kernel that is part of an output, by the three flat indices. */
function forEachProduct(
  shape: ConvolutionShape,
  visit: (xIndex: number, kernelIndex: number, yIndex: number) => void,
): void {
  const [nSamples, height, width, nInputs] = shape.x;
  const [kernelHeight, kernelWidth, , nOutputs] = shape.kernel;
  const rows = outputSize(height, kernelHeight, shape.stride, shape.padding);
  const columns = outputSize(width, kernelWidth, shape.stride, shape.padding);
  for (let b = 0; b < nSamples; b++) {
    for (let row = 0; row < rows.length; row++) {
      for (let column = 0; column < columns.length; column++) {
        for (let i = 0; i < kernelHeight; i++) {
          for (let j = 0; j < kernelWidth; j++) {
            const xRow = row * shape.stride + i - rows.before;
            const xColumn = column * shape.stride + j - columns.before;
            if (xRow < 0 || xRow >= height || xColumn < 0 || xColumn >= width) continue;
            for (let input = 0; input < nInputs; input++) {
              for (let output = 0; output < nOutputs; output++) {
                visit(
                  ((b * height + xRow) * width + xColumn) * nInputs + input,
                  ((i * kernelWidth + j) * nInputs + input) * nOutputs + output,
                  ((b * rows.length + row) * columns.length + column) * nOutputs + output,
                );
              }
            }
          }
        }
      }
    }
  }
}
