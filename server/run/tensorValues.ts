// Bytes of any safetensors dtype as numbers. 64-bit integers lose what float64 can't hold; fine for statistics.
import type { Dtype } from './safetensors.ts';

/** The bytes must begin their buffer, or lie at a multiple of a value's size in it, and be a whole number of values. */
export function readValues(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>): ArrayLike<number> {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'F64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'F16':
      return fromFloat16(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'BF16':
      return fromBfloat16(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E8M0':
      return fromTable(float8Tables[dtype], bytes);
    case 'I8':
      return new Int8Array(buffer, byteOffset, byteLength);
    case 'I16':
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case 'I32':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'I64':
      return fromBigints(new BigInt64Array(buffer, byteOffset, byteLength / 8));
    case 'U8':
    case 'BOOL':
      return bytes;
    case 'U16':
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 'U32':
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case 'U64':
      return fromBigints(new BigUint64Array(buffer, byteOffset, byteLength / 8));
    default:
      return dtype satisfies never;
  }
}

function fromTable(table: Float32Array, bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let index = 0; index < bytes.length; index++) values[index] = table[bytes[index]!]!;
  return values;
}

/**
 * The 256 numbers of a sign, exponent bits and fraction bits (Micikevicius et al., 2022): below the least exponent subnormal. What their
 * greatest exponent means is theirs.
 */
function float8(fractionBits: number, bias: number, special: (fraction: number) => number | null): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const magnitude = byte & 0x7f;
    const exponent = magnitude >> fractionBits;
    const fraction = magnitude & (2 ** fractionBits - 1);
    const share = fraction / 2 ** fractionBits;
    const isGreatest = exponent === 2 ** (7 - fractionBits) - 1;
    const ofGreatest = isGreatest ? special(fraction) : null;
    const value = ofGreatest ?? (exponent === 0 ? share * 2 ** (1 - bias) : (1 + share) * 2 ** (exponent - bias));
    return byte & 0x80 ? -value : value;
  });
}

const float8Tables = {
  /** Without infinities; of the greatest exponent only the last fraction is NaN. */
  F8_E4M3: float8(3, 7, (fraction) => (fraction === 7 ? Number.NaN : null)),
  F8_E5M2: float8(2, 15, (fraction) => (fraction === 0 ? Infinity : Number.NaN)),
  /** Powers of two, without a sign (OCP Microscaling Formats, 2023). */
  F8_E8M0: Float32Array.from({ length: 256 }, (_, byte) => (byte === 255 ? Number.NaN : 2 ** (byte - 127))),
};

/** In a loop: `from` asks an iterator for each value, which takes three times as long. */
function fromBigints(values: BigInt64Array | BigUint64Array): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) numbers[index] = Number(values[index]!);
  return numbers;
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) bits[index] = halves[index]! << 16;
  return new Float32Array(bits.buffer);
}

/**
 * IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. Moved to their places in a float32, whose exponent counts from −127 instead of
 * −15, they are the number by 2⁻¹¹², also where it is subnormal.
 */
function fromFloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index]!;
    const moved = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) === 0x7c00) bits[index] = moved | 0x7f800000;
    else {
      bits[index] = moved;
      values[index]! *= 2 ** 112;
    }
  }
  return values;
}
