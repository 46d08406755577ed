// Random numbers for making pictures on the host: small, fast, the same everywhere. Training's random numbers come from
// server/tensor/ops/random.ts instead, which draws on the device.

/** The next number in [0, 1). */
export type RandomSequence = () => number;

/** A sequence of its own for each triple of 32-bit integers: mulberry32 (Ettinger 2017) from a mixed start. */
export function openSequence(seed: number, stream: number, index: number): RandomSequence {
  let state = mix(mix(mix(seed) ^ Math.imul(stream, 0x9e3779b9)) ^ index);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** MurmurHash3's finaliser (Appleby 2011): every input bit reaches every output bit. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
