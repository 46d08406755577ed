// A look at a JPEG's compressed data, bit by bit, without making pixels of it: most damage in the middle of a picture can be decoded
// all the same, and libjpeg says nothing of it. Here every code must be one of the table, every coefficient one that pixels can
// have, and every stretch of data must end where its last block does (ITU-T T.81, annexes B, C and F.2).
// Damage that changes a coefficient for another which may stand there can't be seen, by nobody. Progressive and arithmetic-coded
// pictures are left to libjpeg, which reads them whole before it begins, and tells.

interface Component {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantization: number;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
}

/** What is wrong with a sequential JPEG's data, or null where nothing is, or it is of another kind. */
export function findJpegDamage(bytes: Uint8Array): string | null {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  try {
    return new Walk(bytes).run();
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
}

class Damage extends Error {}

class Walk {
  readonly #bytes: Uint8Array;
  #at = 2;
  #frame: Frame | null = null;
  #restartInterval = 0;
  readonly #dcSteps = new Map<number, number>();
  readonly #codes = new Map<number, PrefixCode>();
  readonly #seen = new Set<number>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  run(): string | null {
    for (;;) {
      const marker = this.#nextMarker();
      if (marker === 0xd9) {
        const missing = this.#frame?.components.some(({ id }) => !this.#seen.has(id)) ?? true;
        return missing ? 'it ends before its last colour' : null;
      }
      const segment = this.#segment();
      if (marker === 0xc4) this.#readCodes(segment);
      else if (marker === 0xdb) this.#readSteps(segment);
      else if (marker === 0xdd) this.#restartInterval = word(segment, 0);
      else if (marker === 0xc0 || marker === 0xc1) {
        this.#frame = readFrame(segment);
        // Of 12 bits, or with a height that comes behind the picture: rare, and left to libjpeg.
        if (segment[0] !== 8 || this.#frame.height === 0) return null;
      } else if (marker >= 0xc2 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) return null;
      else if (marker === 0xda) this.#readScan(segment);
    }
  }

  #nextMarker(): number {
    if (this.#bytes[this.#at] !== 0xff) throw new Damage(`no marker at byte ${this.#at}`);
    while (this.#bytes[this.#at] === 0xff) this.#at++;
    const marker = this.#bytes[this.#at++];
    if (marker === undefined) throw new Damage('it ends early');
    return marker;
  }

  #segment(): Uint8Array {
    const length = word(this.#bytes, this.#at);
    const segment = this.#bytes.subarray(this.#at + 2, this.#at + length);
    if (length < 2 || segment.length !== length - 2) throw new Damage('it ends early');
    this.#at += length;
    return segment;
  }

  #readCodes(segment: Uint8Array): void {
    for (let at = 0; at < segment.length;) {
      const counts = segment.subarray(at + 1, at + 17);
      const nSymbols = counts.reduce((sum, count) => sum + count, 0);
      this.#codes.set(segment[at]!, new PrefixCode(counts, segment.subarray(at + 17, at + 17 + nSymbols)));
      at += 17 + nSymbols;
    }
  }

  #readSteps(segment: Uint8Array): void {
    for (let at = 0; at < segment.length;) {
      const isWide = segment[at]! >> 4 === 1;
      this.#dcSteps.set(segment[at]! & 15, isWide ? word(segment, at + 1) : segment[at + 1]!);
      at += isWide ? 129 : 65;
    }
  }

  #readScan(segment: Uint8Array): void {
    const frame = this.#frame;
    if (!frame) throw new Damage('its size is missing');
    const nComponents = segment[0]!;
    const chosen = Array.from({ length: nComponents }, (_, index) => {
      const [id = -1, tables = 0] = segment.subarray(1 + 2 * index);
      const component = frame.components.find((one) => one.id === id);
      const [dc, ac] = [this.#codes.get(tables >> 4), this.#codes.get(0x10 | (tables & 15))];
      if (!component || !dc || !ac) throw new Damage('a table is missing');
      this.#seen.add(id);
      return { component, dc, ac, dcStep: this.#dcSteps.get(component.quantization) ?? 1 };
    });
    const blocks = chosen.flatMap((one, index) => {
      const { horizontal, vertical } = one.component;
      const nBlocks = nComponents === 1 ? 1 : horizontal * vertical;
      return Array.from({ length: nBlocks }, () => ({ ...one, index }));
    });
    const nUnits = countUnits(
      frame,
      chosen.map(({ component }) => component),
    );
    const bits = new Bits(this.#bytes, this.#at);
    let level = chosen.map(() => 0);
    let nRestarts = 0;
    for (let unit = 0; unit < nUnits; unit++) {
      if (this.#restartInterval > 0 && unit > 0 && unit % this.#restartInterval === 0) {
        bits.endAt(0xd0 + (nRestarts++ % 8));
        level = chosen.map(() => 0);
      }
      for (const { dc, ac, dcStep, index } of blocks) {
        level[index]! += readDifference(bits, dc);
        // Pixels reach ±1024; encoders that round or overshoot stay well under the double of it.
        if (Math.abs(level[index]!) * dcStep > 2048 + dcStep) throw new Damage('a brightness that no pixel has');
        readCoefficients(bits, ac);
      }
    }
    this.#at = bits.end();
  }
}

function readFrame(segment: Uint8Array): Frame {
  const components = Array.from({ length: segment[5]! }, (_, index) => {
    const [id = 0, sampling = 0, quantization = 0] = segment.subarray(6 + 3 * index);
    return { id, horizontal: sampling >> 4, vertical: sampling & 15, quantization };
  });
  return { height: word(segment, 1), width: word(segment, 3), components };
}

/** How many groups of blocks a scan has: of one component its own blocks, of several those of the largest windows (A.2). */
function countUnits({ width, height, components }: Frame, chosen: readonly Component[]): number {
  const horizontal = Math.max(...components.map((one) => one.horizontal));
  const vertical = Math.max(...components.map((one) => one.vertical));
  const [only] = chosen;
  if (chosen.length === 1 && only) {
    const columns = Math.ceil(Math.ceil((width * only.horizontal) / horizontal) / 8);
    return columns * Math.ceil(Math.ceil((height * only.vertical) / vertical) / 8);
  }
  return Math.ceil(width / (8 * horizontal)) * Math.ceil(height / (8 * vertical));
}

function readDifference(bits: Bits, code: PrefixCode): number {
  const size = code.read(bits);
  if (size > 11) throw new Damage('a brightness that no pixel has');
  const value = bits.take(size);
  return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

function readCoefficients(bits: Bits, code: PrefixCode): void {
  for (let at = 1; at < 64; at++) {
    const symbol = code.read(bits);
    const size = symbol & 15;
    if (symbol === 0) return;
    at += symbol >> 4;
    if (size > 10 || at > 63 || (size === 0 && symbol !== 0xf0)) throw new Damage('a coefficient that no block has');
    bits.take(size);
  }
}

/** The bits of one stretch of compressed data, which a marker ends. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;
  #held = 0;
  #nHeld = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** At most 16 bits, which stay; ones behind the end. */
  peek(count: number): number {
    while (this.#nHeld < count) {
      const byte = this.#nextByte();
      if (byte === null)
        return ((this.#held << (count - this.#nHeld)) | (0xffff >> (16 - count + this.#nHeld))) & mask(count);
      this.#held = ((this.#held << 8) | byte) & 0xffffff;
      this.#nHeld += 8;
    }
    return (this.#held >> (this.#nHeld - count)) & mask(count);
  }

  take(count: number): number {
    const value = this.peek(count);
    if (this.#nHeld < count) throw new Damage('its data end early');
    this.#nHeld -= count;
    return value;
  }

  /** Goes on behind a marker that must be next. */
  endAt(marker: number): void {
    const at = this.end();
    if (this.#bytes[at + 1] !== marker) throw new Damage('a part of its data is missing');
    this.#at = at + 2;
  }

  /** @returns where the next marker is, before which no data may be left but what fills the last byte */
  end(): number {
    let at = this.#at;
    // What was looked at ahead is given back, FF with the zero behind it.
    for (; this.#nHeld > 7; this.#nHeld -= 8) at -= this.#bytes[at - 1] === 0 && this.#bytes[at - 2] === 0xff ? 2 : 1;
    this.#nHeld = 0;
    // Some cameras fill up with zeros.
    while (this.#bytes[at] === 0) at++;
    while (this.#bytes[at] === 0xff && this.#bytes[at + 1] === 0xff) at++;
    if (this.#bytes[at] !== 0xff || this.#bytes[at + 1] === 0) {
      throw new Damage(at < this.#bytes.length ? 'data are left over behind its last block' : 'it ends early');
    }
    return at;
  }

  #nextByte(): number | null {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) return null;
    if (byte !== 0xff) this.#at++;
    else if (this.#bytes[this.#at + 1] === 0) this.#at += 2;
    else return null;
    return byte;
  }
}

const lookedUp = 8;

/** A table of prefix codes (C.2): codes of up to eight bits are looked up, longer ones compared length by length. */
class PrefixCode {
  /** 256 · length + symbol; 0 for the beginning of a longer code. */
  readonly #short = new Uint16Array(1 << lookedUp);
  /** Of each length from 1: the first code that is too large, and what to add to a code for its symbol's place. */
  readonly #limits = new Int32Array(17);
  readonly #offsets = new Int32Array(17);
  readonly #symbols: Uint8Array;

  constructor(counts: Uint8Array, symbols: Uint8Array) {
    this.#symbols = symbols;
    let code = 0;
    let place = 0;
    for (let length = 1; length <= 16; length++, code <<= 1) {
      const count = counts[length - 1] ?? 0;
      this.#offsets[length] = place - code;
      for (let n = 0; n < count; n++, code++, place++) {
        if (length > lookedUp) continue;
        const first = code << (lookedUp - length);
        this.#short.fill(256 * length + (symbols[place] ?? 0), first, first + (1 << (lookedUp - length)));
      }
      this.#limits[length] = code;
    }
  }

  read(bits: Bits): number {
    const short = this.#short[bits.peek(lookedUp)]!;
    if (short > 0) {
      bits.take(short >> 8);
      return short & 255;
    }
    for (let length = lookedUp + 1; length <= 16; length++) {
      const code = bits.peek(length);
      if (code >= this.#limits[length]!) continue;
      bits.take(length);
      return this.#symbols[code + this.#offsets[length]!] ?? 0;
    }
    throw new Damage('a code that its table does not have');
  }
}

function mask(count: number): number {
  return (1 << count) - 1;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
