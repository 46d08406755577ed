// Data sets that are costly to read are kept as rows in the user's cache folder, and read from there ever after. What is in the
// cache can be made again: a folder of it may be deleted at any time that nothing trains, and cacheBound.ts does.
//   <cache>/datasets/<key>/samples.bin   row after row
//                          labels.bin    a 16-bit number a row, little-endian
//                          about.json    written last; without it there is nothing
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { makeEntry, markUse, refusedByDisk } from './cacheFolder.ts';
import { arrayTypes, sharedLabels, type Rows, type ValueArray } from './rows.ts';

const about = z.object({
  version: z.literal(1),
  nSamples: z.int().min(1),
  sampleSize: z.int().min(1),
  type: z.enum(['uint8', 'float32']),
  classes: z.array(z.string()).min(1),
  columns: z.array(z.string()),
});

export interface CachedRows {
  readonly rows: Rows;
  readonly classes: readonly string[];
  /** Names, of a table. */
  readonly columns: readonly string[];
}

/** What a maker of rows ends with: `classOf[label]` is the class of what was written as that label. */
export interface MadeRows {
  readonly classes: readonly string[];
  readonly classOf?: readonly number[];
  readonly columns?: readonly string[];
}

export interface CachePlace {
  readonly cacheFolder: string;
  /** Says all that the rows are made from: another content has another key. */
  readonly key: unknown;
  readonly type: 'uint8' | 'float32';
}

/**
 * The rows of a key: those that are there, or those that `make` writes. What it leaves unfinished is removed.
 * @throws DataError where the cache can't be written; whatever `make` throws
 */
export async function cachedRows(
  { cacheFolder, key, type }: CachePlace,
  make: (writer: RowWriter) => Promise<MadeRows>,
): Promise<CachedRows> {
  const name = createHash('sha256')
    .update(JSON.stringify([1, type, key]))
    .digest('hex')
    .slice(0, 32);
  const folder = path.join(cacheFolder, 'datasets', name);
  const kept = open(folder);
  if (kept) return kept;
  try {
    await makeEntry(
      folder,
      () => open(folder) !== null,
      async (part) => {
        const writer = new RowWriter(part, type);
        try {
          writer.finish(await make(writer));
        } finally {
          writer.close();
        }
      },
    );
  } catch (cause) {
    throw refusedByDisk(cacheFolder, cause) ?? cause;
  }
  return open(folder)!;
}

/** Marks them as used. Null where there is nothing, or what is there is not whole. */
function open(folder: string): CachedRows | null {
  markUse(folder);
  const samplesFile = path.join(folder, 'samples.bin');
  try {
    const { nSamples, sampleSize, type, classes, columns } = about.parse(
      JSON.parse(fs.readFileSync(path.join(folder, 'about.json'), 'utf8')),
    );
    const bytes = fs.readFileSync(path.join(folder, 'labels.bin'));
    const expectedBytes = nSamples * sampleSize * arrayTypes[type].BYTES_PER_ELEMENT;
    if (bytes.length !== 2 * nSamples || fs.statSync(samplesFile).size !== expectedBytes) return null;
    const labels = sharedLabels(nSamples);
    for (let row = 0; row < nSamples; row++) labels[row] = bytes.readUInt16LE(2 * row);
    const values = { where: 'file', file: samplesFile, type, offsetBytes: 0 } as const;
    return { rows: { nSamples, sampleSize, values, labels, order: null, first: 0 }, classes, columns };
  } catch {
    // Whatever is wrong with it: it is made anew.
    return null;
  }
}

const bufferBytes = 1 << 20;

/** Writes rows one after the other. */
export class RowWriter {
  readonly #folder: string;
  readonly #type: 'uint8' | 'float32';
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(bufferBytes);
  #filled = 0;
  #labels = new Uint16Array(1024);
  #sampleSize = 0;
  nSamples = 0;

  constructor(folder: string, type: 'uint8' | 'float32') {
    this.#folder = folder;
    this.#type = type;
    this.#descriptor = fs.openSync(path.join(folder, 'samples.bin'), 'wx');
  }

  append(values: ValueArray, label: number): void {
    this.#sampleSize = values.length;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (this.#filled + bytes.length > bufferBytes) this.#flush();
    if (bytes.length > bufferBytes) writeAll(this.#descriptor, bytes);
    else {
      this.#buffer.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
    if (this.nSamples === this.#labels.length) {
      const more = new Uint16Array(2 * this.nSamples);
      more.set(this.#labels);
      this.#labels = more;
    }
    this.#labels[this.nSamples++] = label;
  }

  finish({ classes, classOf, columns = [] }: MadeRows): void {
    this.#flush();
    const bytes = Buffer.alloc(2 * this.nSamples);
    for (let row = 0; row < this.nSamples; row++) {
      const label = this.#labels[row]!;
      bytes.writeUInt16LE(classOf?.[label] ?? label, 2 * row);
    }
    fs.writeFileSync(path.join(this.#folder, 'labels.bin'), bytes);
    const { nSamples } = this;
    const made = { version: 1, nSamples, sampleSize: this.#sampleSize, type: this.#type, classes, columns };
    fs.writeFileSync(path.join(this.#folder, 'about.json'), JSON.stringify(made));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #flush(): void {
    writeAll(this.#descriptor, this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += fs.writeSync(descriptor, bytes, written, bytes.length - written);
  }
}
