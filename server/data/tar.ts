// Reading a tar archive (POSIX ustar) as it streams by: plain files only, which is all that data sets need.

export interface TarEntry {
  /** Path in the archive. */
  readonly name: string;
  /** The file's bytes; what is not read of them is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

const blockBytes = 512;

/**
 * The files of an archive in order; each is read before the next.
 * @throws Error where the archive ends within a file.
 */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = new ByteSource(archive);
  for (;;) {
    const header = await source.readBlock();
    if (!header || header.every((byte) => byte === 0)) return;
    const size = Number.parseInt(text(header, 124, 12), 8) || 0;
    const type = text(header, 156, 1);
    const content = source.readBytes(size);
    if (type === '' || type === '0') {
      const prefix = text(header, 345, 155);
      yield { name: (prefix && `${prefix}/`) + text(header, 0, 100), content };
    }
    for await (const chunk of content) void chunk;
    for await (const chunk of source.readBytes((blockBytes - (size % blockBytes)) % blockBytes)) void chunk;
  }
}

/** Up to the first zero byte. */
function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim();
}

class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array, undefined>;
  #rest: Uint8Array = new Uint8Array();

  constructor(archive: AsyncIterable<Uint8Array>) {
    this.#chunks = archive[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  }

  /** Null at the archive's end. */
  async readBlock(): Promise<Uint8Array | null> {
    const block = new Uint8Array(blockBytes);
    let filled = 0;
    while (filled < blockBytes) {
      const piece = await this.#take(blockBytes - filled);
      if (!piece) return null;
      block.set(piece, filled);
      filled += piece.length;
    }
    return block;
  }

  /** The next `count` bytes; iterated a second time, it goes on where it stopped. */
  readBytes(count: number): AsyncIterable<Uint8Array> {
    let left = count;
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      if (left === 0) return { done: true, value: undefined };
      const piece = await this.#take(left);
      if (!piece) throw new Error(`the archive ends ${left} bytes too early`);
      left -= piece.length;
      return { done: false, value: piece };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async #take(atMost: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return null;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, atMost);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}
