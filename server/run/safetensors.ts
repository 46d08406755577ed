// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes. What a tensor is for is not
// known here.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { foreignFormat } from './foreignFormats.ts';
import { jsonEntries } from './jsonEntries.ts';
import { syncFolder } from './logFile.ts';
import { IrregularFileError, openRegularFile } from './regularFile.ts';
import { storageError } from './storageError.ts';

/** The file is not what it should be; the message names it and says what to do. */
export class BadCheckpointError extends Error {
  override readonly name = 'BadCheckpointError';
}

/** Bytes of a value, of the types whose values are read. */
export const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;
export type Dtype = keyof typeof dtypeBytes;

/** Bits of a value, of the format's other types. A file may have types that are not known yet, of any size. */
const unreadBits: Readonly<Record<string, number>> = { F4: 4, F6_E2M3: 6, F6_E3M2: 6, C64: 64 };

export interface StoredTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Position in the file, and length. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** One of a type whose values are not read. */
export type UnreadTensor = Omit<StoredTensor, 'dtype'> & { readonly dtype: string };

/** As the format's own reader has it. */
const maxHeaderBytes = 100_000_000;
const alignment = 8;

/** A good size of a buffer to read a tensor's parts into; each then holds whole values. */
export const partBytes = 4 << 20;

/** Of the digests in the metadata: each tensor's by name, as JSON, and that of everything before the tensors' bytes. */
const tensorDigestsKey = 'digests';
const headerDigestKey = 'headerDigest';
export const digestKeys: readonly string[] = [headerDigestKey, tensorDigestsKey];
const noDigest = '0'.repeat(32);

/** The first 128 bits of SHA-256, in hexadecimal. */
function digestOf(bytes: Uint8Array): string {
  const digest = startDigest();
  digest.add(bytes);
  return digest.end();
}

/**
 * Writes float32 tensors in the order given, with a digest of each, to a temporary file of its own that is synced and renamed:
 * the file is whole or not there.
 * @throws StorageError
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>,
  metadata: Readonly<Record<string, string>>,
): void {
  const beginning = beginningOf(tensors, metadata);
  const temporary = `${file}.${String(process.pid)}.${crypto.randomBytes(8).toString('hex')}.tmp`;
  try {
    // Exclusively: neither a link nor another's file is written through.
    const descriptor = fs.openSync(temporary, 'wx');
    try {
      writeAll(descriptor, beginning);
      for (const { values } of tensors.values()) writeAll(descriptor, bytesOf(values));
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, file);
    syncFolder(path.dirname(file));
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw storageError(file, error);
  }
}

/** Length and header. The header's digest is that of these bytes with zeros in its own place. */
function beginningOf(
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>,
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const digests: Record<string, string> = {};
  const entries: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    digests[name] = digestOf(bytesOf(values));
    entries[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const written = { [headerDigestKey]: noDigest, ...metadata, [tensorDigestsKey]: JSON.stringify(digests) };
  const beginning = withLength(Buffer.from(JSON.stringify({ __metadata__: written, ...entries })));
  const place = beginning.indexOf(`"${headerDigestKey}":"${noDigest}"`) + headerDigestKey.length + 4;
  beginning.write(digestOf(beginning), place, 'latin1');
  return beginning;
}

/** The beginning of a file whose tensors are filled in later, without digests, and how many bytes they take. */
export function writeHeader(
  tensors: readonly { readonly name: string; readonly dtype: Dtype; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): { readonly header: Buffer; readonly sizeBytes: number } {
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let sizeBytes = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = sizeBytes + shape.reduce((product, length) => product * length, dtypeBytes[dtype]);
    entries[name] = { dtype, shape, data_offsets: [sizeBytes, end] };
    sizeBytes = end;
  }
  return { header: withLength(Buffer.from(JSON.stringify(entries))), sizeBytes };
}

/** Eight bytes of length before the header, which is padded. */
function withLength(json: Buffer): Buffer {
  const beginning = Buffer.alloc(8 + Math.ceil(json.length / alignment) * alignment, ' ');
  beginning.writeBigUInt64LE(BigInt(beginning.length - 8));
  json.copy(beginning, 8);
  return beginning;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** An open file with a header that has been checked against the file's size; its tensors are read one at a time. */
export class SafetensorsFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly tensors: readonly StoredTensor[];
  readonly unread: readonly UnreadTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly #descriptor: number;
  readonly #dataStart: number;

  /** @throws BadCheckpointError where the file is missing, cut off or malformed. */
  constructor(file: string) {
    this.file = file;
    this.#descriptor = openForReading(file);
    try {
      const status = fs.fstatSync(this.#descriptor);
      this.sizeBytes = status.size;
      const header = readHeader(file, this.#descriptor, this.sizeBytes);
      this.tensors = header.tensors;
      this.unread = header.unread;
      this.metadata = header.metadata;
      this.#dataStart = header.dataStart;
    } catch (error) {
      fs.closeSync(this.#descriptor);
      throw error;
    }
  }

  /** The tensor's bytes, little-endian, in row-major order, in a buffer of their own. */
  read(tensor: StoredTensor): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(tensor.sizeBytes);
    readAll(this.file, this.#descriptor, bytes, tensor.start);
    return bytes;
  }

  /** The tensor's bytes, each part in the buffer that is given. */
  *readParts(tensor: StoredTensor, buffer: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
    for (let offset = 0; offset < tensor.sizeBytes; offset += buffer.length) {
      const part = buffer.subarray(0, Math.min(buffer.length, tensor.sizeBytes - offset));
      readAll(this.file, this.#descriptor, part, tensor.start + offset);
      yield part;
    }
  }

  /** Some of the tensor's bytes, in a buffer of their own. @param offset from its first byte */
  readRange(tensor: StoredTensor, offset: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(sizeBytes);
    readAll(this.file, this.#descriptor, bytes, tensor.start + offset);
    return bytes;
  }

  /** Digests by tensor, empty where the file has none. @throws BadCheckpointError where what precedes the tensors is damaged. */
  readDigests(): ReadonlyMap<string, string> {
    if (!digestKeys.some((key) => Object.hasOwn(this.metadata, key))) return new Map();
    const bad = () =>
      new BadCheckpointError(
        `${this.file} is damaged: its header does not match the digest written with it. Take an earlier checkpoint.`,
      );
    const digest = this.metadata[headerDigestKey] ?? '';
    const beginning = new Uint8Array(this.#dataStart);
    readAll(this.file, this.#descriptor, beginning, 0);
    const text = Buffer.from(beginning.buffer);
    const place = text.indexOf(`"${headerDigestKey}":"${digest}"`) + headerDigestKey.length + 4;
    text.write(noDigest, place, 'latin1');
    if (digestOf(text) !== digest) throw bad();
    const digests = parsed(this.metadata[tensorDigestsKey] ?? '');
    if (!isTextMap(digests)) throw bad();
    return new Map(Object.entries(digests));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

/** A digest of what is given piece by piece, as those in the file. */
export function startDigest(): { add(bytes: Uint8Array): void; end(): string } {
  const hash = crypto.createHash('sha256');
  return {
    add: (bytes) => void hash.update(bytes),
    end: () => hash.digest('hex').slice(0, noDigest.length),
  };
}

function openForReading(file: string): number {
  try {
    return openRegularFile(file);
  } catch (cause) {
    if (cause instanceof IrregularFileError) throw new BadCheckpointError(cause.message, { cause });
    const { code, message } = cause as NodeJS.ErrnoException;
    const sentence = code === 'ENOENT' ? `${file} does not exist.` : `${file} can't be opened: ${message}`;
    throw new BadCheckpointError(sentence, { cause });
  }
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Checked by hand, not by a schema: a header may have a million entries. What else an entry holds is passed over. */
function isHeaderEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Array.isArray(shape) || !Array.isArray(offsets)) return false;
  return shape.every(isCount) && offsets.length === 2 && offsets.every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Undefined where the text is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

function readHeader(file: string, descriptor: number, sizeBytes: number) {
  const bad = (what: string) =>
    new BadCheckpointError(
      `${file} is not a usable safetensors file: ${what}. Take another checkpoint, or copy the file again from where it came.`,
    );
  const foreign = foreignFormat(firstBytes(file, descriptor, sizeBytes));
  if (foreign) throw new BadCheckpointError(`${file} is no safetensors file: it is ${foreign.what}. ${foreign.remedy}`);
  if (sizeBytes < 8) throw bad(`it has ${String(sizeBytes)} bytes, fewer than the 8 of the header's length`);
  const lengthBytes = Buffer.alloc(8);
  readAll(file, descriptor, lengthBytes, 0);
  const headerBytes = lengthBytes.readBigUInt64LE();
  if (headerBytes > BigInt(maxHeaderBytes)) {
    throw bad(`its header claims ${String(headerBytes)} bytes, more than the ${String(maxHeaderBytes)} allowed`);
  }
  const dataStart = 8 + Number(headerBytes);
  if (dataStart > sizeBytes) {
    throw bad(`it is cut off: the header needs ${String(dataStart)} bytes, the file has ${String(sizeBytes)}`);
  }
  const text = Buffer.alloc(Number(headerBytes));
  readAll(file, descriptor, text, 8);
  let entries: readonly unknown[] | null;
  try {
    entries = jsonEntries(text);
  } catch (error) {
    throw bad(`its header is not JSON (${(error as Error).message})`);
  }
  if (!entries) throw bad('its header is not a JSON object');
  const tensors: StoredTensor[] = [];
  const unread: UnreadTensor[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (let index = 0; index < entries.length; index += 2) {
    const name = entries[index] as string;
    const entry = entries[index + 1];
    if (name === '__metadata__') {
      if (entry !== null && !isTextMap(entry)) throw bad('its metadata is not a map from text to text');
      metadata = entry ?? {};
      continue;
    }
    if (!isHeaderEntry(entry)) throw bad(`tensor "${name}" lacks a valid dtype, shape or data_offsets`);
    const { dtype, shape, data_offsets: offsets } = entry;
    const [begin, end] = offsets;
    const bits = isDtype(dtype) ? 8 * dtypeBytes[dtype] : unreadBits[dtype];
    const values = shape.reduce((product, size) => product * size, 1);
    const expected = bits === undefined ? Math.max(0, end - begin) : Math.ceil((values * bits) / 8);
    if (end - begin !== expected) {
      throw bad(
        `tensor "${name}" of shape [${shape.join(', ')}] and dtype ${dtype} needs ${String(expected)} bytes, its offsets span ${String(end - begin)}`,
      );
    }
    const place = { name, shape, start: dataStart + begin, sizeBytes: expected };
    if (isDtype(dtype)) tensors.push({ ...place, dtype });
    else unread.push({ ...place, dtype });
  }

  const inOrder = [...tensors, ...unread].sort((a, b) => a.start - b.start || a.sizeBytes - b.sizeBytes);
  let end = dataStart;
  for (const tensor of inOrder) {
    if (tensor.start < end) throw bad(`the bytes of tensor "${tensor.name}" overlap those of another`);
    if (tensor.start > end) throw bad(`there is a gap before the bytes of tensor "${tensor.name}"`);
    end = tensor.start + tensor.sizeBytes;
  }
  if (end > sizeBytes)
    throw bad(`it is cut off: its tensors need ${String(end)} bytes, the file has ${String(sizeBytes)}`);
  if (end < sizeBytes) throw bad(`${String(sizeBytes - end)} bytes follow its last tensor`);
  return { metadata, tensors, unread, dataStart };
}

function firstBytes(file: string, descriptor: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(Math.min(sizeBytes, 1024));
  readAll(file, descriptor, bytes, 0);
  return bytes;
}

function isDtype(text: string): text is Dtype {
  return Object.hasOwn(dtypeBytes, text);
}

/** A write may take fewer bytes than given. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += fs.writeSync(descriptor, bytes, written);
}

const chunkBytes = 1 << 30;

function readAll(file: string, descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = fs.readSync(descriptor, bytes, done, Math.min(chunkBytes, bytes.length - done), position + done);
    if (read === 0) throw new BadCheckpointError(`${file} became shorter while it was read. Try again.`);
    done += read;
  }
}
