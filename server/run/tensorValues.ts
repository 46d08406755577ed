// Bytes of any safetensors dtype as numbers. 64-bit integers lose what float64 can't hold; fine for statistics.
import type { Dtype } from './safetensors.ts';

/** The bytes must begin their buffer and be a whole number of values. */
export function readValues(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>): ArrayLike<number> {
  const { buffer } = bytes;
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return new Float64Array(buffer);
    case 'F16':
      return fromFloat16(new Uint16Array(buffer));
    case 'BF16':
      return fromBfloat16(new Uint16Array(buffer));
    case 'I8':
      return new Int8Array(buffer);
    case 'I16':
      return new Int16Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'I64':
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case 'U8':
    case 'BOOL':
      return bytes;
    case 'U16':
      return new Uint16Array(buffer);
    case 'U32':
      return new Uint32Array(buffer);
    case 'U64':
      return Float64Array.from(new BigUint64Array(buffer), Number);
    default:
      return dtype satisfies never;
  }
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function fromFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
