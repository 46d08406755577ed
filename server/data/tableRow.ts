// What the user's tables and the published ones have in common: the numbers of a row, and what is said of a value that is missing
// or none.
import { DataError } from './dataError.ts';
import type { TextFile } from './delimitedText.ts';
import type { ReaderSurroundings } from './opened.ts';

/** All fields but the label. */
export function readNumbers(
  fields: readonly string[],
  labelAt: number,
  values: Float32Array,
  place: (at: number) => string,
): void {
  for (let at = 0, column = 0; at < fields.length; at++) {
    if (at === labelAt) continue;
    const text = fields[at]!;
    const value = Number(text);
    values[column] = value;
    if (!Number.isFinite(values[column]!) || text === '' || (value === 0 && text.trim() === '')) {
      if (isMissing(text)) throw missing(place(at), text);
      const expected = Number.isFinite(value) ? 'a number that float32 can hold' : 'a number';
      const remedy = /^\s*[-+]?\d+,\d+\s*$/.test(text)
        ? 'Write a point for the decimal comma.'
        : 'Correct it, or leave the column out.';
      throw new DataError(`${place(at)}: expected ${expected}, got ${JSON.stringify(text)}. ${remedy}`);
    }
    column++;
  }
}

export function isMissing(text: string): boolean {
  return /^\s*(|na|n\/a|nan|null|none|\?|-)\s*$/i.test(text);
}

export function missing(place: string, text: string): DataError {
  const written = text.trim() === '' ? '' : ` (${JSON.stringify(text.trim())})`;
  return new DataError(`${place}: the value is missing${written}. Fill it in, or remove the row.`);
}

export function textFile(file: string, separator: string, { signal, onProgress }: ReaderSurroundings): TextFile {
  return {
    ...{ file, separator, signal },
    onProgress: (read: number, total: number) => {
      onProgress(`reading ${file}`, read, total);
    },
  };
}

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
