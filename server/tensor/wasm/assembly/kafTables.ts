// The tables of cubics that kaf.ts evaluates: of a kernel's own pieces, or of a function's values at the nodes of each interval, and the
// transpose of the latter. Grids and pieces: see there.
import { multiplyAdd } from './parts/lanes';
import { CHANNELS, PIECE } from './parts/pieces';

/**
 * table[c][e] = Σᵢ α[c, i]·pieces[e − 1 − i·perStep] for channels first…last: `pieces` are the kernel's own, `nPieces` of them,
 * around its centre. Order of summation: the dictionary ascending.
 */
export function kafTable(
  alpha: usize, dictionary: i32, pieces: usize, nPieces: i32, perStep: i32, table: usize, nEntries: i32, first: i32, last: i32,
): void {
  const tableBytes = <usize>nEntries * PIECE;
  for (let channel = first; channel < last; channel++) {
    const start = table + <usize>channel * tableBytes;
    memory.fill(start, 0, tableBytes);
    for (let i = 0; i < dictionary; i++) {
      const weight = v128.load32_splat(alpha + (<usize>(channel * dictionary + i) << 2));
      const entries = start + <usize>(1 + i * perStep) * PIECE;
      const end = <usize>nPieces * PIECE;
      for (let at: usize = 0; at < end; at += PIECE) {
        v128.store(entries + at, multiplyAdd(weight, v128.load(pieces + at), v128.load(entries + at)));
      }
    }
  }
}

/**
 * The same for any function: table[c][e] from its values at Chebyshev's nodes of each interval, [nEntries·4, C]. `powers` are, of
 * each node, what a value of 1 there adds to the four coefficients: [4][4].
 */
export function kafTableOfValues(
  values: usize, channels: i32, powers: usize, table: usize, nEntries: i32, first: i32, last: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const power0 = v128.load(powers);
  const power1 = v128.load(powers, 16);
  const power2 = v128.load(powers, 32);
  const power3 = v128.load(powers, 48);
  for (let channel = first; channel < last; channel++) {
    let from = values + (<usize>channel << 2);
    let to = table + <usize>channel * <usize>nEntries * PIECE;
    for (let entry = 0; entry < nEntries; entry++) {
      let piece = f32x4.mul(power0, v128.load32_splat(from));
      from += rowBytes;
      piece = multiplyAdd(power1, v128.load32_splat(from), piece);
      from += rowBytes;
      piece = multiplyAdd(power2, v128.load32_splat(from), piece);
      from += rowBytes;
      piece = multiplyAdd(power3, v128.load32_splat(from), piece);
      from += rowBytes;
      v128.store(to, piece);
      to += PIECE;
    }
  }
}

/**
 * Its transpose: weights of the nodes, [nEntries·4, C], with which Σ weight·g(node) = Σ dy·g(x), from the moments that `kafBackward`
 * left, `nParts` times [16][nEntries] of four floats for each 16 channels. `nodes` are, of each power, what it gives the four
 * nodes: [4][4].
 */
export function kafNodeWeights(
  moments: usize, nParts: i32, channels: i32, nodes: usize, weights: usize, nEntries: i32, first: i32, last: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>nEntries * PIECE;
  const partBytes = <usize>CHANNELS * tableBytes;
  const node0 = v128.load(nodes);
  const node1 = v128.load(nodes, 16);
  const node2 = v128.load(nodes, 32);
  const node3 = v128.load(nodes, 48);
  for (let channel = first; channel < last; channel++) {
    const group = <usize>((channel / CHANNELS) * nParts) * partBytes;
    let from = moments + group + <usize>(channel % CHANNELS) * tableBytes;
    let to = weights + (<usize>channel << 2);
    for (let entry = 0; entry < nEntries; entry++) {
      let moment = v128.load(from);
      for (let part = 1; part < nParts; part++) moment = f32x4.add(moment, v128.load(from + <usize>part * partBytes));
      let weight = f32x4.mul(node0, f32x4.splat(f32x4.extract_lane(moment, 0)));
      weight = multiplyAdd(node1, f32x4.splat(f32x4.extract_lane(moment, 1)), weight);
      weight = multiplyAdd(node2, f32x4.splat(f32x4.extract_lane(moment, 2)), weight);
      weight = multiplyAdd(node3, f32x4.splat(f32x4.extract_lane(moment, 3)), weight);
      v128.store_lane<f32>(to, weight, 0);
      v128.store_lane<f32>(to + rowBytes, weight, 1);
      v128.store_lane<f32>(to + 2 * rowBytes, weight, 2);
      v128.store_lane<f32>(to + 3 * rowBytes, weight, 3);
      from += PIECE;
      to += 4 * rowBytes;
    }
  }
}
