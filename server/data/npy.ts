// NumPy's .npy files (format 1 to 3): a magic number, the length of a header, the header as a Python dictionary, then the values.
// Only what a data set needs: little-endian numbers in C order.
import fs from 'node:fs';
import { DataError } from './dataError.ts';

export interface NpyFile {
  readonly file: string;
  /** As the user knows it, for what is said of it. */
  readonly name: string;
  /** For example `<f4`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly offsetBytes: number;
}

const itemBytes: Readonly<Record<string, number>> = {
  ...{ '<f4': 4, '<f8': 8, '|u1': 1, '|i1': 1, '|b1': 1 },
  ...{ '<i2': 2, '<u2': 2, '<i4': 4, '<u4': 4, '<i8': 8, '<u8': 8 },
};

/** @throws DataError where it is no .npy file, is cut off, or is laid out otherwise */
export function openNpy(file: string, name: string): NpyFile {
  const descriptor = fs.openSync(file, 'r');
  try {
    const head = Buffer.alloc(12);
    const nRead = fs.readSync(descriptor, head, 0, 12, 0);
    if (nRead < 12 || head.toString('latin1', 0, 6) !== '\u0093NUMPY') {
      throw new DataError(`${name} is no array of NumPy. Write it by numpy.savez or numpy.save.`);
    }
    const isLong = head[6]! > 1;
    const headerBytes = isLong ? head.readUInt32LE(8) : head.readUInt16LE(8);
    const start = isLong ? 12 : 10;
    if (headerBytes > 65_536) throw new DataError(`${name} has a header of ${headerBytes} bytes: it is damaged.`);
    const header = Buffer.alloc(headerBytes);
    fs.readSync(descriptor, header, 0, headerBytes, start);
    return checked({ file, name, ...parseHeader(header.toString('latin1'), name), offsetBytes: start + headerBytes });
  } finally {
    fs.closeSync(descriptor);
  }
}

function parseHeader(header: string, name: string): Pick<NpyFile, 'type' | 'shape'> {
  const type = /'descr'\s*:\s*'([^']+)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const dimensions = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || dimensions === undefined) {
    throw new DataError(
      `${name} is an array that Kafscope can't read (${header.trim().slice(0, 100)}). Samples are float32, float64 or uint8, labels whole numbers.`,
    );
  }
  if (order === 'True') {
    throw new DataError(`${name} is in Fortran order. Write numpy.ascontiguousarray(a) instead.`);
  }
  const shape = dimensions
    .split(',')
    .filter((length) => length.trim() !== '')
    .map(Number);
  return { type, shape };
}

function checked(array: NpyFile): NpyFile {
  const { file, name, type, shape, offsetBytes } = array;
  const bytes = itemBytes[type];
  if (bytes === undefined) {
    throw new DataError(
      `${name} is of the type ${type}, which Kafscope can't read. Write samples as x.astype("float32"), labels as whole numbers: numpy.unique(y, return_inverse=True)[1] of texts.`,
    );
  }
  const expected = offsetBytes + bytes * shape.reduce((product, length) => product * length, 1);
  const { size } = fs.statSync(file);
  if (size < expected) {
    throw new DataError(`${name} should have ${expected} bytes, but has ${size}: it is cut off. Write it again.`);
  }
  return array;
}

/** All of them, which must be whole numbers. For labels. */
export function readIntegers({ file, name, type, shape, offsetBytes }: NpyFile): Float64Array {
  const count = shape.reduce((product, length) => product * length, 1);
  const bytes = Buffer.alloc(count * itemBytes[type]!);
  const descriptor = fs.openSync(file, 'r');
  try {
    for (let filled = 0; filled < bytes.length;) {
      const nRead = fs.readSync(descriptor, bytes, filled, bytes.length - filled, offsetBytes + filled);
      if (nRead === 0) throw new DataError(`${name} has become shorter. Write it again.`);
      filled += nRead;
    }
  } finally {
    fs.closeSync(descriptor);
  }
  const read: Readonly<Record<string, (at: number) => number>> = {
    '|u1': (at) => bytes.readUInt8(at),
    '|b1': (at) => bytes.readUInt8(at),
    '|i1': (at) => bytes.readInt8(at),
    '<u2': (at) => bytes.readUInt16LE(2 * at),
    '<i2': (at) => bytes.readInt16LE(2 * at),
    '<u4': (at) => bytes.readUInt32LE(4 * at),
    '<i4': (at) => bytes.readInt32LE(4 * at),
    '<u8': (at) => Number(bytes.readBigUInt64LE(8 * at)),
    '<i8': (at) => Number(bytes.readBigInt64LE(8 * at)),
  };
  const value = read[type];
  if (!value)
    throw new DataError(`${name} is of the type ${type}, but labels are whole numbers: write y.astype("int64").`);
  return Float64Array.from({ length: count }, (_, index) => value(index));
}
