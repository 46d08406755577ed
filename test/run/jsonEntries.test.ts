// A JSON object as a list of its entries: what JSON.parse says of it, but in the text's order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonEntries } from '../../server/run/jsonEntries.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

function expected(text: string): unknown {
  const json: unknown = JSON.parse(text);
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json).flat() : null;
}

/** What it gives, or the error. */
function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** Not those that an object puts before the others, in the order of their numbers. */
const key = fc.string({ unit: 'binary' }).filter((text) => !/^\d+$/.test(text));

describe('the entries of a JSON object', () => {
  it('are those of JSON.parse, whatever the values and keys', () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), fc.constantFrom(undefined, 1), (json, space) => {
        const text = JSON.stringify(json, null, space);
        expect(jsonEntries(bytesOf(text))).toEqual(expected(text));
      }),
      { seed: 3 },
    );
  });

  it('stand in the order of the text, also where they are numbers', () => {
    expect(jsonEntries(bytesOf('{"b":1,"7":{"x":[2]},"a":[],"1":"4"}'))).toEqual([
      ...['b', 1, '7', { x: [2] }, 'a', [], '1', '4'],
    ]);
  });

  it('stand in the order of the text, though two have the same FNV-1a hash', () => {
    expect(jsonEntries(bytesOf('{"liquid":1,"7":2,"costarring":3}'))).toEqual(['liquid', 1, '7', 2, 'costarring', 3]);
  });

  it('stand in the order of the text, however many there are', () => {
    const names = Array.from({ length: 200_000 }, (_, index) => String(200_000 - index));
    const text = `{${names.map((name) => `"${name}":0`).join()}}`;
    expect(jsonEntries(bytesOf(text))?.filter((_, at) => at % 2 === 0)).toEqual(names);
  });

  it.each([
    ['a key twice', '{"a":1,"b":2,"a":3}'],
    ['a key twice, once with an escape', '{"a":1,"\\u0061":2}'],
    ['escaped quotes and backslashes', '{"a\\"}":"}\\\\","b":"\\"{"}'],
    ['braces in text', '{"a":"{[","b":[{"c":"]}"}]}'],
    ['nothing', '{}'],
    ['space around', ' \n{ "a" : [ 1 , 2 ] , "b" : { } } '],
    ['a byte order mark', '{"a":1}'],
    ['the name of the prototype', '{"__proto__":1,"a":2}'],
  ])('are those of JSON.parse for %s', (_, text) => {
    expect(jsonEntries(bytesOf(text))).toEqual(expected(text));
  });

  it('of what is no object are none', () => {
    for (const text of ['[]', '["a",1]', '[{"a":1}]', '""', '"ab"', '5', 'null', 'true']) {
      expect(jsonEntries(bytesOf(text)), text).toBeNull();
    }
  });

  it.each([
    ...[
      '',
      ' ',
      '{',
      '}',
      '{"a"',
      '{"a"}',
      '{"a":',
      '{"a":}',
      '{"a":1',
      '{"a":1]',
      '{"a":1,}',
      '{,}',
      '{:}',
      '{"a",1}',
    ],
    ...['{"a":1:"b":2}', '{"a":1,"b"}', '{"a":1 "b":2}', '{1:2}', '{[]:1}', '{{}:1}', '{"a" "b":1}', '{"a":[1}}'],
    ...[
      '{"a":[1}]',
      '{"a":{1]}',
      '{}{}',
      '{"a":1}{"b":2}',
      '{"a":1}]',
      '{"a":1},',
      '{"a',
      '{"a\\',
      '["a",1}',
      '["a":1}',
      '{"a":1,,"b":2}',
    ],
  ])('are refused as JSON.parse does: %s', (text) => {
    const wanted = outcome(() => expected(text));
    expect(wanted).toHaveProperty('error');
    expect(outcome(() => jsonEntries(bytesOf(text)))).toEqual(wanted);
  });

  it('are refused as JSON.parse does, wherever a text is broken', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '"b":', '1', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = `{${pieces.join('')}}`;
        expect(outcome(() => jsonEntries(bytesOf(text)))).toEqual(outcome(() => expected(text)));
      }),
      { seed: 4, numRuns: 5000 },
    );
  });

  it('are refused where the bytes are no UTF-8', () => {
    expect(() => jsonEntries(Uint8Array.of(...bytesOf('{"a'), 0xff, ...bytesOf('":1}')))).toThrow(TypeError);
  });
});
