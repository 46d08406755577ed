// An experiment's file as text: what is no plain file, too long, or not UTF-8 is refused with its place.
import fs from 'node:fs';
import { UsageError } from './terminal.ts';

const maxBytes = 1_000_000;

/** @throws UsageError which names the file as it was given, and where in it the text isn't UTF-8 */
export function readTextFile(given: string): string {
  return decodeText(readBytes(given), given);
}

function readBytes(given: string): Buffer {
  let descriptor: number;
  try {
    // A FIFO would make the call wait for a writer.
    descriptor = fs.openSync(given, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    throw new UsageError(`${given} can't be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    if (!fs.fstatSync(descriptor).isFile()) {
      throw new UsageError(`${given} is no plain file. Name an experiment file (*.kaf.yaml).`);
    }
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read) {
      read = fs.readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    if (length > maxBytes) {
      throw new UsageError(`${given} has more than ${String(maxBytes)} bytes: that is no experiment file.`);
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${given} can't be read: ${(error as Error).message}`, { cause: error });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A mark of UTF-8 at the beginning is left out. @throws UsageError */
export function decodeText(bytes: Uint8Array, given: string): string {
  const utf16 = utf16Kind(bytes);
  if (utf16) throw new UsageError(`${given}:1:1: the text is UTF-16 (${utf16}-endian), not UTF-8. Save it as UTF-8.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const at = firstNotUtf8(bytes);
    const before = new TextDecoder().decode(bytes.subarray(0, at)).split('\n');
    const place = `${String(before.length)}:${String(before.at(-1)!.length + 1)}`;
    const byte = `0x${bytes[at]!.toString(16).padStart(2, '0')}`;
    throw new UsageError(
      `${given}:${place}: byte ${String(at + 1)} of the file (${byte}) is not UTF-8; the text may be Latin-1. Save it as UTF-8.`,
      { cause: error },
    );
  }
}

/** By its mark or, without one, by the zero byte beside its first letter. */
function utf16Kind([first, second]: Uint8Array): 'little' | 'big' | null {
  if ((first === 0xff && second === 0xfe) || (first !== undefined && first !== 0 && second === 0)) return 'little';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== undefined && second !== 0)) return 'big';
  return null;
}

/** The position of the first byte that begins no character; the text before it is whole. */
function firstNotUtf8(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  const isGood = (end: number) => {
    try {
      // A character that is cut off at the end may still be good.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isGood(middle)) low = middle;
    else high = middle - 1;
  }
  // Back to where the character that can't be completed begins.
  let at = low;
  while (at > 0 && at > low - 4 && (bytes[at - 1]! & 0xc0) === 0x80) at--;
  const lead = at > 0 ? bytes[at - 1]! : 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return at > 0 && length > 1 && low - (at - 1) < length ? at - 1 : low;
}
