// One log of a run's folder: written by one process and only appended to, read by anyone at any time. A log begins exclusively, on
// any disk; what its rows mean is not known here.
import fs from 'node:fs';
import path from 'node:path';
import { encodeFrame, frameAt, frameBytesAt, frameHeadBytes, lastMark, nextMark } from './logFrames.ts';
import type { Frame, FrameKind, Patience } from './logFrames.ts';
import { logHeadSchema, storedVersion } from './stored.ts';
import type { LogHead } from './stored.ts';
import { StorageError, storageError } from './storageError.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

/** Another process has begun work on this run: ours must not go on. */
export class SupersededError extends StorageError {
  override readonly name = 'SupersededError';
}

export function logFile(runFolder: string, number: number): string {
  return path.join(runFolder, `log-${String(number)}`);
}

/** Grows while the log's writer lives (heartbeat.ts). */
export function beatFile(runFolder: string, number: number): string {
  return path.join(runFolder, `beat-${String(number)}`);
}

/** Two thousand pieces of work on one run are more than anyone has done; what is looked at is bounded by it. */
export const logName = /^log-(0|[1-9]\d{0,2}|1\d{3})$/;
const maxLogNumber = 1999;

/** −1 where there is none. @throws StorageError */
export function newestLog(runFolder: string): number {
  let names;
  try {
    names = fs.readdirSync(runFolder);
  } catch (error) {
    throw storageError(runFolder, error);
  }
  return names.reduce((newest, name) => Math.max(newest, Number(logName.exec(name)?.[1] ?? -1)), -1);
}

export class LogWriter {
  readonly #runFolder: string;
  readonly #number: number;
  readonly #file: string;
  readonly #descriptor: number;
  #sizeBytes = 0;

  /**
   * Begins the log, with further frames behind its head if there are any, as one write.
   * @throws SupersededError where another process was faster; StorageError where it can't be written.
   */
  constructor(runFolder: string, head: LogHead, further: readonly Buffer[] = []) {
    this.#runFolder = runFolder;
    this.#number = head.number;
    this.#file = logFile(runFolder, head.number);
    if (newestLog(runFolder) !== head.number - 1) throw taken(runFolder);
    if (head.number > maxLogNumber) {
      const remedy = 'Train on from its last checkpoint as a new run.';
      throw new StorageError(`${runFolder} has ${String(head.number)} logs, as many as a run may have. ${remedy}`);
    }
    try {
      this.#descriptor = fs.openSync(this.#file, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o644);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? taken(runFolder) : storageError(this.#file, error);
    }
    try {
      fs.closeSync(fs.openSync(beatFile(runFolder, head.number), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644));
      this.append(encodeFrame('head', head), ...further);
      this.sync();
      syncFolder(runFolder);
      // Some network disks let two hosts create one name; what lies there afterwards says who has it.
      if (readHead(runFolder, head.number)?.owner.incarnation !== head.owner.incarnation) throw taken(runFolder);
      this.checkOwnership();
    } catch (error) {
      fs.closeSync(this.#descriptor);
      throw storageError(this.#file, error);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** All or nothing. @throws StorageError; then nothing of it counts. */
  append(...frames: readonly Buffer[]): void {
    const bytes = frames.length === 1 ? frames[0]! : Buffer.concat(frames);
    try {
      for (let written = 0; written < bytes.length;) written += fs.writeSync(this.#descriptor, bytes, written);
    } catch (error) {
      // What follows a part of a frame would be lost to readers. It is the end of our own log, and nobody has counted it.
      try {
        fs.ftruncateSync(this.#descriptor, this.#sizeBytes);
      } catch {
        // The disk is gone: the first error says so.
      }
      throw storageError(this.#file, error);
    }
    this.#sizeBytes += bytes.length;
  }

  /** Waits until all of it is on the disk. @throws StorageError */
  sync(): void {
    try {
      fs.fsyncSync(this.#descriptor);
    } catch (error) {
      throw storageError(this.#file, error);
    }
  }

  /**
   * Call before anything is written beside the log, and now and then.
   * @throws SupersededError where a newer log was begun; StorageError where the folder was moved or deleted.
   */
  checkOwnership(): void {
    if (newestLog(this.#runFolder) !== this.#number) throw taken(this.#runFolder);
    let isOurs;
    try {
      const there = fs.statSync(this.#file, { bigint: true });
      const ours = fs.fstatSync(this.#descriptor, { bigint: true });
      isOurs = there.ino === ours.ino && there.dev === ours.dev;
    } catch (error) {
      throw storageError(this.#file, error);
    }
    if (!isOurs) throw new StorageError(`${this.#file} was replaced while this process wrote it. The run ends here.`);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

function taken(runFolder: string): SupersededError {
  return new SupersededError(
    `Another process has begun work on ${path.basename(runFolder)}. Follow it there; this attempt ends and changes nothing.`,
  );
}

/** Null where the log has none yet, or none that can be understood. @throws StorageError where a newer Kafscope wrote it */
export function readHead(runFolder: string, number: number): LogHead | null {
  const file = logFile(runFolder, number);
  let bytes = readBytes(file, 0, headBytes);
  const needed = frameBytesAt(bytes, 0) ?? 0;
  if (needed > headBytes && needed <= maxHeadBytes) bytes = readBytes(file, 0, needed);
  const frame = frameAt(bytes, 0);
  if (typeof frame === 'string' || frame.kind !== 'head') return null;
  const head = logHeadSchema.safeParse(frame.payload).data;
  if (head && head.version > storedVersion) {
    throw new StorageError(
      `${file} was written by a newer Kafscope (version ${String(head.version)}). Update Kafscope.`,
    );
  }
  return head?.number === number ? head : null;
}

/** Most have less than a kilobyte; of a run with two thousand logs as many are read. */
const headBytes = 1024;
const maxHeadBytes = 16 * 1024;

export function fileSize(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** At most so many bytes from a position; opened anew each time, as network disks want it. @throws StorageError */
export function readBytes(file: string, position: number, maxBytes: number): Buffer {
  let descriptor;
  try {
    descriptor = fs.openSync(file, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    throw storageError(file, error);
  }
  try {
    const status = fs.fstatSync(descriptor);
    if (!status.isFile()) throw new StorageError(`${file} is no regular file, so it is not read.`);
    const bytes = Buffer.alloc(Math.max(0, Math.min(maxBytes, status.size - position)));
    let done = 0;
    while (done < bytes.length) {
      const read = fs.readSync(descriptor, bytes, done, bytes.length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } catch (error) {
    throw storageError(file, error);
  } finally {
    fs.closeSync(descriptor);
  }
}

export interface Passage {
  readonly frames: readonly Frame[];
  /** Where to read on. */
  readonly end: number;
  /** Bytes passed over because they are no frames, though frames follow them. */
  readonly damagedBytes: number;
  /** Nothing more can be read now. */
  readonly isAtEnd: boolean;
}

const passageBytes = 1024 * 1024;
/** Summed up in vain, in a passage or at a log's end: of what is damaged a few frames are, of what is hostile nearly all. */
const vainBytes = 16 * 1024 * 1024;
/** Bytes that are looked through for a mark in the time of one that is summed up. */
const lookedAtAByte = 2;

/** The next frames from a position: about a megabyte of them, one at least where one is whole. @throws StorageError */
export function readPassage(file: string, position: number): Passage {
  let bytes = readBytes(file, position, passageBytes);
  const needed = frameBytesAt(bytes, 0);
  if (needed !== null && needed > bytes.length) bytes = readBytes(file, position, needed);
  const frames: Frame[] = [];
  const patience = { bytes: vainBytes };
  let damagedBytes = 0;
  let at = 0;
  while (at < bytes.length) {
    const frame = frameAt(bytes, at, patience);
    if (typeof frame === 'object') {
      frames.push({ ...frame, end: position + frame.end });
      at = frame.end;
      continue;
    }
    if (frame === 'cut') {
      const length = frameBytesAt(bytes, at) ?? frameHeadBytes;
      if (position + at + length <= fileSize(file)) break; // the next passage begins with it
    }
    // What the file's end seems to cut is damaged where whole frames follow it.
    const next = nextFrame(file, bytes, position, at, patience);
    if (next === null) break;
    damagedBytes += next - at;
    at = next;
  }
  const isAtEnd = frames.length === 0 && damagedBytes === 0;
  return { frames, end: position + at, damagedBytes, isAtEnd };
}

/**
 * Where the next whole frame begins behind what is none, relative to the bytes; null where none follows in the file (yet), or the
 * patience is at its end.
 */
function nextFrame(file: string, bytes: Buffer, position: number, from: number, patience: Patience): number | null {
  for (let start = from + 1, view = bytes, offset = 0; ;) {
    if (patience.bytes < 0) return null;
    const mark = nextMark(view, start - offset);
    if (mark >= 0) {
      const found = frameAt(view, mark, patience);
      if (typeof found === 'object') return offset + mark;
      const length = frameBytesAt(view, mark);
      if (found === 'cut' && length !== null) {
        const whole = readBytes(file, position + offset + mark, length);
        if (typeof frameAt(whole, 0) === 'object') return offset + mark;
        patience.bytes -= whole.length;
      }
      start = offset + mark + 1;
      continue;
    }
    patience.bytes -= view.length / lookedAtAByte;
    // A head that this view cuts is whole in the next.
    offset += view.length - Math.min(view.length, frameHeadBytes - 1);
    start = offset;
    view = readBytes(file, position + offset, passageBytes);
    if (view.length < frameHeadBytes) return null;
  }
}

/**
 * The last frame of a kind, and the frames behind it, read from the end: a list of runs need not read their logs.
 * `rest` is what follows the last whole frame: nothing, the beginning of one, or damage.
 */
export function readTail(
  file: string,
  kind: FrameKind,
): { found: Frame | null; after: readonly Frame[]; rest: 'none' | 'cut' | 'damaged' } {
  const sizeBytes = fileSize(file);
  const patience = { bytes: vainBytes };
  for (let span = 64 * 1024; ; span *= 4) {
    const start = Math.max(0, sizeBytes - span);
    const bytes = readBytes(file, start, sizeBytes - start);
    for (let mark = lastMark(bytes, bytes.length, kind); mark >= 0; mark = lastMark(bytes, mark, kind)) {
      const found = frameAt(bytes, mark, patience);
      if (typeof found === 'object') return { found, ...framesFrom(bytes, found.end) };
      if (patience.bytes < 0) return { found: null, after: [], rest: 'damaged' };
    }
    if (start === 0) return { found: null, ...framesFrom(bytes, 0) };
    if (span >= tailBytes) return { found: null, after: [], rest: 'damaged' };
  }
}

/** A state comes with every 64 KiB of rows, of which one that is large has a few MB. */
const tailBytes = 16 * 1024 * 1024;

function framesFrom(bytes: Buffer, position: number) {
  const after: Frame[] = [];
  for (let at = position; at < bytes.length;) {
    const frame = frameAt(bytes, at);
    if (typeof frame === 'string') return { after, rest: frame };
    after.push(frame);
    at = frame.end;
  }
  return { after, rest: 'none' as const };
}

/** So that a new name survives a power cut. Windows can't open folders and doesn't need it. @throws StorageError */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  try {
    const descriptor = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    // Some network disks can't sync a folder; their names are on the server at once.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw storageError(folder, error);
  }
}
