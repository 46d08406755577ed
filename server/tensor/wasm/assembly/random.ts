// Philox 4×32-10 (Salmon et al. 2011) for four blocks at a time, and what is drawn from it: uniform numbers, dropout masks and
// crops, bit for bit those of ops/random.ts. Element i is word i mod 4 of block ⌊i/4⌋, counter (block, counter, stream, 0), key (seed, 0).
import { opaqueZero, storeFirst } from './parts/lanes';

/** Room that `draw` fills: 16 words. */
const BLOCKS: i32 = 4;
/** Philox's two multipliers and the steps of its two keys. */
const MULTIPLIERS = memory.data<u32>([0xd2511f53, 0xcd9e8d57]);
const KEY_STEPS = memory.data<u32>([0x9e3779b9, 0xbb67ae85]);
const TWO_TO_MINUS_24 = memory.data<f32>([5.9604644775390625e-8]);

// @ts-ignore: decorator
@inline
function multiplyHigh(a: v128, factor: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, factor);
  const high = i64x2.extmul_high_i32x4_u(a, factor);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/** Stores the 16 words of blocks block…block+3 in order. */
function draw(to: usize, block: u32, seed: u32, stream: u32, counter: u32): void {
  let a = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let b = i32x4.splat(counter);
  let c = i32x4.splat(stream);
  let d = i32x4.splat(0);
  let left = i32x4.splat(seed);
  let right = i32x4.splat(0);
  const origin = opaqueZero();
  const factorA = v128.load32_splat(origin, MULTIPLIERS);
  const factorC = v128.load32_splat(origin, MULTIPLIERS + 4);
  const leftStep = v128.load32_splat(origin, KEY_STEPS);
  const rightStep = v128.load32_splat(origin, KEY_STEPS + 4);
  for (let round = 0; round < 10; round++) {
    const highA = multiplyHigh(a, factorA);
    const lowA = i32x4.mul(a, factorA);
    const highC = multiplyHigh(c, factorC);
    const lowC = i32x4.mul(c, factorC);
    a = v128.xor(v128.xor(highC, b), left);
    b = lowC;
    c = v128.xor(v128.xor(highA, d), right);
    d = lowA;
    left = i32x4.add(left, leftStep);
    right = i32x4.add(right, rightStep);
  }
  // From one vector a word to one vector a block.
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab0, cd0, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(ab1, cd1, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(ab1, cd1, 1, 3), 48);
}

/** Elements first…last (first a multiple of 16) of low + width·u, u = ⌊word/2⁸⌋·2⁻²⁴; `words` is room for 64 bytes. */
export function uniform(
  y: usize, low: f32, width: f32, seed: u32, stream: u32, counter: u32, words: usize, first: i32, last: i32,
): void {
  for (let start = first; start < last; start += 4 * BLOCKS) {
    draw(words, <u32>start >> 2, seed, stream, counter);
    for (let i = 0; i < 16 && start + i < last; i += 4) {
      const u = f32x4.mul(
        f32x4.convert_i32x4_s(i32x4.shr_u(v128.load(words + (<usize>i << 2)), 8)),
        v128.load32_splat(opaqueZero(), TWO_TO_MINUS_24),
      );
      // Not fused: product and sum are each rounded, as on every runtime.
      const value = f32x4.add(f32x4.splat(low), f32x4.mul(f32x4.splat(width), u));
      storeFirst(y + (<usize>(start + i) << 2), value, min(4, last - start - i));
    }
  }
}

/**
 * y = x·scale where ⌊word/2⁸⌋ ≥ threshold, else 0, for elements first…last (first a multiple of 16). May read up to 12 bytes
 * past x.
 */
export function dropout(
  x: usize, y: usize, threshold: i32, scale: f32, seed: u32, stream: u32, counter: u32, words: usize, first: i32, last: i32,
): void {
  for (let start = first; start < last; start += 4 * BLOCKS) {
    draw(words, <u32>start >> 2, seed, stream, counter);
    for (let i = 0; i < 16 && start + i < last; i += 4) {
      const at = <usize>(start + i) << 2;
      const isKept = i32x4.ge_s(i32x4.shr_u(v128.load(words + (<usize>i << 2)), 8), i32x4.splat(threshold));
      storeFirst(y + at, v128.and(f32x4.mul(v128.load(x + at), f32x4.splat(scale)), isKept), min(4, last - start - i));
    }
  }
}

/** ⌊word·count/2³²⌋. */
// @ts-ignore: decorator
@inline
function scaleWord(word: u32, count: i32): i32 {
  return <i32>((<u64>word * <u64>count) >> 32);
}

/**
 * Images first…last (first a multiple of 4) of y: each cropped from its zero-padded self, and mirrored where the highest bit of
 * its third word says so and `flip` is 1; block b of the draw belongs to image b. `words` is room for 64 bytes.
 */
export function cropAndFlip(
  images: usize, y: usize, height: i32, width: i32, channels: i32, pad: i32, flip: i32,
  seed: u32, stream: u32, counter: u32, words: usize, first: i32, last: i32,
): void {
  const pixelBytes = <usize>channels << 2;
  const rowBytes = <usize>width * pixelBytes;
  const imageBytes = <usize>height * rowBytes;
  memory.fill(y + <usize>first * imageBytes, 0, <usize>(last - first) * imageBytes);
  for (let image = first; image < last; image++) {
    if ((image & (BLOCKS - 1)) === 0) draw(words, <u32>image, seed, stream, counter);
    const block = words + (<usize>(image & (BLOCKS - 1)) << 4);
    const top = scaleWord(load<u32>(block), 2 * pad + 1) - pad;
    const left = scaleWord(load<u32>(block, 4), 2 * pad + 1) - pad;
    const isFlipped = flip && load<u32>(block, 8) >>> 31;
    const source = images + <usize>image * imageBytes;
    const target = y + <usize>image * imageBytes;
    const fromColumn = max(0, left);
    const toColumn = min(width, width + left);
    if (fromColumn >= toColumn) continue;
    for (let row = max(0, -top); row < min(height, height - top); row++) {
      const from = source + <usize>(row + top) * rowBytes;
      const to = target + <usize>row * rowBytes;
      if (!isFlipped) {
        memory.copy(
          to + <usize>(fromColumn - left) * pixelBytes,
          from + <usize>fromColumn * pixelBytes,
          <usize>(toColumn - fromColumn) * pixelBytes,
        );
        continue;
      }
      for (let column = fromColumn; column < toColumn; column++) {
        memory.copy(to + <usize>(width - 1 - column + left) * pixelBytes, from + <usize>column * pixelBytes, pixelBytes);
      }
    }
  }
}
