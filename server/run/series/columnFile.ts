// A file of rows that is read by column: chunks of so many rows, in each of which a column's values lie side by side. Rows are only
// appended, or cut off at the end. Kept in the server's own cache: what is in it can be made again.
import fs from 'node:fs';

export type Values = Float32Array | Float64Array;

export interface ColumnFileShape {
  readonly nColumns: number;
  readonly rowsPerChunk: number;
  /** 4 for float32, 8 for float64. */
  readonly bytesPerValue: 4 | 8;
}

/** With so many of the columns asked for a whole chunk is read at once. */
const wholeChunkShare = 0.2;

export class ColumnFile {
  readonly #descriptor: number;
  readonly #shape: ColumnFileShape;
  /** The chunk that is being filled. */
  readonly #tail: Values;
  #rows = 0;
  #isTailWritten = true;

  /** @param nRows that it holds already; 0 begins it anew @throws Error where the file has fewer */
  constructor(file: string, shape: ColumnFileShape, nRows: number) {
    this.#shape = shape;
    this.#tail = newValues(shape, shape.nColumns * shape.rowsPerChunk);
    this.#descriptor = fs.openSync(file, nRows === 0 ? 'w+' : 'r+');
    if (nRows === 0) return;
    const nChunks = Math.ceil(nRows / shape.rowsPerChunk);
    if (fs.fstatSync(this.#descriptor).size < nChunks * this.#chunkBytes) {
      fs.closeSync(this.#descriptor);
      throw new Error(`${file} is shorter than its ${String(nRows)} rows`);
    }
    this.#rows = nRows;
    this.#loadTail();
  }

  get rows(): number {
    return this.#rows;
  }

  append(row: ArrayLike<number>): void {
    const { nColumns, rowsPerChunk } = this.#shape;
    const place = this.#rows % rowsPerChunk;
    for (let column = 0; column < nColumns; column++) this.#tail[column * rowsPerChunk + place] = row[column]!;
    this.#rows++;
    this.#isTailWritten = false;
    if (place === rowsPerChunk - 1) this.flush();
  }

  /** Writes what is in memory alone. */
  flush(): void {
    if (this.#isTailWritten || this.#rows === 0) return;
    const chunk = Math.floor((this.#rows - 1) / this.#shape.rowsPerChunk);
    writeWhole(this.#descriptor, this.#tail, chunk * this.#chunkBytes);
    this.#isTailWritten = true;
  }

  /** Keeps the first rows alone. */
  truncate(nRows: number): void {
    const before = this.#tailChunk;
    this.#rows = Math.min(nRows, this.#rows);
    if (this.#tailChunk !== before) this.#loadTail();
  }

  /** Rows [from, to) of some columns. */
  read(columns: readonly number[], from: number, to: number): Values[] {
    const { nColumns, rowsPerChunk, bytesPerValue } = this.#shape;
    const count = Math.max(0, to - from);
    const result = columns.map(() => newValues(this.#shape, count));
    const isWhole = columns.length > 1 && columns.length >= wholeChunkShare * nColumns;
    const scratch = isWhole ? newValues(this.#shape, nColumns * rowsPerChunk) : null;
    for (let start = from; start < to;) {
      const chunk = Math.floor(start / rowsPerChunk);
      const end = Math.min(to, (chunk + 1) * rowsPerChunk);
      const place = start - chunk * rowsPerChunk;
      const inTail = chunk === this.#tailChunk ? this.#tail : null;
      if (!inTail && scratch) readWhole(this.#descriptor, scratch, chunk * this.#chunkBytes);
      const source = inTail ?? scratch;
      columns.forEach((column, index) => {
        const target = result[index]!.subarray(start - from, end - from);
        const at = column * rowsPerChunk + place;
        if (source) target.set(source.subarray(at, at + target.length) as never);
        else readWhole(this.#descriptor, target, chunk * this.#chunkBytes + at * bytesPerValue);
      });
      start = end;
    }
    return result;
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  get #tailChunk(): number {
    return Math.floor(Math.max(0, this.#rows - 1) / this.#shape.rowsPerChunk);
  }

  get #chunkBytes(): number {
    const { nColumns, rowsPerChunk, bytesPerValue } = this.#shape;
    return nColumns * rowsPerChunk * bytesPerValue;
  }

  #loadTail(): void {
    readWhole(this.#descriptor, this.#tail, this.#tailChunk * this.#chunkBytes);
    this.#isTailWritten = true;
  }
}

function newValues({ bytesPerValue }: ColumnFileShape, length: number): Values {
  return bytesPerValue === 4 ? new Float32Array(length) : new Float64Array(length);
}

function readWhole(descriptor: number, target: Values, position: number): void {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  for (let done = 0; done < bytes.length;) {
    const read = fs.readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw new Error('a file of the series cache ends early');
    done += read;
  }
}

function writeWhole(descriptor: number, source: Values, position: number): void {
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  for (let done = 0; done < bytes.length;) done += fs.writeSync(descriptor, bytes, done, undefined, position + done);
}
