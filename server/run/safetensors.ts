// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes. What a tensor is for is not
// known here.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { storageError } from './storageError.ts';

/** The file is not what it should be; the message names it and says what to do. */
export class BadCheckpointError extends Error {
  override readonly name = 'BadCheckpointError';
}

export const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
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

export interface StoredTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Position in the file, and length. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** As the format's own reader has it. */
const maxHeaderBytes = 100_000_000;
const alignment = 8;

/**
 * Writes float32 tensors in the order given, to a temporary file that is synced and renamed: the file is whole or not there.
 * @throws StorageError
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>,
  metadata: Readonly<Record<string, string>>,
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / alignment) * alignment, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const temporary = `${file}.tmp`;
  try {
    const descriptor = fs.openSync(temporary, 'w');
    try {
      writeAll(descriptor, length);
      writeAll(descriptor, padded);
      for (const { values } of tensors.values()) {
        writeAll(descriptor, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      }
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

/** An open file with a header that has been checked against the file's size; its tensors are read one at a time. */
export class SafetensorsFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly #descriptor: number;

  /** @throws BadCheckpointError where the file is missing, cut off or malformed. */
  constructor(file: string) {
    this.file = file;
    try {
      this.#descriptor = fs.openSync(file, 'r');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new BadCheckpointError(
        code === 'ENOENT' ? `${file} does not exist.` : `${file} can't be opened: ${message}`,
        {
          cause: error,
        },
      );
    }
    try {
      const status = fs.fstatSync(this.#descriptor);
      if (status.isDirectory()) throw new BadCheckpointError(`${file} is a folder. Name a checkpoint file in it.`);
      this.sizeBytes = status.size;
      const header = readHeader(file, this.#descriptor, this.sizeBytes);
      this.tensors = header.tensors;
      this.metadata = header.metadata;
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

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

function readHeader(file: string, descriptor: number, sizeBytes: number) {
  const bad = (what: string) =>
    new BadCheckpointError(
      `${file} is not a usable safetensors file: ${what}. Take another checkpoint, or copy the file again from where it came.`,
    );
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
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw bad(`its header is not JSON (${(error as Error).message})`);
  }
  const header = headerSchema.safeParse(json);
  if (!header.success || Array.isArray(json)) throw bad('its header is not a JSON object');

  const metadata = metadataSchema.safeParse(header.data.__metadata__ ?? {});
  if (!metadata.success) throw bad('its metadata is not a map from text to text');
  const tensors = Object.entries(header.data)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]): StoredTensor => {
      const parsed = tensorSchema.safeParse(entry);
      if (!parsed.success) throw bad(`tensor "${name}" lacks a valid dtype, shape or data_offsets`);
      const { dtype, shape, data_offsets: offsets } = parsed.data;
      if (!isDtype(dtype)) throw bad(`tensor "${name}" has the unknown dtype "${dtype}"`);
      const expected = shape.reduce((product, size) => product * size, dtypeBytes[dtype]);
      const [begin, end] = offsets;
      if (end - begin !== expected) {
        throw bad(
          `tensor "${name}" of shape [${shape.join(', ')}] and dtype ${dtype} needs ${String(expected)} bytes, its offsets span ${String(end - begin)}`,
        );
      }
      return { name, dtype, shape, start: dataStart + begin, sizeBytes: expected };
    });

  const inOrder = tensors.toSorted((a, b) => a.start - b.start || a.sizeBytes - b.sizeBytes);
  let end = dataStart;
  for (const tensor of inOrder) {
    if (tensor.start < end) throw bad(`the bytes of tensor "${tensor.name}" overlap those of another`);
    if (tensor.start > end) throw bad(`there is a gap before the bytes of tensor "${tensor.name}"`);
    end = tensor.start + tensor.sizeBytes;
  }
  if (end > sizeBytes)
    throw bad(`it is cut off: its tensors need ${String(end)} bytes, the file has ${String(sizeBytes)}`);
  if (end < sizeBytes) throw bad(`${String(sizeBytes - end)} bytes follow its last tensor`);
  return { metadata: metadata.data, tensors };
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

/** So that the new name survives a power cut. Windows can't open folders and doesn't need it. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
