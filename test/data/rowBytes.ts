import type { Rows } from '../../server/data/rows.ts';

/** The bytes of rows that lie in memory. */
export function bytesOf({ values }: Rows): Uint8Array {
  if (values.where !== 'memory' || !(values.values instanceof Uint8Array)) throw new Error('no bytes in memory');
  return values.values;
}
