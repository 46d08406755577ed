import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, EncodedValue, encodeWith } from '../../server/protocol/codec.ts';

describe('codec', () => {
  it('keeps typed arrays and their types, non-finite values included', () => {
    const value = {
      norms: new Float32Array([1.5, Number.NaN, Infinity, -Infinity, -0]),
      steps: new Float64Array([1e-300, 2]),
      counts: new Int32Array([-1, 2 ** 31 - 1]),
      loss: Number.NaN,
      nothing: null,
    };
    expect(decode(encode(value))).toEqual(value);
  });

  it('keeps a view on a part of a larger buffer, and only that part', () => {
    const whole = new Float32Array([1, 2, 3, 4]);
    expect(decode(encode(whole.subarray(1, 3)))).toEqual(new Float32Array([2, 3]));
  });

  it('gives arrays that own their memory, whatever their alignment in the message', () => {
    const [, decoded] = decode(encode(['x', new Float32Array([7])])) as [string, Float32Array];
    expect(decoded.byteOffset).toBe(0);
    expect(decoded.buffer.byteLength).toBe(4);
  });

  it('puts a value that is encoded already into a map as if it were encoded now', () => {
    const value = { norms: new Float32Array([1, Number.NaN]), list: [1, 'x'] };
    for (const map of [{}, { jsonrpc: '2.0', id: 7 }]) {
      const bytes = encodeWith(map, 'result', new EncodedValue(encode(value)));
      expect(bytes).toEqual(encode({ ...map, result: value }));
    }
  });

  it('reads a Node Buffer that is a part of a larger one', () => {
    const pool = Buffer.concat([Buffer.from('padding'), encode({ norms: new Float32Array([1, 2]) })]);
    expect(decode(pool.subarray(7))).toEqual({ norms: new Float32Array([1, 2]) });
  });

  it('brings any JSON value back equal', () => {
    fc.assert(
      // A key `__proto__` is refused, as of a hostile message.
      fc.property(
        fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__')),
        (value) => {
          expect(decode(encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
    );
  });

  it('refuses bytes that end too early', () => {
    const bytes = encode({ type: 'step', loss: 1.25 });
    expect(() => decode(bytes.subarray(0, bytes.length - 3))).toThrow();
  });
});
