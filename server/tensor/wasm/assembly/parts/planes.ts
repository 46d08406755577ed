// Matrix products of the planes of a Winograd convolution: rows padded to 6, columns to 8, no tails inside. Order of
// summation: k (or tile) ascending, the same for both shapes of the micro-kernel, so that both give the same bits.
// The 6×16 shape is for engines that join two 128-bit operations into one of 256 bits; elsewhere it would spill. Exports no
// kernel.
import { multiplyAdd } from './lanes';

/**
 * out [rows, 8·nPanels] = A [rows, inner]·B; B in panels [nPanels][inner][8], `rows` is rounded up to 6 (A and out have room).
 */
export function multiplyPlane(
  a: usize, rowBytes: usize, inner: i32, panels: usize, nPanels: i32,
  out: usize, outRowBytes: usize, rows: i32, isWide: i32,
): void {
  const panelBytes = (<usize>inner) << 5;
  const length = (<usize>inner) << 2;
  let panel = 0;
  if (isWide) {
    for (; panel + 2 <= nPanels; panel += 2) {
      for (let row = 0; row < rows; row += 6) {
        wideTile(
          a + <usize>row * rowBytes, rowBytes, length, panels + <usize>panel * panelBytes, panelBytes,
          out + <usize>row * outRowBytes + ((<usize>panel) << 5), outRowBytes,
        );
      }
    }
  }
  for (; panel < nPanels; panel++) {
    for (let row = 0; row < rows; row += 6) {
      narrowTile(
        a + <usize>row * rowBytes, rowBytes, length, panels + <usize>panel * panelBytes,
        out + <usize>row * outRowBytes + ((<usize>panel) << 5), outRowBytes,
      );
    }
  }
}

// @ts-ignore: decorator
@inline
function narrowTile(a: usize, rowBytes: usize, length: usize, panel: usize, out: usize, outRowBytes: usize): void {
  const s1 = a + rowBytes;
  const s2 = s1 + rowBytes;
  const s3 = s2 + rowBytes;
  const s4 = s3 + rowBytes;
  const s5 = s4 + rowBytes;
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (let k: usize = 0; k < length; k += 4) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    let x = v128.load32_splat(a + k);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(s1 + k);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(s2 + k);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(s3 + k);
    c30 = multiplyAdd(x, b0, c30);
    c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(s4 + k);
    c40 = multiplyAdd(x, b0, c40);
    c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(s5 + k);
    c50 = multiplyAdd(x, b0, c50);
    c51 = multiplyAdd(x, b1, c51);
    panel += 32;
  }
  store8(out, c00, c01);
  out += outRowBytes;
  store8(out, c10, c11);
  out += outRowBytes;
  store8(out, c20, c21);
  out += outRowBytes;
  store8(out, c30, c31);
  out += outRowBytes;
  store8(out, c40, c41);
  out += outRowBytes;
  store8(out, c50, c51);
}

// @ts-ignore: decorator
@inline
function wideTile(
  a: usize, rowBytes: usize, length: usize, panel: usize, panelBytes: usize, out: usize, outRowBytes: usize,
): void {
  const s1 = a + rowBytes;
  const s2 = s1 + rowBytes;
  const s3 = s2 + rowBytes;
  const s4 = s3 + rowBytes;
  const s5 = s4 + rowBytes;
  let next = panel + panelBytes;
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  let c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
  let c40 = c00, c41 = c00, c42 = c00, c43 = c00, c50 = c00, c51 = c00, c52 = c00, c53 = c00;
  for (let k: usize = 0; k < length; k += 4) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    const b2 = v128.load(next);
    const b3 = v128.load(next, 16);
    let x = v128.load32_splat(a + k);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02);
    c03 = multiplyAdd(x, b3, c03);
    x = v128.load32_splat(s1 + k);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12);
    c13 = multiplyAdd(x, b3, c13);
    x = v128.load32_splat(s2 + k);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    c22 = multiplyAdd(x, b2, c22);
    c23 = multiplyAdd(x, b3, c23);
    x = v128.load32_splat(s3 + k);
    c30 = multiplyAdd(x, b0, c30);
    c31 = multiplyAdd(x, b1, c31);
    c32 = multiplyAdd(x, b2, c32);
    c33 = multiplyAdd(x, b3, c33);
    x = v128.load32_splat(s4 + k);
    c40 = multiplyAdd(x, b0, c40);
    c41 = multiplyAdd(x, b1, c41);
    c42 = multiplyAdd(x, b2, c42);
    c43 = multiplyAdd(x, b3, c43);
    x = v128.load32_splat(s5 + k);
    c50 = multiplyAdd(x, b0, c50);
    c51 = multiplyAdd(x, b1, c51);
    c52 = multiplyAdd(x, b2, c52);
    c53 = multiplyAdd(x, b3, c53);
    panel += 32;
    next += 32;
  }
  store16(out, c00, c01, c02, c03);
  out += outRowBytes;
  store16(out, c10, c11, c12, c13);
  out += outRowBytes;
  store16(out, c20, c21, c22, c23);
  out += outRowBytes;
  store16(out, c30, c31, c32, c33);
  out += outRowBytes;
  store16(out, c40, c41, c42, c43);
  out += outRowBytes;
  store16(out, c50, c51, c52, c53);
}

/**
 * sums [rows, 8·nPanels] += Aᵀ·B for A [depth, rows], B in panels of `panelBytes`, [nPanels][depth][8]; `rows` is rounded up to
 * 6: the sums have room, and up to 20 bytes past each row of A are read.
 */
export function accumulatePlane(
  a: usize, rowBytes: usize, depth: i32, panels: usize, panelBytes: usize, nPanels: i32,
  sums: usize, sumRowBytes: usize, rows: i32, isWide: i32,
): void {
  let panel = 0;
  if (isWide) {
    for (; panel + 2 <= nPanels; panel += 2) {
      for (let row = 0; row < rows; row += 6) {
        wideSums(
          a + ((<usize>row) << 2), rowBytes, depth, panels + <usize>panel * panelBytes, panelBytes,
          sums + <usize>row * sumRowBytes + ((<usize>panel) << 5), sumRowBytes,
        );
      }
    }
  }
  for (; panel < nPanels; panel++) {
    for (let row = 0; row < rows; row += 6) {
      narrowSums(
        a + ((<usize>row) << 2), rowBytes, depth, panels + <usize>panel * panelBytes,
        sums + <usize>row * sumRowBytes + ((<usize>panel) << 5), sumRowBytes,
      );
    }
  }
}

// @ts-ignore: decorator
@inline
function narrowSums(a: usize, rowBytes: usize, depth: i32, panel: usize, out: usize, outRowBytes: usize): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    let x = v128.load32_splat(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30);
    c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = multiplyAdd(x, b0, c40);
    c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = multiplyAdd(x, b0, c50);
    c51 = multiplyAdd(x, b1, c51);
    a += rowBytes;
    panel += 32;
  }
  add8(out, c00, c01);
  out += outRowBytes;
  add8(out, c10, c11);
  out += outRowBytes;
  add8(out, c20, c21);
  out += outRowBytes;
  add8(out, c30, c31);
  out += outRowBytes;
  add8(out, c40, c41);
  out += outRowBytes;
  add8(out, c50, c51);
}

// @ts-ignore: decorator
@inline
function wideSums(
  a: usize, rowBytes: usize, depth: i32, panel: usize, panelBytes: usize, out: usize, outRowBytes: usize,
): void {
  let next = panel + panelBytes;
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  let c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
  let c40 = c00, c41 = c00, c42 = c00, c43 = c00, c50 = c00, c51 = c00, c52 = c00, c53 = c00;
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    const b2 = v128.load(next);
    const b3 = v128.load(next, 16);
    let x = v128.load32_splat(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02);
    c03 = multiplyAdd(x, b3, c03);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12);
    c13 = multiplyAdd(x, b3, c13);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    c22 = multiplyAdd(x, b2, c22);
    c23 = multiplyAdd(x, b3, c23);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30);
    c31 = multiplyAdd(x, b1, c31);
    c32 = multiplyAdd(x, b2, c32);
    c33 = multiplyAdd(x, b3, c33);
    x = v128.load32_splat(a, 16);
    c40 = multiplyAdd(x, b0, c40);
    c41 = multiplyAdd(x, b1, c41);
    c42 = multiplyAdd(x, b2, c42);
    c43 = multiplyAdd(x, b3, c43);
    x = v128.load32_splat(a, 20);
    c50 = multiplyAdd(x, b0, c50);
    c51 = multiplyAdd(x, b1, c51);
    c52 = multiplyAdd(x, b2, c52);
    c53 = multiplyAdd(x, b3, c53);
    a += rowBytes;
    panel += 32;
    next += 32;
  }
  add16(out, c00, c01, c02, c03);
  out += outRowBytes;
  add16(out, c10, c11, c12, c13);
  out += outRowBytes;
  add16(out, c20, c21, c22, c23);
  out += outRowBytes;
  add16(out, c30, c31, c32, c33);
  out += outRowBytes;
  add16(out, c40, c41, c42, c43);
  out += outRowBytes;
  add16(out, c50, c51, c52, c53);
}

// @ts-ignore: decorator
@inline
function store8(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}

// @ts-ignore: decorator
@inline
function store16(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
}

// @ts-ignore: decorator
@inline
function add8(out: usize, a: v128, b: v128): void {
  const a0 = v128.load(out);
  const b0 = v128.load(out, 16);
  v128.store(out, f32x4.add(a0, a));
  v128.store(out, f32x4.add(b0, b), 16);
}

// @ts-ignore: decorator
@inline
function add16(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const a0 = v128.load(out);
  const b0 = v128.load(out, 16);
  const c0 = v128.load(out, 32);
  const d0 = v128.load(out, 48);
  v128.store(out, f32x4.add(a0, a));
  v128.store(out, f32x4.add(b0, b), 16);
  v128.store(out, f32x4.add(c0, c), 32);
  v128.store(out, f32x4.add(d0, d), 48);
}
