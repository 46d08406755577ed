// Bytes for the wire and for the logs of runs: MessagePack with typed arrays and non-finite numbers kept as they are.
import { decode as unpack, encode as pack, ExtensionCodec } from '@msgpack/msgpack';

const extensionCodec = new ExtensionCodec();
registerArray(1, Float32Array);
registerArray(2, Float64Array);
registerArray(3, Int32Array);

export function encode(value: unknown): Uint8Array {
  return pack(value, { extensionCodec, ignoreUndefined: true });
}

/** @throws Error where the bytes are not one whole value. */
export function decode(bytes: Uint8Array): unknown {
  return unpack(bytes, { extensionCodec });
}

/** A value whose bytes another process has made, so that they need only be handed on. */
export class EncodedValue<T = unknown> {
  /** For the type alone. */
  declare readonly value: T;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** As `encode({ ...map, [key]: value })`. @param map has at most 14 entries, so that their number stands in its first byte */
export function encodeWith(map: object, key: string, { bytes }: EncodedValue): Uint8Array {
  const parts = [encode(map), encode(key), bytes];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  whole[0]! += 1;
  return whole;
}

/** How much a stranger's bytes may hold. */
export interface ContentLimits {
  /** Arrays and maps within each other. */
  readonly depth: number;
  /** Numbers, texts, arrays, maps, … in all. */
  readonly values: number;
}

/** @throws Error where the bytes hold more than allowed, before anything of them is made; or where they are not one whole value. */
export function decodeWithin(bytes: Uint8Array, limits: ContentLimits): unknown {
  checkContent(bytes, limits);
  return decode(bytes);
}

/**
 * Walks over the heads of MessagePack's values (github.com/msgpack/msgpack, spec.md) without making any: an array of arrays of a few
 * megabytes would take seconds to make, and hundreds of megabytes.
 */
function checkContent(bytes: Uint8Array, { depth, values }: ContentLimits): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values still to come in each array or map that is open. */
  const open: number[] = [1];
  let left = values;
  for (let at = 0; open.length > 0;) {
    if (open.at(-1) === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1]! -= 1;
    if (left-- === 0) throw new Error(`it holds more than ${String(values)} values`);
    const { skip, inner } = headAt(view, at);
    at += skip;
    if (at > bytes.byteLength) throw new Error('it is cut off');
    if (inner === 0) continue;
    // Each value has a byte at least, so a count that promises more is none.
    if (inner > bytes.byteLength - at) throw new Error('it is cut off');
    if (open.length > depth) throw new Error(`it is nested deeper than ${String(depth)}`);
    open.push(inner);
  }
}

/** Bytes of the value at a position, without the values inside it, and how many of those follow. */
function headAt(view: DataView, at: number): { skip: number; inner: number } {
  const type = view.getUint8(at);
  if (type <= 0x7f || type >= 0xe0) return { skip: 1, inner: 0 }; // small integers
  if (type <= 0x8f) return { skip: 1, inner: 2 * (type & 15) };
  if (type <= 0x9f) return { skip: 1, inner: type & 15 };
  if (type <= 0xbf) return { skip: 1 + (type & 31), inner: 0 }; // short text
  switch (type) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return { skip: 1, inner: 0 };
    case 0xc4: // bytes
    case 0xd9: // text
      return { skip: 2 + view.getUint8(at + 1), inner: 0 };
    case 0xc5:
    case 0xda:
      return { skip: 3 + view.getUint16(at + 1), inner: 0 };
    case 0xc6:
    case 0xdb:
      return { skip: 5 + view.getUint32(at + 1), inner: 0 };
    case 0xc7: // extensions
      return { skip: 3 + view.getUint8(at + 1), inner: 0 };
    case 0xc8:
      return { skip: 4 + view.getUint16(at + 1), inner: 0 };
    case 0xc9:
      return { skip: 6 + view.getUint32(at + 1), inner: 0 };
    case 0xca: // numbers
    case 0xce:
    case 0xd2:
      return { skip: 5, inner: 0 };
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return { skip: 9, inner: 0 };
    case 0xcc:
    case 0xd0:
      return { skip: 2, inner: 0 };
    case 0xcd:
    case 0xd1:
      return { skip: 3, inner: 0 };
    case 0xd4: // extensions of 1, 2, 4, 8, 16 bytes
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return { skip: 2 + 2 ** (type - 0xd4), inner: 0 };
    case 0xdc: // arrays
      return { skip: 3, inner: view.getUint16(at + 1) };
    case 0xdd:
      return { skip: 5, inner: view.getUint32(at + 1) };
    case 0xde: // maps
      return { skip: 3, inner: 2 * view.getUint16(at + 1) };
    case 0xdf:
      return { skip: 5, inner: 2 * view.getUint32(at + 1) };
    default:
      throw new Error('it is no MessagePack');
  }
}

type NumberArrayType = typeof Float32Array | typeof Float64Array | typeof Int32Array;

function registerArray(type: number, ArrayType: NumberArrayType): void {
  extensionCodec.register({
    type,
    encode: (value: unknown) =>
      value instanceof ArrayType ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice() : null,
    decode: (bytes) => new ArrayType(new Uint8Array(bytes).buffer), // a copy, also of a Node Buffer, whose slice is none
  });
}
