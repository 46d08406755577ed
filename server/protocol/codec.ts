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

type NumberArrayType = typeof Float32Array | typeof Float64Array | typeof Int32Array;

function registerArray(type: number, ArrayType: NumberArrayType): void {
  extensionCodec.register({
    type,
    encode: (value: unknown) =>
      value instanceof ArrayType ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice() : null,
    decode: (bytes) => new ArrayType(new Uint8Array(bytes).buffer), // a copy, also of a Node Buffer, whose slice is none
  });
}
