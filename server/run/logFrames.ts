// The frames of a run's log: a mark, the payload's length, its CRC-32C, and the payload in MessagePack. What is in a frame is not
// known here. A frame is whole or it does not count, so a log may end anywhere.
import { decodeWithin, encode } from '../protocol/codec.ts';
import { maskedCrc32c } from './crc32c.ts';

/** `head` opens a log, `rows` carries records, `state` also the run's summary, so that a list need not read the log. */
export type FrameKind = 'head' | 'rows' | 'state';

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: unknown;
  /** Position behind it. */
  readonly end: number;
}

const kinds = ['head', 'rows', 'state'] as const satisfies FrameKind[];
const marks = kinds.map((_, index) => Buffer.from([0x4b, 0x46, 0x53, 0xa0 + index])); // "KFS" and a byte that no text has
const markStart = marks[0]!.subarray(0, 3);
const markBytes = 4;
export const frameHeadBytes = markBytes + 8;

/** A payload is what one commit writes; the largest, of the shapes of a wide network, has a few MB. */
export const maxPayloadBytes = 256 * 1024 * 1024;

/** Of one commit: its rows have some hundred values each, and those of an attack as many as there are images. */
const limits = { depth: 32, values: 1_000_000 };

/** How many bytes may still be summed up in vain: a log of nothing but beginnings of long frames would be summed up again at each. */
export interface Patience {
  bytes: number;
}

export function encodeFrame(kind: FrameKind, content: unknown): Buffer {
  const payload = encode(content);
  const frame = Buffer.allocUnsafe(frameHeadBytes + payload.byteLength);
  frame.set(marks[kinds.indexOf(kind)]!, 0);
  frame.writeUInt32LE(payload.byteLength, markBytes);
  frame.writeUInt32LE(maskedCrc32c(payload), markBytes + 4);
  frame.set(payload, frameHeadBytes);
  return frame;
}

/**
 * The frame at a position of the bytes. `cut` where the bytes end inside it, as they do while it is being written or where its
 * writer was ended; `damaged` where what is there is no frame.
 */
export function frameAt(bytes: Buffer, position: number, patience?: Patience): Frame | 'cut' | 'damaged' {
  const length = lengthAt(bytes, position);
  if (typeof length === 'string') return length;
  const start = position + frameHeadBytes;
  const end = start + length;
  if (end > bytes.length) return 'cut';
  const payload = bytes.subarray(start, end);
  if (bytes.readUInt32LE(position + markBytes + 4) !== maskedCrc32c(payload)) {
    if (patience) patience.bytes -= length;
    return 'damaged';
  }
  try {
    return { kind: kinds[bytes[position + 3]! - 0xa0]!, payload: decodeWithin(payload, limits), end };
  } catch {
    if (patience) patience.bytes -= length;
    return 'damaged'; // whole, but never written by us
  }
}

/** Bytes of the frame at a position, its head included; null where the head is not there yet or is none. */
export function frameBytesAt(bytes: Buffer, position: number): number | null {
  const length = lengthAt(bytes, position);
  return typeof length === 'number' ? frameHeadBytes + length : null;
}

/** The next place from `from` on where a frame may begin; −1 where there is none. */
export function nextMark(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(markStart, from); at >= 0; at = bytes.indexOf(markStart, at + 1)) {
    if (marks.some((mark) => mark[3] === bytes[at + 3])) return at;
  }
  return -1;
}

/** The last place before `before` where a frame of the kind may begin; −1 where there is none. */
export function lastMark(bytes: Buffer, before: number, kind: FrameKind): number {
  return before <= 0 ? -1 : bytes.lastIndexOf(marks[kinds.indexOf(kind)]!, before - 1);
}

function lengthAt(bytes: Buffer, position: number): number | 'cut' | 'damaged' {
  const head = bytes.subarray(position, position + frameHeadBytes);
  const mark = head.subarray(0, markBytes);
  // Even the part of a mark that is there must be one: what follows a crash may be zeros.
  if (!marks.some((known) => known.subarray(0, mark.length).equals(mark))) return 'damaged';
  if (head.length < frameHeadBytes) return 'cut';
  const length = head.readUInt32LE(markBytes);
  return length === 0 || length > maxPayloadBytes ? 'damaged' : length;
}
