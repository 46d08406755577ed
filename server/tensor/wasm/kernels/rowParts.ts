// A partition of rows that depends on their number alone: sums over the parts, added in their order, are the same bits whoever
// computes which part.

export interface RowPart {
  readonly first: number;
  readonly last: number;
}

const maxParts = 16;

/** At most 16 parts of whole blocks (the last may be short); none for no rows. */
export function rowParts(nRows: number, rowsPerBlock: number): readonly RowPart[] {
  const nBlocks = Math.ceil(nRows / rowsPerBlock);
  const length = Math.ceil(nBlocks / maxParts) * rowsPerBlock;
  const parts: RowPart[] = [];
  for (let first = 0; first < nRows; first += length) parts.push({ first, last: Math.min(nRows, first + length) });
  return parts;
}

/** Adds the parts' sums, each `length` float64 after the other, into the first. */
export function addParts(sums: Float64Array, length: number): Float64Array {
  const total = sums.subarray(0, length);
  for (let start = length; start < sums.length; start += length) {
    for (let i = 0; i < length; i++) total[i]! += sums[start + i]!;
  }
  return total;
}
