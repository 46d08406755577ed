// The allocator of the one shared WebAssembly memory: two-level segregated free lists (Masmano et al. 2004) with immediate
// merging. Knows bytes and addresses, no tensors. Growing a shared memory leaves old views valid.

const pageBytes = 65_536;
const granuleBytes = 64;
const subdivisions = 8;
/** Never handed out at either end: address 0 stays null, the kernels' constants follow, and they may read a little past a block. */
export const guardBytes = 4096;

interface Block {
  address: number;
  sizeBytes: number;
  isFree: boolean;
  /** Neighbours in memory. */
  before: Block | null;
  after: Block | null;
  /** Neighbours in the free list. */
  previousFree: Block | null;
  nextFree: Block | null;
}

/** Bytes could not be had: the 4 GiB of a 32-bit WebAssembly memory, or the machine's memory, are used up. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

export class MemoryPool {
  readonly memory: WebAssembly.Memory;
  usedBytes = 0;
  peakBytes = 0;
  private readonly maximumPages: number;
  private readonly used = new Map<number, Block>();
  private readonly bins: (Block | null)[] = Array.from({ length: 32 * subdivisions }, () => null);
  private last: Block;
  private nPages: number;
  private currentBuffer: ArrayBufferLike;

  /** @param maximumPages of 64 KiB; at most 65536 (4 GiB). */
  constructor(options: { initialPages?: number; maximumPages?: number } = {}) {
    this.nPages = options.initialPages ?? 256;
    this.maximumPages = options.maximumPages ?? 65_536;
    this.memory = new WebAssembly.Memory({ initial: this.nPages, maximum: 65_536, shared: true });
    this.currentBuffer = this.memory.buffer;
    this.last = newBlock(guardBytes, this.nPages * pageBytes - 2 * guardBytes);
    this.link(this.last);
  }

  /** The memory as it is now; fetch it anew after an allocation, which may have grown it. */
  get buffer(): ArrayBufferLike {
    return this.currentBuffer;
  }

  /** The most that it can grow to. */
  get addressableBytes(): number {
    return this.maximumPages * pageBytes;
  }

  get nBlocks(): number {
    return this.used.size;
  }

  get capacityBytes(): number {
    return this.nPages * pageBytes;
  }

  /**
   * Address of at least `sizeBytes` bytes (0 allowed), a multiple of 64, contents undefined.
   * @throws {OutOfMemoryError} if the memory can't grow enough.
   */
  allocate(sizeBytes: number): number {
    const wanted = Math.max(granuleBytes, Math.ceil(sizeBytes / granuleBytes) * granuleBytes);
    const block = this.find(wanted) ?? this.grow(wanted);
    this.unlink(block);
    if (block.sizeBytes - wanted >= granuleBytes) this.split(block, wanted);
    block.isFree = false;
    this.used.set(block.address, block);
    this.usedBytes += block.sizeBytes;
    if (this.usedBytes > this.peakBytes) this.peakBytes = this.usedBytes;
    return block.address;
  }

  /** @throws Error if `address` is not one that `allocate` gave and nobody freed since. */
  free(address: number): void {
    let block = this.used.get(address);
    if (!block) throw new Error(`memory pool: ${address} is not allocated`);
    this.used.delete(address);
    this.usedBytes -= block.sizeBytes;
    block.isFree = true;
    if (block.after?.isFree) {
      this.unlink(block.after);
      this.absorbNext(block);
    }
    if (block.before?.isFree) {
      block = block.before;
      this.unlink(block);
      this.absorbNext(block);
    }
    this.link(block);
  }

  private find(sizeBytes: number): Block | null {
    // In the bin of that size blocks may be too small; every block of a higher bin is large enough.
    const firstBin = binOf(sizeBytes);
    let block = this.bins[firstBin] ?? null;
    while (block && block.sizeBytes < sizeBytes) block = block.nextFree;
    for (let bin = firstBin + 1; !block && bin < this.bins.length; bin++) block = this.bins[bin] ?? null;
    return block;
  }

  private grow(sizeBytes: number): Block {
    const free = this.last.isFree ? this.last.sizeBytes : 0;
    const needed = Math.ceil((sizeBytes - free) / pageBytes);
    // By an eighth at least, so that a growing network doesn't grow the memory tensor by tensor.
    const wanted = Math.min(Math.max(needed, this.nPages >> 3), this.maximumPages - this.nPages);
    if (wanted < needed) {
      throw new OutOfMemoryError(
        `${sizeBytes} bytes more than the ${this.usedBytes} in use exceed the ${this.maximumPages * pageBytes} that WebAssembly can address; use a smaller batch`,
      );
    }
    try {
      this.memory.grow(wanted);
    } catch (error) {
      throw new OutOfMemoryError(
        `the machine refused ${wanted * pageBytes} more bytes of memory; use a smaller batch`,
        {
          cause: error,
        },
      );
    }
    this.nPages += wanted;
    this.currentBuffer = this.memory.buffer;
    if (this.last.isFree) {
      this.unlink(this.last);
      this.last.sizeBytes += wanted * pageBytes;
    } else {
      const block = newBlock(this.last.address + this.last.sizeBytes, wanted * pageBytes);
      block.before = this.last;
      this.last.after = block;
      this.last = block;
    }
    this.link(this.last);
    return this.last;
  }

  private split(block: Block, sizeBytes: number): void {
    const rest = newBlock(block.address + sizeBytes, block.sizeBytes - sizeBytes);
    block.sizeBytes = sizeBytes;
    rest.before = block;
    rest.after = block.after;
    if (rest.after) rest.after.before = rest;
    else this.last = rest;
    block.after = rest;
    this.link(rest);
  }

  private absorbNext(block: Block): void {
    const next = block.after!;
    block.sizeBytes += next.sizeBytes;
    block.after = next.after;
    if (block.after) block.after.before = block;
    else this.last = block;
  }

  private link(block: Block): void {
    const bin = binOf(block.sizeBytes);
    const head = this.bins[bin] ?? null;
    block.previousFree = null;
    block.nextFree = head;
    if (head) head.previousFree = block;
    this.bins[bin] = block;
  }

  private unlink(block: Block): void {
    if (block.nextFree) block.nextFree.previousFree = block.previousFree;
    if (block.previousFree) block.previousFree.nextFree = block.nextFree;
    else this.bins[binOf(block.sizeBytes)] = block.nextFree;
    block.previousFree = null;
    block.nextFree = null;
  }
}

function newBlock(address: number, sizeBytes: number): Block {
  return { address, sizeBytes, isFree: true, before: null, after: null, previousFree: null, nextFree: null };
}

/** Bins by power of two of granules, each cut into eight. */
function binOf(sizeBytes: number): number {
  const granules = Math.floor(sizeBytes / granuleBytes);
  const exponent = 31 - Math.clz32(granules);
  const fraction = Math.floor((granules / 2 ** exponent - 1) * subdivisions);
  return exponent * subdivisions + fraction;
}
