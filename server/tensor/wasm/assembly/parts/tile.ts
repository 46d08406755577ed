// The two 6×8 micro-kernels of matrix product and convolution: 12 accumulators of 4 lanes, B in panels [K][8] whose missing
// columns are 0. Order of summation: k ascending within a call; callers fix the order of calls. Imported, exports no kernel.
import { multiplyAdd } from './lanes';

/**
 * out[0…rows, 0…columns] = bias + Σ_segments Σ_k A·B, and max(0, ·) if `isRelu`. Row i of A starts at `a + offsets[i]` (bytes)
 * and has `segments` runs of `length` floats, `segmentBytes` apart. Reads exactly those floats. With `isContinued` the sum goes
 * on from what `out` holds (of which it reads 8 columns) instead of from the bias.
 */
export function tileOfRows(
  a: usize, offsets: usize, length: i32, segments: i32, segmentBytes: usize,
  panel: usize, bias: usize, out: usize, outRowBytes: usize, rows: i32, columns: i32, isRelu: i32,
  isContinued: i32,
): void {
  let b0 = v128.load(bias);
  let b1 = v128.load(bias, 16);
  let c00 = b0, c01 = b1, c10 = b0, c11 = b1, c20 = b0, c21 = b1;
  let c30 = b0, c31 = b1, c40 = b0, c41 = b1, c50 = b0, c51 = b1;
  if (isContinued) {
    c00 = v128.load(out);
    c01 = v128.load(out, 16);
    if (rows > 1) {
      c10 = v128.load(out + outRowBytes);
      c11 = v128.load(out + outRowBytes, 16);
    }
    if (rows > 2) {
      c20 = v128.load(out + 2 * outRowBytes);
      c21 = v128.load(out + 2 * outRowBytes, 16);
    }
    if (rows > 3) {
      c30 = v128.load(out + 3 * outRowBytes);
      c31 = v128.load(out + 3 * outRowBytes, 16);
    }
    if (rows > 4) {
      c40 = v128.load(out + 4 * outRowBytes);
      c41 = v128.load(out + 4 * outRowBytes, 16);
    }
    if (rows > 5) {
      c50 = v128.load(out + 5 * outRowBytes);
      c51 = v128.load(out + 5 * outRowBytes, 16);
    }
  }
  let s0 = a + <usize>load<u32>(offsets);
  let s1 = a + <usize>load<u32>(offsets, 4);
  let s2 = a + <usize>load<u32>(offsets, 8);
  let s3 = a + <usize>load<u32>(offsets, 12);
  let s4 = a + <usize>load<u32>(offsets, 16);
  let s5 = a + <usize>load<u32>(offsets, 20);
  for (let segment = 0; segment < segments; segment++) {
    let k = length;
    while (k >= 4) {
      b0 = v128.load(panel);
      b1 = v128.load(panel, 16);
      let x = v128.load32_splat(s0);
      c00 = multiplyAdd(x, b0, c00);
      c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(s1);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(s2);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(s3);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(s4);
      c40 = multiplyAdd(x, b0, c40);
      c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(s5);
      c50 = multiplyAdd(x, b0, c50);
      c51 = multiplyAdd(x, b1, c51);

      b0 = v128.load(panel, 32);
      b1 = v128.load(panel, 48);
      x = v128.load32_splat(s0, 4);
      c00 = multiplyAdd(x, b0, c00);
      c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(s1, 4);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(s2, 4);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(s3, 4);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(s4, 4);
      c40 = multiplyAdd(x, b0, c40);
      c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(s5, 4);
      c50 = multiplyAdd(x, b0, c50);
      c51 = multiplyAdd(x, b1, c51);

      b0 = v128.load(panel, 64);
      b1 = v128.load(panel, 80);
      x = v128.load32_splat(s0, 8);
      c00 = multiplyAdd(x, b0, c00);
      c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(s1, 8);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(s2, 8);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(s3, 8);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(s4, 8);
      c40 = multiplyAdd(x, b0, c40);
      c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(s5, 8);
      c50 = multiplyAdd(x, b0, c50);
      c51 = multiplyAdd(x, b1, c51);

      b0 = v128.load(panel, 96);
      b1 = v128.load(panel, 112);
      x = v128.load32_splat(s0, 12);
      c00 = multiplyAdd(x, b0, c00);
      c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(s1, 12);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(s2, 12);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(s3, 12);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(s4, 12);
      c40 = multiplyAdd(x, b0, c40);
      c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(s5, 12);
      c50 = multiplyAdd(x, b0, c50);
      c51 = multiplyAdd(x, b1, c51);
      s0 += 16;
      s1 += 16;
      s2 += 16;
      s3 += 16;
      s4 += 16;
      s5 += 16;
      panel += 128;
      k -= 4;
    }
    while (k > 0) {
      b0 = v128.load(panel);
      b1 = v128.load(panel, 16);
      let x = v128.load32_splat(s0);
      c00 = multiplyAdd(x, b0, c00);
      c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(s1);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(s2);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(s3);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(s4);
      c40 = multiplyAdd(x, b0, c40);
      c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(s5);
      c50 = multiplyAdd(x, b0, c50);
      c51 = multiplyAdd(x, b1, c51);
      s0 += 4;
      s1 += 4;
      s2 += 4;
      s3 += 4;
      s4 += 4;
      s5 += 4;
      panel += 32;
      k--;
    }
    const skip = segmentBytes - (<usize>length << 2);
    s0 += skip;
    s1 += skip;
    s2 += skip;
    s3 += skip;
    s4 += skip;
    s5 += skip;
  }
  if (isRelu) {
    const zero = f32x4.splat(0);
    c00 = f32x4.max(c00, zero);
    c01 = f32x4.max(c01, zero);
    c10 = f32x4.max(c10, zero);
    c11 = f32x4.max(c11, zero);
    c20 = f32x4.max(c20, zero);
    c21 = f32x4.max(c21, zero);
    c30 = f32x4.max(c30, zero);
    c31 = f32x4.max(c31, zero);
    c40 = f32x4.max(c40, zero);
    c41 = f32x4.max(c41, zero);
    c50 = f32x4.max(c50, zero);
    c51 = f32x4.max(c51, zero);
  }
  storeRow(out, c00, c01, columns);
  if (rows > 1) storeRow(out + outRowBytes, c10, c11, columns);
  if (rows > 2) storeRow(out + 2 * outRowBytes, c20, c21, columns);
  if (rows > 3) storeRow(out + 3 * outRowBytes, c30, c31, columns);
  if (rows > 4) storeRow(out + 4 * outRowBytes, c40, c41, columns);
  if (rows > 5) storeRow(out + 5 * outRowBytes, c50, c51, columns);
}

/**
 * out[0…rows, 0…8] += Σ_steps A·B, where step (r, i) of `runs` × `length` reads six neighbouring floats at
 * `a + r·runBytes + i·stepBytes` and the next row of the panel. Reads six floats a step whatever `rows` is.
 */
export function tileOfColumns(
  a: usize, stepBytes: usize, length: i32, runs: i32, runBytes: usize, panel: usize, out: usize, outRowBytes: usize, rows: i32,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (let run = 0; run < runs; run++) {
    let s = a;
    let k = length;
    while (k > 0) {
      const b0 = v128.load(panel);
      const b1 = v128.load(panel, 16);
      let x = v128.load32_splat(s);
      c00 = multiplyAdd(x, b0, c00);
      c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(s, 4);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(s, 8);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(s, 12);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(s, 16);
      c40 = multiplyAdd(x, b0, c40);
      c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(s, 20);
      c50 = multiplyAdd(x, b0, c50);
      c51 = multiplyAdd(x, b1, c51);
      s += stepBytes;
      panel += 32;
      k--;
    }
    a += runBytes;
  }
  addRow(out, c00, c01);
  if (rows > 1) addRow(out + outRowBytes, c10, c11);
  if (rows > 2) addRow(out + 2 * outRowBytes, c20, c21);
  if (rows > 3) addRow(out + 3 * outRowBytes, c30, c31);
  if (rows > 4) addRow(out + 4 * outRowBytes, c40, c41);
  if (rows > 5) addRow(out + 5 * outRowBytes, c50, c51);
}

/**
 * Packs B [rows, columns] into panels: out[panel][firstRow + row][8], each panel `panelRows` rows long, missing columns 0.
 * Strides in bytes; a negative row stride is given as its two's complement.
 */
export function packPanels(
  b: usize, rowBytes: usize, columnBytes: usize, rows: i32, columns: i32, out: usize, firstRow: i32, panelRows: i32,
): void {
  for (let column = 0; column < columns; column += 8) {
    const width = min(8, columns - column);
    let to = out + ((<usize>(column >> 3) * <usize>panelRows + <usize>firstRow) << 5);
    let from = b + <usize>column * columnBytes;
    if (width === 8 && columnBytes === 4) {
      for (let row = 0; row < rows; row++) {
        const low = v128.load(from);
        const high = v128.load(from, 16);
        v128.store(to, low);
        v128.store(to, high, 16);
        to += 32;
        from += rowBytes;
      }
    } else {
      const zero = f32x4.splat(0);
      for (let row = 0; row < rows; row++) {
        if (width < 8) {
          v128.store(to, zero);
          v128.store(to, zero, 16);
        }
        let cell = from;
        for (let i = 0; i < width; i++) {
          store<f32>(to + (<usize>i << 2), load<f32>(cell));
          cell += columnBytes;
        }
        to += 32;
        from += rowBytes;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function storeRow(out: usize, low: v128, high: v128, columns: i32): void {
  if (columns >= 8) {
    v128.store(out, low);
    v128.store(out, high, 16);
  } else storePart(out, low, high, columns);
}

function storePart(out: usize, low: v128, high: v128, columns: i32): void {
  if (columns >= 4) {
    v128.store(out, low);
    low = high;
    out += 16;
    columns -= 4;
  }
  if (columns > 0) v128.store_lane<f32>(out, low, 0);
  if (columns > 1) v128.store_lane<f32>(out, low, 1, 4);
  if (columns > 2) v128.store_lane<f32>(out, low, 2, 8);
}

// @ts-ignore: decorator
@inline
function addRow(out: usize, low: v128, high: v128): void {
  // All loads before the stores: else V8 joins neither these vectors nor those that they are made of.
  const lowSum = f32x4.add(v128.load(out), low);
  const highSum = f32x4.add(v128.load(out, 16), high);
  v128.store(out, lowSum);
  v128.store(out, highSum, 16);
}
