// The entries of a JSON object that may have a million keys. An object with so many takes three times as long to make and to go over
// as a list, so the text is read as a list where that comes to the same.

/**
 * Names and values by turns, as `Object.entries(JSON.parse(text)).flat()` has them, but always in the text's order; null where the JSON is no
 * object.
 * @param bytes UTF-8
 * @throws TypeError, SyntaxError where they are not UTF-8, or no JSON
 */
export function jsonEntries(bytes: Uint8Array): readonly unknown[] | null {
  const list = asList(bytes);
  if (list) return list;
  const json: unknown = JSON.parse(decoded(bytes));
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json).flat() : null;
}

const code = { quote: 34, comma: 44, colon: 58, open: 91, backslash: 92, close: 93, openObject: 123, closeObject: 125 };

/**
 * Reads `{"a":1,"b":2}` as `["a",1,"b",2]`. Null where the text is not clearly an object of different keys without escapes: what to make of
 * it is JSON.parse's to say.
 */
function asList(bytes: Uint8Array): readonly unknown[] | null {
  const text = bytes.slice();
  const keys: number[] = [];
  let depth = 0;
  let isKey = true;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]!) {
      case code.quote: {
        const end = endOfString(text, at);
        if (depth === 1 && isKey) {
          const key = hashOf(text, at + 1, end);
          if (key === null) return null;
          keys.push(key);
        }
        at = end;
        break;
      }
      case code.openObject:
        if (depth++ === 0) text[at] = code.open;
        break;
      case code.closeObject:
        if (--depth === 0) text[at] = code.close;
        break;
      case code.open:
        if (depth++ === 0) return null;
        break;
      case code.close:
        if (--depth === 0) return null;
        break;
      case code.colon:
      case code.comma:
        if (depth !== 1) break;
        if (isKey !== (text[at] === code.colon)) return null;
        isKey = !isKey;
        text[at] = code.comma;
        break;
    }
  }
  const list = parsedList(text);
  return list && list.length === 2 * keys.length && areDifferent(keys) ? list : null;
}

/** Position of the closing quote. */
function endOfString(text: Uint8Array, start: number): number {
  let at = start + 1;
  for (; at < text.length && text[at] !== code.quote; at++) if (text[at] === code.backslash) at++;
  return at;
}

/** Two hashes (FNV-1a with other primes) as one whole number of 53 bits; null where the text has an escape. */
function hashOf(text: Uint8Array, start: number, end: number): number | null {
  let first = 0x811c9dc5;
  let second = 0x12345679;
  for (let at = start; at < end; at++) {
    const byte = text[at]!;
    if (byte === code.backslash) return null;
    first = Math.imul(first ^ byte, 0x01000193);
    second = Math.imul(second ^ byte, 0x5bd1e995);
  }
  return (first >>> 0) * 2 ** 21 + (second >>> 11);
}

function areDifferent(keys: readonly number[]): boolean {
  const sorted = Float64Array.from(keys).sort();
  return sorted.every((key, index) => index === 0 || key !== sorted[index - 1]);
}

function parsedList(text: Uint8Array): readonly unknown[] | null {
  try {
    return JSON.parse(decoded(text)) as unknown[];
  } catch {
    return null;
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
