// Reference of Philox 4×32-10 in big integers, word by word as Salmon et al. (2011) define it, and draws from it.

/** Four output words from four counter words and two key words. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [left, right] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * a;
    const second = 0xcd9e8d57n * c;
    [a, b, c, d] = [(second >> 32n) ^ b ^ left, low(second), (first >> 32n) ^ d ^ right, low(first)];
    left = low(left + 0x9e3779b9n);
    right = low(right + 0xbb67ae85n);
  }
  return [a, b, c, d].map(Number);
}

/** The first n words that the key's draws are made of: blocks 0, 1, … of counter (block, counter, stream, 0). */
export function randomWords(n: number, key: { seed: number; stream: number; counter: number }): number[] {
  const blocks = Array.from({ length: Math.ceil(n / 4) }, (_, block) =>
    philox([block, key.counter, key.stream, 0], [key.seed, 0]),
  );
  return blocks.flat().slice(0, n);
}

function low(value: bigint): bigint {
  return value & 0xffff_ffffn;
}
