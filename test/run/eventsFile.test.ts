// TensorBoard's event file, read back by a reader of the format's description.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Row } from '../../server/protocol/records.ts';
import { crc32c, maskedCrc32c } from '../../server/run/crc32c.ts';
import { EventsFile } from '../../server/run/eventsFile.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { temporaryFolder, trainScripted } from './scriptedRun.ts';

interface Event {
  wallTime: number;
  step: number;
  version?: string;
  scalars: Record<string, number>;
  sessionStatus?: number;
}

/** A protocol buffer's fields: numbers for varints, bytes for the rest. */
function* fields(bytes: Buffer): Generator<[field: number, value: number | Buffer]> {
  let position = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[position++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (position < bytes.length) {
    const key = varint();
    const size = { 0: 0, 1: 8, 5: 4 }[key & 7] ?? varint();
    if ((key & 7) === 0) yield [key >> 3, varint()];
    else yield [key >> 3, bytes.subarray(position, (position += size))];
  }
}

function readEvents(file: string): Event[] {
  const bytes = fs.readFileSync(file);
  const events: Event[] = [];
  for (let position = 0; position < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(position));
    expect(bytes.readUInt32LE(position + 8)).toBe(maskedCrc32c(bytes.subarray(position, position + 8)));
    const data = bytes.subarray(position + 12, position + 12 + length);
    expect(bytes.readUInt32LE(position + 12 + length)).toBe(maskedCrc32c(data));
    events.push(readEvent(data));
    position += length + 16;
  }
  return events;
}

function readEvent(data: Buffer): Event {
  const event: Event = { wallTime: 0, step: 0, scalars: {} };
  for (const [field, value] of fields(data)) {
    if (field === 1) event.wallTime = (value as Buffer).readDoubleLE();
    if (field === 2) event.step = value as number;
    if (field === 3) event.version = (value as Buffer).toString();
    if (field === 7)
      for (const [inner, status] of fields(value as Buffer)) if (inner === 1) event.sessionStatus = status as number;
    if (field !== 5) continue;
    for (const [, entry] of fields(value as Buffer)) {
      const parts = new Map(fields(entry as Buffer));
      event.scalars[(parts.get(1) as Buffer).toString()] = (parts.get(2) as Buffer).readFloatLE();
    }
  }
  return event;
}

describe('the event file', () => {
  it('sums data as CRC-32C does', () => {
    // RFC 3720, appendix B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('sums data of any length from anywhere in memory bit by bit', () => {
    const all = Uint8Array.from({ length: 90 }, (_, index) => (index * 167 + 13) & 255);
    for (let first = 0; first < 20; first++) {
      for (let end = first; end <= all.length; end++) {
        const bytes = all.subarray(first, end);
        let sum = 0xffffffff;
        for (const byte of bytes) {
          sum ^= byte;
          for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
        }
        if (crc32c(bytes) !== ~sum >>> 0) expect.fail(`bytes ${String(first)} to ${String(end)}`);
      }
    }
  });

  it('is named by the second in which it was made', () => {
    const nameAt = (timeMs: number) => {
      const events = new EventsFile(temporaryFolder(), { timeMs, startStep: 1, prepared: null });
      events.close();
      return path.basename(events.file);
    };
    expect(nameAt(0)).toMatch(/^events\.out\.tfevents\.0000000000\./);
    expect(nameAt(1999)).toMatch(/^events\.out\.tfevents\.0000000001\./);
  });

  it('has steps of any size', () => {
    const events = new EventsFile(temporaryFolder(), { timeMs: 0, startStep: 1, prepared: null });
    const steps = [1, 127, 128, 129, 255, 256, 16_383, 16_384, 2_097_152];
    events.add(
      steps.map((at) => ({
        ...{ seq: at, timeMs: 0 },
        record: { type: 'step', step: at, epoch: 1, loss: 1, accuracy: 1, learningRate: 1 },
      })),
    );
    events.close();
    expect(
      readEvents(events.file)
        .slice(2)
        .map(({ step }) => step),
    ).toEqual(steps);
  });

  it('is closed once, and needs no rows', () => {
    const folder = temporaryFolder();
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    try {
      const events = new EventsFile(folder, { timeMs: 0, startStep: 1, prepared: null });
      const { size } = fs.statSync(events.file);
      events.add([]);
      expect(fs.statSync(events.file).size).toBe(size);
      events.close();
      expect(closed.mock.calls).toEqual([[opened.mock.results[0]!.value]]);
    } finally {
      opened.mockRestore();
      closed.mockRestore();
    }
  });

  it('holds the scalars of a run by step, non-finite ones as they are', async () => {
    const run = await trainScripted(scriptedPlan('steps'));
    const names = fs.readdirSync(run.folder).filter((name) => name.startsWith('events.out.tfevents.'));
    expect(names).toHaveLength(1);
    const events = readEvents(path.join(run.folder, names[0]!));
    expect(events[0]).toMatchObject({ version: 'brain.Event:2', scalars: {} });
    expect(events[1]).toMatchObject({ step: 1, sessionStatus: 1, scalars: {} });
    const scalars = events.slice(2);
    expect(scalars.filter((event) => 'train/loss' in event.scalars).map((event) => event.step)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    const at = (step: number): Record<string, number> =>
      Object.assign({}, ...scalars.filter((event) => event.step === step).map((event) => event.scalars)) as Record<
        string,
        number
      >;
    expect(at(2)).toEqual({
      'train/loss': 0.5,
      'train/accuracy': 0.5,
      'train/learning_rate': Math.fround(0.1),
      'weight_norm/kaf1.alpha': 2,
      'gradient_norm/kaf1.alpha': Infinity,
    });
    expect(at(3)['train/loss']).toBeNaN();
    expect(at(4)).toMatchObject({
      'test/loss': 0.25,
      'test/accuracy': Math.fround(0.8),
      'gradient_norm/kaf1.alpha': Number.NaN,
    });
    const times = events.map((event) => event.wallTime);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThan(1000);
  });

  it('is the same, byte for byte, as TensorBoard writes', () => {
    // golden/eventsFile.py writes this with tensorboard's EventFileWriter.
    const golden = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'golden/eventsFile.json'), 'utf8')) as {
      bytes: string;
      rows: Row[];
    };
    const folder = temporaryFolder();
    const events = new EventsFile(folder, { timeMs: 1500, startStep: 0, prepared: null });
    events.add(golden.rows);
    events.close();
    expect(fs.readFileSync(events.file).toString('hex')).toBe(golden.bytes);
  });

  it('begins with the first step that follows, also at the very beginning', () => {
    const starts = [0, 1, 21].map((startStep) => {
      const events = new EventsFile(temporaryFolder(), { timeMs: 1500, startStep, prepared: null });
      events.close();
      return readEvents(events.file).map(({ step, version, sessionStatus }) => [step, version, sessionStatus]);
    });
    const begun = (step: number) => [
      [0, 'brain.Event:2', undefined],
      [step, undefined, 1],
    ];
    expect(starts).toEqual([begun(1), begun(1), begun(21)]);
  });

  it('is new, with a name after all in the folder, though the clock stood still or was set back', () => {
    const folder = temporaryFolder();
    const made = [5000, 5000, 1000, 9_000_000].map((timeMs) => {
      const events = new EventsFile(folder, { timeMs, startStep: 0, prepared: null });
      events.close();
      return path.basename(events.file);
    });
    expect(made).toEqual([...made].sort());
    expect(made.map((name) => name.split('.')[3])).toEqual(['0000000005', '0000000006', '0000000007', '0000009000']);
  });
});
