// A log: what is in it after its writer was cut off anywhere, who may begin one, and how it is read from either end.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  beatFile,
  fileSize,
  logFile,
  LogWriter,
  newestLog,
  readBytes,
  readHead,
  readPassage,
  readTail,
  syncFolder,
} from '../../server/run/logFile.ts';
import { encodeFrame, frameAt } from '../../server/run/logFrames.ts';
import type { Frame } from '../../server/run/logFrames.ts';
import { thisProcess } from '../../server/run/owner.ts';
import type { LogHead } from '../../server/run/stored.ts';
import { temporaryFolder } from './scriptedRun.ts';

function headOf(number: number, change: Partial<LogHead> = {}): LogHead {
  return {
    ...{ format: 'kafscope log', version: 1, number, owner: thisProcess(), work: 'train', startedMs: 1, firstSeq: 1 },
    ...{ voids: null, restStatus: null },
    ...change,
  };
}

function contentsOf(file: string): { payloads: unknown[]; damagedBytes: number } {
  const payloads: unknown[] = [];
  let damagedBytes = 0;
  for (let position = 0; ;) {
    const passage = readPassage(file, position);
    payloads.push(...passage.frames.map(({ payload }) => payload));
    damagedBytes += passage.damagedBytes;
    position = passage.end;
    if (passage.isAtEnd) return { payloads, damagedBytes };
  }
}

describe('a frame', () => {
  it('is whole or does not count, wherever its writer was cut off', () => {
    const frame = encodeFrame('rows', { loss: Number.NaN, values: Float32Array.of(1, Infinity) });
    for (let length = 0; length < frame.length; length++) {
      expect(frameAt(frame.subarray(0, length), 0), String(length)).toBe('cut');
    }
    expect(frameAt(frame, 0)).toMatchObject({ kind: 'rows', end: frame.length });
    expect((frameAt(frame, 0) as Frame).payload).toEqual({ loss: Number.NaN, values: Float32Array.of(1, Infinity) });
  });

  it('with any bit flipped is damaged or seems cut, never another frame', () => {
    const frame = encodeFrame('rows', [{ seq: 1, step: 2, text: 'three' }]);
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = Buffer.from(frame);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const found = frameAt(flipped, 0);
      // The mark's last byte tells the kind, which the reader of the payload checks.
      if (typeof found === 'object') expect(bit >> 3).toBe(3);
    }
  });

  it('is not seen in zeros, which a power cut may leave', () => {
    expect(frameAt(Buffer.alloc(100), 0)).toBe('damaged');
    expect(frameAt(Buffer.alloc(3), 0)).toBe('damaged');
  });
});

describe('a log', () => {
  it('gives what was appended, from its beginning and from its end', () => {
    const folder = temporaryFolder();
    const writer = new LogWriter(folder, headOf(0), [encodeFrame('state', { state: 0 })]);
    for (let index = 0; index < 50; index++) writer.append(encodeFrame('rows', { index, fill: 'x'.repeat(20_000) }));
    writer.append(encodeFrame('rows', { index: 50 }), encodeFrame('state', { state: 1 }));
    writer.append(encodeFrame('rows', { index: 51 }));
    writer.close();
    const file = logFile(folder, 0);
    const { payloads, damagedBytes } = contentsOf(file);
    expect(damagedBytes).toBe(0);
    expect(payloads).toHaveLength(1 + 1 + 51 + 1 + 1);
    const { found, after, rest } = readTail(file, 'state');
    expect(found?.payload).toEqual({ state: 1 });
    expect([after.map(({ payload }) => payload), rest]).toEqual([[{ index: 51 }], 'none']);
    expect(readHead(folder, 0)?.owner.pid).toBe(process.pid);
    expect(fs.statSync(beatFile(folder, 0)).size).toBe(0);
  });

  it('of frames larger than what is read at a time gives every one', () => {
    const folder = temporaryFolder();
    const writer = new LogWriter(folder, headOf(0));
    const sizes = [10, 1_048_576, 3_000_000, 5, 1_048_500, 2_000_000];
    for (const size of sizes) writer.append(encodeFrame('rows', 'x'.repeat(size)));
    writer.close();
    const { payloads } = contentsOf(logFile(folder, 0));
    expect(payloads.slice(1).map((payload) => (payload as string).length)).toEqual(sizes);
    expect((readTail(logFile(folder, 0), 'rows').found?.payload as string).length).toBe(2_000_000);
  });

  it('cut off or damaged anywhere gives every frame before the place, and whole ones after it', () => {
    const folder = temporaryFolder();
    const writer = new LogWriter(folder, headOf(0));
    const ends = [writer.sizeBytes];
    for (let index = 0; index < 20; index++) {
      writer.append(encodeFrame('rows', index));
      ends.push(writer.sizeBytes);
    }
    writer.close();
    const file = logFile(folder, 0);
    const whole = fs.readFileSync(file);
    const all = contentsOf(file).payloads;
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const nWhole = ends.filter((end) => end <= at).length;
        fs.writeFileSync(file, whole.subarray(0, at));
        expect(contentsOf(file).payloads).toEqual(all.slice(0, nWhole));
        const damaged = Buffer.from(whole);
        damaged[at]! ^= change;
        fs.writeFileSync(file, damaged);
        const { payloads, damagedBytes } = contentsOf(file);
        const isLast = nWhole === all.length - 1;
        // A flipped kind leaves the frame whole; its payload then makes no sense to who reads it.
        if (payloads.length !== all.length) {
          expect(payloads).toEqual(all.filter((_, index) => index !== nWhole));
          if (!isLast) expect(damagedBytes).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is begun by one process only, and never behind a newer one', () => {
    const folder = temporaryFolder();
    const first = new LogWriter(folder, headOf(0));
    expect(() => new LogWriter(folder, headOf(0))).toThrow(/Another process has begun work/);
    expect(() => new LogWriter(folder, headOf(2))).toThrow(/Another process has begun work/);
    first.checkOwnership();
    const second = new LogWriter(folder, headOf(1));
    expect(newestLog(folder)).toBe(1);
    second.checkOwnership();
    expect(() => {
      first.checkOwnership();
    }).toThrow(/Another process has begun work/);
    first.close();
    second.close();
  });

  it('that has begun is on the disk, with its name, and everybody may read it', () => {
    const umask = process.umask(0);
    const synced: number[] = [];
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => synced.push(fs.fstatSync(descriptor).ino));
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    onTestFinished(() => {
      process.umask(umask);
      vi.restoreAllMocks();
    });
    const folder = temporaryFolder();
    const writer = new LogWriter(folder, headOf(0));
    expect(synced).toEqual([fs.statSync(logFile(folder, 0)).ino, fs.statSync(folder).ino]);
    for (const file of [logFile(folder, 0), beatFile(folder, 0)]) expect(fs.statSync(file).mode & 0o777).toBe(0o644);
    writer.sync();
    expect(synced[2]).toBe(synced[0]);
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length - 1);
    writer.close();
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length);
  });

  it('behind which another began at the same moment ends at once, and leaves nothing open', () => {
    const folder = temporaryFolder();
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      fs.writeFileSync(logFile(folder, 1), '');
    });
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    expect(() => new LogWriter(folder, headOf(0))).toThrow(/Another process has begun work/);
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length);
  });

  it('whose name two hosts were given is that of whose head lies there', () => {
    const folder = temporaryFolder();
    vi.spyOn(fs, 'fsyncSync').mockImplementationOnce(() => {
      fs.writeFileSync(logFile(folder, 0), encodeFrame('head', headOf(0)));
    });
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    expect(() => new LogWriter(folder, headOf(0))).toThrow(/Another process has begun work/);
  });

  it('that is not there has no size, and no number', () => {
    const folder = temporaryFolder();
    expect(fileSize(logFile(folder, 0))).toBe(0);
    for (const name of ['log', 'log-', 'log-01', 'log--1', 'log-0.tmp', 'log-1234567890', 'origin.json'])
      fs.writeFileSync(path.join(folder, name), '');
    expect(newestLog(folder)).toBe(-1);
  });

  it('that was replaced under its writer is noticed', () => {
    const folder = temporaryFolder();
    const writer = new LogWriter(folder, headOf(0));
    fs.copyFileSync(logFile(folder, 0), path.join(folder, 'copy'));
    fs.renameSync(path.join(folder, 'copy'), logFile(folder, 0));
    expect(() => {
      writer.checkOwnership();
    }).toThrow(/was replaced while this process wrote it/);
    writer.close();
  });

  it('is never begun through a link', () => {
    const folder = temporaryFolder();
    const target = path.join(temporaryFolder(), 'target');
    fs.symlinkSync(target, logFile(folder, 0));
    expect(() => new LogWriter(folder, headOf(0))).toThrow();
    expect(fs.existsSync(target)).toBe(false);
  });

  it.skipIf(process.platform === 'win32')('that is a pipe is refused, and holds nobody up', () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [logFile(folder, 0)]);
    expect(() => readHead(folder, 0)).toThrow(/is no regular file/);
  });
});

const megabyte = 1024 * 1024;

/** Frames and what is between them, in one file. */
function fileOf(...parts: Buffer[]): string {
  const file = path.join(temporaryFolder(), 'log-0');
  fs.writeFileSync(file, Buffer.concat(parts));
  return file;
}

function rowsOf(sizeBytes: number, fill = 'x'): Buffer {
  return encodeFrame('rows', fill.repeat(sizeBytes));
}

/** The mark of a frame, its length, and a sum that is none. */
function falseHead(length: number): Buffer {
  const head = Buffer.from(rowsOf(1).subarray(0, 12));
  head.writeUInt32LE(length, 4);
  return head;
}

describe('what is read of a log', () => {
  it('is what there is of the bytes that were asked for, however few the system gives at a time', () => {
    const file = fileOf(Buffer.from('0123456789'));
    const { readSync } = fs;
    vi.spyOn(fs, 'readSync').mockImplementation(((
      descriptor: number,
      bytes: Buffer,
      at: number,
      size: number,
      from: number,
    ) => {
      expect(at + size).toBeLessThanOrEqual(bytes.length);
      return readSync(descriptor, bytes, at, Math.min(1, size), from);
    }) as typeof fs.readSync);
    const closed = vi.spyOn(fs, 'closeSync');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    expect(readBytes(file, 2, 3).toString()).toBe('234');
    expect(readBytes(file, 8, 100).toString()).toBe('89');
    expect(readBytes(file, 20, 100).toString()).toBe('');
    expect(closed).toHaveBeenCalledTimes(3);
  });

  it('ends where the file does by now', () => {
    const file = fileOf(Buffer.from('0123456789'));
    const { readSync } = fs;
    vi.spyOn(fs, 'readSync').mockImplementation(((...args: Parameters<typeof fs.readSync>) => {
      fs.truncateSync(file, 4);
      return readSync(...args);
    }) as typeof fs.readSync);
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    expect(readBytes(file, 1, 8).toString()).toBe('123');
  });

  it('has the place behind each frame', () => {
    const frames = Array.from({ length: 30 }, (_, index) => rowsOf(90_000 + index));
    const file = fileOf(...frames);
    const ends: number[] = [];
    for (let position = 0; ;) {
      const passage = readPassage(file, position);
      ends.push(...passage.frames.map(({ end }) => end));
      if (passage.isAtEnd) break;
      expect(passage.end).toBe(ends.at(-1));
      position = passage.end;
    }
    let end = 0;
    expect(ends).toEqual(frames.map(({ length }) => (end += length)));
  });

  it('passes over a frame whose length is damaged, in one passage', () => {
    const first = rowsOf(100);
    const damaged = rowsOf(200);
    damaged.writeUInt32LE(600, 4); // a little more than what follows
    const last = rowsOf(300);
    const passage = readPassage(fileOf(first, damaged, last), 0);
    expect(passage.frames.map(({ end }) => end)).toEqual([first.length, first.length + 212 + 2 + last.length]);
    expect(passage.damagedBytes).toBe(damaged.length);
  });

  it('has no frame that lies within another', () => {
    const inner = encodeFrame('rows', 'of somebody').toString('latin1');
    const first = rowsOf(megabyte - 5000);
    const outer = encodeFrame(
      'rows',
      Array.from({ length: 300 }, () => Buffer.from(inner, 'latin1')),
    );
    for (const behind of [Buffer.alloc(0), rowsOf(10)]) {
      const file = fileOf(first, outer, behind);
      const { payloads, damagedBytes } = contentsOf(file);
      expect(payloads).toHaveLength(behind.length > 0 ? 3 : 2);
      expect(damagedBytes).toBe(0);
    }
  });

  it('has every whole frame behind damage, wherever the damage and the frame begin and end', () => {
    const before = rowsOf(1000);
    const junks = (length: number) => [
      Buffer.alloc(length),
      ...(length < 12 ? [Buffer.from('KFS').subarray(0, length)] : []),
      ...(length >= 40
        ? [
            Buffer.concat([Buffer.alloc(length - 30), falseHead(0), Buffer.alloc(18)]),
            Buffer.concat([Buffer.alloc(length - 30), falseHead(4_000_000), Buffer.alloc(18)]),
            Buffer.concat([falseHead(7), Buffer.alloc(length - 24), falseHead(9)]),
          ]
        : []),
    ];
    const check = (prefix: readonly Buffer[], junk: Buffer, after: Buffer) => {
      const sizes = [...prefix, after].map((frame) => ((frameAt(frame, 0) as Frame).payload as string).length);
      const { payloads, damagedBytes } = contentsOf(fileOf(...prefix, junk, after));
      expect([junk.length, payloads.map((each) => (each as string).length)]).toEqual([junk.length, sizes]);
      expect(damagedBytes).toBe(junk.length);
    };
    for (const length of [1, 2, 3, 20, 40, 5000])
      for (const junk of junks(length))
        for (const after of [rowsOf(1), rowsOf(megabyte + 500)]) check([before, before], junk, after);
    // Near where the first and the second look at the file end.
    for (const prefix of [[], [before, before]]) {
      const passed = Buffer.concat(prefix).length;
      for (const end of [-1500, -13, -12, -11, -4, 0, 50].map((more) => megabyte + more))
        for (const junk of junks(end - passed)) check(prefix, junk, rowsOf(3000));
      for (const end of [-24, -23, -22, -12, -11, -10].map((more) => 2 * megabyte + more))
        check(prefix, Buffer.alloc(end - passed), rowsOf(3000));
    }
  });

  it('from its end is the last of a kind, and what follows that', () => {
    const state = (index: number) => encodeFrame('state', { index });
    const indexOf = (found: Frame | null) => (found?.payload as { index: number } | undefined)?.index;
    for (const behind of [0, 1, 65_000, 65_536, 300_000, 3_000_000]) {
      const rows = behind > 0 ? [rowsOf(behind)] : [];
      const file = fileOf(state(1), rowsOf(10), state(2), ...rows);
      const { found, after, rest } = readTail(file, 'state');
      expect([indexOf(found), after.map(({ payload }) => (payload as string).length), rest]).toEqual([
        2,
        rows.map(() => behind),
        'none',
      ]);
    }
    const cut = readTail(fileOf(state(1), rowsOf(7), rowsOf(9).subarray(0, 15)), 'state');
    expect([indexOf(cut.found), cut.after.length, cut.rest]).toEqual([1, 1, 'cut']);
    const damaged = readTail(fileOf(state(1), rowsOf(7), Buffer.alloc(9)), 'state');
    expect([indexOf(damaged.found), damaged.after.length, damaged.rest]).toEqual([1, 1, 'damaged']);
    const none = readTail(fileOf(rowsOf(100_000), rowsOf(9), state(1).subarray(0, 15)), 'state');
    expect([none.found, none.after.length, none.rest]).toEqual([null, 2, 'cut']);
    // A mark that begins no frame is none.
    const within = readTail(fileOf(state(1), rowsOf(5), state(2).subarray(0, 6)), 'state');
    expect([indexOf(within.found), within.rest]).toEqual([1, 'cut']);
  });
});

describe('the name of a folder', () => {
  it('needs not be written where the disk has no such thing, and says what else is wrong', () => {
    const folder = temporaryFolder();
    const failing = (code: string) =>
      vi.spyOn(fs, 'fsyncSync').mockImplementationOnce(() => {
        throw Object.assign(new Error(code), { code });
      });
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const closed = vi.spyOn(fs, 'closeSync');
    for (const code of ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF']) {
      failing(code);
      syncFolder(folder);
    }
    failing('EIO');
    expect(() => {
      syncFolder(folder);
    }).toThrow(/hardware error/);
    expect(closed).toHaveBeenCalledTimes(5);
  });
});

describe('a log at the largest size that its process may write', () => {
  it.skipIf(process.platform === 'win32')('ends with its last whole frame, and says so', () => {
    const folder = temporaryFolder();
    const script = `
      const { LogWriter } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../server/run/logFile.ts'))});
      const { encodeFrame } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../server/run/logFrames.ts'))});
      const writer = new LogWriter(process.argv[1], JSON.parse(process.argv[2]));
      let count = 0;
      try { for (;;) { writer.append(encodeFrame('rows', 'x'.repeat(1000))); count++; } }
      catch (error) {
        writer.append(encodeFrame('rows', 'small'));
        console.log(JSON.stringify({ count, message: error.message }));
      }`;
    const args = ['--input-type=module', '-e', script, folder, JSON.stringify(headOf(0))];
    const command = `ulimit -f 40; exec "$0" "$@"`;
    const output = execFileSync('bash', ['-c', command, process.execPath, ...args], { encoding: 'utf8' });
    const { count, message } = JSON.parse(output) as { count: number; message: string };
    expect(message).toMatch(/log-0 has reached the largest size that this process may write \(ulimit -f\)/);
    const { payloads, damagedBytes } = contentsOf(logFile(folder, 0));
    // What did not fit left nothing behind: a smaller frame follows the last whole one.
    expect([payloads.length - 2, damagedBytes, payloads.at(-1)]).toEqual([count, 0, 'small']);
    expect(count).toBeGreaterThan(10);
  });
});
