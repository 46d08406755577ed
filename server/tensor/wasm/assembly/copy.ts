// Copies of parts of tensors: runs of bytes at even distances, in two dimensions.

/**
 * For outer first…last and each of `inner`: `bytes` bytes from `from` to `to`, whose places move by the outer and the inner stride
 * (in bytes) of each.
 */
export function copyRuns(
  from: usize, fromOuter: usize, fromInner: usize, to: usize, toOuter: usize, toInner: usize,
  bytes: usize, inner: i32, first: i32, last: i32,
): void {
  for (let outer = first; outer < last; outer++) {
    let source = from + <usize>outer * fromOuter;
    let target = to + <usize>outer * toOuter;
    for (let i = 0; i < inner; i++) {
      memory.copy(target, source, bytes);
      source += fromInner;
      target += toInner;
    }
  }
}
