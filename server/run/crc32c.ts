// CRC-32C (Castagnoli), as TensorFlow's record files use it; sixteen bytes at a time, by a table for each of their places.
const nPlaces = 16;

/** `table[256·k + b]`: what byte b does to the sum when k bytes follow it. */
const table = new Int32Array(256 * nPlaces);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  table[byte] = crc;
}
for (let index = 256; index < table.length; index++) {
  const before = table[index - 256]!;
  table[index] = (before >>> 8) ^ table[before & 255]!;
}

export function crc32c(bytes: Uint8Array): number {
  // Words are read whole, from a border of words on; the lowest byte of each is its first on every machine that there are runtimes for.
  const start = -bytes.byteOffset & 3;
  const nWords = (Math.max(0, bytes.length - start) >>> 4) << 2;
  if (nWords === 0) return ~byBytes(bytes, -1, 0, bytes.length) >>> 0;
  const end = start + 4 * nWords;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, nWords);
  let crc = byBytes(bytes, -1, 0, start);
  for (let at = 0; at < nWords; at += 4) {
    const a = crc ^ words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    crc =
      table[3840 + (a & 255)]! ^
      table[3584 + ((a >>> 8) & 255)]! ^
      table[3328 + ((a >>> 16) & 255)]! ^
      table[3072 + (a >>> 24)]! ^
      table[2816 + (b & 255)]! ^
      table[2560 + ((b >>> 8) & 255)]! ^
      table[2304 + ((b >>> 16) & 255)]! ^
      table[2048 + (b >>> 24)]! ^
      table[1792 + (c & 255)]! ^
      table[1536 + ((c >>> 8) & 255)]! ^
      table[1280 + ((c >>> 16) & 255)]! ^
      table[1024 + (c >>> 24)]! ^
      table[768 + (d & 255)]! ^
      table[512 + ((d >>> 8) & 255)]! ^
      table[256 + ((d >>> 16) & 255)]! ^
      table[d >>> 24]!;
  }
  return ~byBytes(bytes, crc, end, bytes.length) >>> 0;
}

function byBytes(bytes: Uint8Array, before: number, from: number, to: number): number {
  let crc = before;
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 255]!;
  return crc;
}

/** TensorFlow rotates and shifts the sum, so that a sum stored within summed data stays useful. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
