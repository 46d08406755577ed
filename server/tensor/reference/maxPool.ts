// Float64 reference of max pooling without padding, and its gradient, which goes to the first maximum of a window.

export interface PoolShape {
  /** `[B, H, W, C]` */
  readonly x: readonly [number, number, number, number];
  readonly size: number;
  readonly stride: number;
}

/** `[B, H′, W′, C]`, and for each output the flat index of its maximum in x. */
export function maxPool(x: Float64Array, shape: PoolShape): { y: Float64Array; positions: Int32Array } {
  const [nSamples, height, width, nChannels] = shape.x;
  const nRows = Math.floor((height - shape.size) / shape.stride) + 1;
  const nColumns = Math.floor((width - shape.size) / shape.stride) + 1;
  const positions = new Int32Array(nSamples * nRows * nColumns * nChannels);
  let n = 0;
  for (let b = 0; b < nSamples; b++) {
    for (let row = 0; row < nRows; row++) {
      for (let column = 0; column < nColumns; column++) {
        for (let c = 0; c < nChannels; c++) {
          let best = -1;
          for (let i = 0; i < shape.size; i++) {
            for (let j = 0; j < shape.size; j++) {
              const xRow = row * shape.stride + i;
              const xColumn = column * shape.stride + j;
              const index = ((b * height + xRow) * width + xColumn) * nChannels + c;
              if (best < 0 || x[index]! > x[best]!) best = index;
            }
          }
          positions[n++] = best;
        }
      }
    }
  }
  return { y: Float64Array.from(positions, (position) => x[position]!), positions };
}

export function maxPoolGradient(dy: Float64Array, x: Float64Array, shape: PoolShape): Float64Array {
  const dx = new Float64Array(x.length);
  maxPool(x, shape).positions.forEach((position, n) => {
    dx[position] = dx[position]! + dy[n]!;
  });
  return dx;
}
