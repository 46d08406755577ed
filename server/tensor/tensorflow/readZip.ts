// Reading a zip archive from disk: the list of its files, and the bytes of one at a time. Archives and files below 4 GiB, stored or
// deflated, which is what Python's wheels are.
import type { FileHandle } from 'node:fs/promises';
import { Transform, type Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';

export interface ZipEntry {
  /** Path in the archive, with `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Permissions, or 0 where none are given. */
  readonly mode: number;
  readonly compressedBytes: number;
  readonly crc: number;
  readonly offset: number;
  readonly isDeflated: boolean;
}

const signatures = { end: 0x06054b50, directory: 0x02014b50, local: 0x04034b50 } as const;
const endBytes = 22;
const longestComment = 0xffff;

/** The files of the archive, folders left out. @throws Error where it is no such archive. */
export async function listZip(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat();
  const tail = await read(file, Math.max(0, size - endBytes - longestComment), size);
  let end = tail.length - endBytes;
  while (end >= 0 && tail.readUInt32LE(end) !== signatures.end) end--;
  if (end < 0) throw new Error('it is not a zip archive');
  const count = tail.readUInt16LE(end + 10);
  const directoryBytes = tail.readUInt32LE(end + 12);
  const directoryAt = tail.readUInt32LE(end + 16);
  if (directoryAt === 0xffffffff || count === 0xffff) throw new Error('it is a zip archive of 4 GiB or more');
  const directory = await read(file, directoryAt, directoryAt + directoryBytes);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (directory.readUInt32LE(at) !== signatures.directory) throw new Error('its directory is damaged');
    const nameBytes = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, at + 46 + nameBytes);
    const entry: ZipEntry = {
      name,
      isDeflated: directory.readUInt16LE(at + 10) === 8,
      crc: directory.readUInt32LE(at + 16),
      compressedBytes: directory.readUInt32LE(at + 20),
      sizeBytes: directory.readUInt32LE(at + 24),
      mode: (directory.readUInt32LE(at + 38) >>> 16) & 0o777,
      offset: directory.readUInt32LE(at + 42),
    };
    if (!name.endsWith('/')) entries.push(entry);
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** The bytes of one file. Errors where the archive is damaged, its checksum wrong included. */
export async function openZipEntry(file: FileHandle, entry: ZipEntry): Promise<Readable> {
  const header = await read(file, entry.offset, entry.offset + 30);
  if (header.readUInt32LE(0) !== signatures.local) throw new Error(`${entry.name} is damaged`);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.compressedBytes === 0) return emptyStream();
  const compressed = file.createReadStream({ start, end: start + entry.compressedBytes - 1, autoClose: false });
  const check = checksum(entry);
  const fail = (error: Error): void => {
    check.destroy(error);
  };
  compressed.on('error', fail);
  if (!entry.isDeflated) return compressed.pipe(check);
  return compressed.pipe(createInflateRaw()).on('error', fail).pipe(check);
}

function checksum({ name, crc }: ZipEntry): Transform {
  let sum = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
    flush: (done) => {
      done(sum === crc ? null : new Error(`${name} is damaged`));
    },
  });
}

function emptyStream(): Readable {
  const empty = new Transform();
  empty.end();
  return empty;
}

async function read(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  if (bytesRead < buffer.length) throw new Error('it is cut off');
  return buffer;
}
