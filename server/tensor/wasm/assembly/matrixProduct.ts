// Matrix product C = op(A)·op(B) (+ bias, ReLU) by 6×8 tiles. B is packed into panels [⌈N/8⌉][K][8] by `packMatrix`.
// Order of summation: k ascending; for a transposed A in blocks of 128 rows. Any size, 0 and 1 included.
import { packPanels, tileOfColumns, tileOfRows } from './parts/tile';

/** Packs op(B) [K, N]: `rowBytes` and `columnBytes` are the strides of k and n. `out` holds ⌈N/8⌉·K·32 bytes. */
export function packMatrix(b: usize, rowBytes: usize, columnBytes: usize, rows: i32, columns: i32, out: usize): void {
  packPanels(b, rowBytes, columnBytes, rows, columns, out, 0, rows);
}

/**
 * Rows first…last of C [M, N] = A [M, K]·B + bias. `offsets` is room for 6 u32; `bias` holds N floats rounded up to a
 * multiple of 8.
 */
export function multiplyRows(
  a: usize,
  inner: i32,
  panels: usize,
  columns: i32,
  bias: usize,
  out: usize,
  first: i32,
  last: i32,
  offsets: usize,
  isRelu: i32,
): void {
  const rowBytes = (<usize>inner) << 2;
  const outRowBytes = (<usize>columns) << 2;
  for (let row = first; row < last; row += 6) {
    const rows = min(6, last - row);
    for (let i = 0; i < 6; i++) store<u32>(offsets + ((<usize>i) << 2), <u32>(<usize>min(i, rows - 1) * rowBytes));
    const start = a + <usize>row * rowBytes;
    for (let column = 0; column < columns; column += 8) {
      tileOfRows(
        start,
        offsets,
        inner,
        1,
        rowBytes,
        panels + <usize>(column >> 3) * ((<usize>inner) << 5),
        bias + ((<usize>column) << 2),
        out + <usize>row * outRowBytes + ((<usize>column) << 2),
        outRowBytes,
        rows,
        columns - column,
        isRelu,
        0,
      );
    }
  }
}

/**
 * Rows first…last of C = Aᵀ·B for A stored [K, M]. `padded` is room for M × ⌈N/8⌉·8 floats and is zeroed here; the result is
 * copied from it into `out` [M, N] with bias and ReLU. Reads up to 20 bytes past A.
 */
export function multiplyColumns(
  a: usize,
  inner: i32,
  nRows: i32,
  panels: usize,
  columns: i32,
  bias: usize,
  out: usize,
  padded: usize,
  first: i32,
  last: i32,
  isRelu: i32,
): void {
  const paddedColumns = (columns + 7) & ~7;
  const paddedBytes = (<usize>paddedColumns) << 2;
  const rowBytes = (<usize>nRows) << 2;
  memory.fill(padded + <usize>first * paddedBytes, 0, <usize>(last - first) * paddedBytes);
  for (let k = 0; k < inner; k += 128) {
    const depth = min(128, inner - k);
    for (let column = 0; column < columns; column += 8) {
      const panel = panels + ((<usize>(column >> 3) * <usize>inner + <usize>k) << 5);
      for (let row = first; row < last; row += 6) {
        tileOfColumns(
          a + <usize>k * rowBytes + ((<usize>row) << 2),
          rowBytes,
          depth,
          1,
          0,
          panel,
          padded + <usize>row * paddedBytes + ((<usize>column) << 2),
          paddedBytes,
          min(6, last - row),
        );
      }
    }
  }
  for (let row = first; row < last; row++) {
    let from = padded + <usize>row * paddedBytes;
    let to = out + ((<usize>row * <usize>columns) << 2);
    for (let column = 0; column < columns; column++) {
      let value = load<f32>(from) + load<f32>(bias + ((<usize>column) << 2));
      if (isRelu) value = max<f32>(value, 0);
      store<f32>(to, value);
      from += 4;
      to += 4;
    }
  }
}
