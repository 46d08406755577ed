// The order of a table's rows by what stands in a column.

/** Numbers as such, texts by their letters; what has no value (NaN, an empty text) comes last, whichever way. Keeps the order of equals. */
export function sortByValue<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => number | string,
  { isDescending }: { readonly isDescending: boolean },
): Row[] {
  const isNone = (value: number | string): boolean => value === '' || Number.isNaN(value);
  return rows.toSorted((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (isNone(x) || isNone(y)) return Number(isNone(x)) - Number(isNone(y));
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x) < String(y) ? -1 : Number(x !== y);
    return isDescending ? -order : order;
  });
}

/** The number that a text says, else the text. */
export function sortableText(text: string): number | string {
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
