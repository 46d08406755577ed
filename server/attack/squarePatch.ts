// The patch that the Square attack adds under L2 (Andriushchenko et al., 2020): two opposite bumps, of length 1.

/** `[side · side]`, its upper half a bump, its lower half one of opposite sign; or left and right where it is turned. */
export function drawPatch(side: number, { isTurned }: { readonly isTurned: boolean }): Float64Array {
  const upper = Math.floor(side / 2);
  const rows = [...bump(upper, side), ...bump(side - upper, side).map((row) => row.map((value) => -value))];
  const patch = Float64Array.from({ length: side * side }, (_, k) => {
    const [r, c] = [Math.floor(k / side), k % side];
    return isTurned ? rows[c]![r]! : rows[r]![c]!;
  });
  const length = Math.hypot(...patch);
  return patch.map((value) => value / length);
}

/** Rectangles within one another about the middle, the k-th of them adding 1/k², of length 1. */
function bump(height: number, width: number): number[][] {
  const rows = Array.from({ length: height }, () => Array<number>(width).fill(0));
  const [middleRow, middleColumn] = [Math.floor(height / 2), Math.floor(width / 2)];
  const nRectangles = Math.max(middleRow, middleColumn) + 1;
  for (let k = 0; k < nRectangles; k++) {
    for (let r = Math.max(0, middleRow - k); r <= Math.min(height - 1, middleRow + k); r++) {
      for (let c = Math.max(0, middleColumn - k); c <= Math.min(width - 1, middleColumn + k); c++)
        rows[r]![c]! += 1 / (k + 1) ** 2;
    }
  }
  const length = Math.hypot(...rows.flat());
  return rows.map((row) => row.map((value) => value / length));
}
