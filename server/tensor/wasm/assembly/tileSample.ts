// The same small matrix product by both shapes of the micro-kernel, for measuring which one this engine runs faster.
import { multiplyPlane } from './parts/planes';

/** [48, 64]·[64, 32] at `scratch`, which holds 8,192 floats. */
export function multiplySample(scratch: usize, isWide: i32): void {
  multiplyPlane(scratch, 256, 64, scratch + 12_288, 4, scratch + 20_480, 128, 48, isWide);
}
