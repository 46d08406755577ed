// The bytes of a log's frames, by hand: their form, what is none, and where one may begin.
import { describe, expect, it } from 'vitest';
import { maskedCrc32c } from '../../server/run/crc32c.ts';
import { encodeFrame, frameAt, frameBytesAt, lastMark, nextMark } from '../../server/run/logFrames.ts';

/** Little-endian. */
function uint32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

function frameOf(kind: number, payload: number[], length = payload.length): Buffer {
  const crc = uint32(maskedCrc32c(Uint8Array.from(payload)));
  return Buffer.from([0x4b, 0x46, 0x53, kind, ...uint32(length), ...crc, ...payload]);
}

describe('a frame', () => {
  it('is "KFS", its kind, its length, its sum, and its payload', () => {
    expect(encodeFrame('head', 1)).toEqual(frameOf(0xa0, [1]));
    expect(encodeFrame('rows', 'ab')).toEqual(frameOf(0xa1, [0xa2, 0x61, 0x62]));
    expect(encodeFrame('state', null)).toEqual(frameOf(0xa2, [0xc0]));
    expect(frameAt(frameOf(0xa2, [1]), 0)).toEqual({ kind: 'state', payload: 1, end: 13 });
    expect(frameAt(Buffer.concat([Buffer.alloc(5), frameOf(0xa0, [1])]), 5)).toEqual({
      kind: 'head',
      payload: 1,
      end: 18,
    });
  });

  it('is damaged where its payload has another sum, or is no value of ours', () => {
    const frame = frameOf(0xa1, [1]);
    for (const at of [8, 9, 10, 11, 12]) {
      const changed = Buffer.from(frame);
      changed[at]! ^= 4;
      expect(frameAt(changed, 0)).toBe('damaged');
    }
    expect(frameAt(frameOf(0xa1, [0xc1]), 0)).toBe('damaged');
    expect(frameAt(frameOf(0xa3, [1]), 0)).toBe('damaged');
  });

  it('that is damaged costs patience by its payload, also where its sum is right; others cost none', () => {
    const patience = { bytes: 10 };
    const ours = frameOf(0xa1, [1]);
    frameAt(ours, 0, patience);
    frameAt(ours.subarray(0, 12), 0, patience);
    expect(patience.bytes).toBe(10);
    const changed = frameOf(0xa1, [0xa2, 0x61, 0x62]);
    changed[8]! ^= 1;
    expect([frameAt(changed, 0, patience), patience.bytes]).toEqual(['damaged', 7]);
    expect([frameAt(frameOf(0xa1, [0xc1, 1]), 0, patience), patience.bytes]).toEqual(['damaged', 5]);
  });

  it('holds values thirty-two deep', () => {
    const deep = (depth: number) => frameOf(0xa1, [...new Array<number>(depth).fill(0x91), 1]);
    expect(frameAt(deep(32), 0)).toMatchObject({ kind: 'rows' });
    expect(frameAt(deep(33), 0)).toBe('damaged');
  });

  it('has a payload, of 256 MiB at most', () => {
    expect(frameAt(frameOf(0xa1, [], 0), 0)).toBe('damaged');
    expect(frameAt(frameOf(0xa1, [1], 268_435_456), 0)).toBe('cut');
    expect(frameBytesAt(frameOf(0xa1, [1], 268_435_456), 0)).toBe(268_435_468);
    expect(frameAt(frameOf(0xa1, [1], 268_435_457), 0)).toBe('damaged');
    expect(frameBytesAt(frameOf(0xa1, [1], 268_435_457), 0)).toBeNull();
  });

  it('has a size once its head is there', () => {
    const frame = frameOf(0xa1, [1, 2, 3]);
    expect(frameBytesAt(frame.subarray(0, 11), 0)).toBeNull();
    expect(frameBytesAt(frame.subarray(0, 12), 0)).toBe(15);
    expect(frameBytesAt(frame, 1)).toBeNull();
  });
});

describe('where a frame may begin', () => {
  const bytes = Buffer.concat([frameOf(0xa2, [1]), frameOf(0xa1, [1]), frameOf(0xa0, [1]), frameOf(0xa1, [1])]);

  it('is looked for onwards, the next of any kind', () => {
    expect([0, 1, 13, 14, 39, 40].map((from) => nextMark(bytes, from))).toEqual([0, 13, 13, 26, 39, -1]);
    expect([nextMark(Buffer.from('KFSKFS\xa3KFS\xa2', 'latin1'), 0), nextMark(Buffer.from('KFS'), 0)]).toEqual([7, -1]);
  });

  it('is looked for backwards, before a place', () => {
    expect([52, 40, 39, 14, 13, 0].map((before) => lastMark(bytes, before, 'rows'))).toEqual([39, 39, 13, 13, -1, -1]);
    expect([2, 1, 0].map((before) => lastMark(bytes, before, 'state'))).toEqual([0, 0, -1]);
  });
});
