// A folder that a stranger made: it can be looked at, and whatever it says, nothing outside of it is read, written or deleted.
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import * as crc from '../../server/run/crc32c.ts';
import { logFile, LogWriter, newestLog, readHead, readPassage, readTail } from '../../server/run/logFile.ts';
import { encodeFrame, frameAt } from '../../server/run/logFrames.ts';
import type { Frame, FrameKind } from '../../server/run/logFrames.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { StorageError } from '../../server/run/storageError.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { filesOf, goOn, readRows, startScriptedRun, temporaryFolder, trainScripted } from './scriptedRun.ts';

vi.mock('../../server/run/crc32c.ts', { spy: true });

type Change = (kind: FrameKind, payload: Record<string, unknown>) => unknown;

async function changedRun(change: Change): Promise<string> {
  const { folder } = await trainScripted(scriptedPlan('steps'));
  const runsFolder = temporaryFolder();
  const hostile = path.join(runsFolder, 'hostile');
  fs.cpSync(folder, hostile, { recursive: true });
  const bytes = fs.readFileSync(logFile(hostile, 0));
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const { kind, payload, end } = frameAt(bytes, at) as Frame;
    frames.push(encodeFrame(kind, change(kind, payload as Record<string, unknown>)));
    at = end;
  }
  fs.writeFileSync(logFile(hostile, 0), Buffer.concat(frames));
  return hostile;
}

/** Rows with the change made to each record of the type. */
function onRecords(type: string, change: (record: Record<string, unknown>) => unknown): Change {
  return (kind, payload) =>
    kind !== 'rows'
      ? payload
      : (payload as unknown as { record: Record<string, unknown> }[]).map((row) =>
          row.record.type === type ? { ...row, record: change(row.record) } : row,
        );
}

describe('a hostile run', () => {
  it('whose rows and state name files outside its folder leads nowhere', async () => {
    const folder = await changedRun((kind, payload) => {
      if (kind === 'state') {
        const progress = payload.progress as Record<string, unknown>;
        return { ...payload, progress: { ...progress, checkpoints: [{ file: '../../victim', step: 99, epoch: 1 }] } };
      }
      return onRecords('checkpointed', (record) => ({ ...record, file: '../../victim' }))(kind, payload);
    });
    const victim = path.join(path.dirname(folder), 'victim');
    fs.writeFileSync(victim, 'of somebody');
    expect(glance(folder).summary.checkpoints).toEqual([]);
    const types = readRows(folder).map(({ record }) => record.type);
    expect(types).toContain('step');
    expect(types).not.toContain('checkpointed');
    await startScriptedRun(folder, goOn(folder)).ended;
    expect(fs.readFileSync(victim, 'utf8')).toBe('of somebody');
  });

  it('whose records are of wrong types is shown without them', async () => {
    const folder = await changedRun(onRecords('norms', (record) => ({ ...record, weights: 'not an array' })));
    const history = new RunHistory(folder);
    const types = history.rows(0, { maxRows: 1e6, maxBytes: Infinity }).map(({ record }) => record.type);
    expect(types).toContain('step');
    expect(types).not.toContain('norms');
    expect(history.damages.length).toBeGreaterThan(0);
    history.close();
  });

  it('whose rows never go forward ends all the same', async () => {
    const folder = await changedRun((kind, payload) =>
      kind === 'rows' ? (payload as unknown as { seq: number }[]).map((row) => ({ ...row, seq: 1 })) : payload,
    );
    expect(readRows(folder)).toHaveLength(1);
  });

  it('with logs of any number costs no look at those that are not there', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const { summary } = glance(folder);
    fs.writeFileSync(path.join(folder, 'log-199999999'), '');
    fs.writeFileSync(path.join(folder, 'log-2000'), '');
    expect(newestLog(folder)).toBe(0);
    expect(glance(folder).summary).toEqual(summary);
    fs.writeFileSync(path.join(folder, 'log-1999'), '');
    expect(newestLog(folder)).toBe(1999);
    const head = readHead(folder, 0)!;
    expect(() => new LogWriter(folder, { ...head, number: 2000 })).toThrow('has 2000 logs, as many as a run may have');
    const look = vi.spyOn(fs, 'existsSync');
    expect(glance(folder).summary).toMatchObject({ status: 'waiting', step: 0, incarnation: 1999 });
    const looked = new Set(look.mock.calls.map(([file]) => String(file)).filter((file) => file.includes('log-')));
    look.mockRestore();
    expect(looked.size).toBe(101);
    expect(readRows(folder).length).toBeGreaterThan(0);
  });

  it('behind a hundred writers that were cut off as they began is shown as before', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const { step } = glance(folder).summary;
    for (let number = 1; number <= 100; number++) fs.writeFileSync(logFile(folder, number), '');
    expect([step > 0, glance(folder).summary.step]).toEqual([true, step]);
  });

  it('whose log is the beginnings of long frames, or nothing for gigabytes, is read no further than 16 MiB are worth', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const nRows = readRows(folder).length;
    const file = logFile(folder, 0);
    const whole = fs.readFileSync(file);
    const beginnings = Buffer.alloc(600_000);
    // A state of 300,000 bytes every twelve.
    for (let at = 0; at < beginnings.length; at += 12) {
      beginnings.set([0x4b, 0x46, 0x53, 0xa2], at);
      beginnings.writeUInt32LE(300_000, at + 4);
    }
    for (const damage of ['beginnings', 'nothing'] as const) {
      fs.writeFileSync(file, damage === 'beginnings' ? Buffer.concat([whole, beginnings]) : whole);
      if (damage === 'nothing') fs.truncateSync(file, 8 * 2 ** 30);
      vi.mocked(crc.maskedCrc32c).mockClear();
      let nRead = 0;
      const { readSync } = fs;
      const reading = vi.spyOn(fs, 'readSync').mockImplementation(((...given: Parameters<typeof readSync>) => {
        const read = readSync(...given);
        nRead += read;
        return read;
      }) as typeof readSync);
      expect(readPassage(file, whole.length)).toMatchObject({ frames: [], isAtEnd: true });
      expect(readTail(file, 'state')).toEqual({ found: null, after: [], rest: 'damaged' });
      reading.mockRestore();
      const nSummedUp = vi.mocked(crc.maskedCrc32c).mock.calls.reduce((sum, [bytes]) => sum + bytes.length, 0);
      expect(nSummedUp).toBeLessThanOrEqual(2 * (16 * 2 ** 20 + 300_000));
      expect(nRead).toBeLessThanOrEqual(180 * 2 ** 20);
      expect(readRows(folder)).toHaveLength(nRows);
    }
  });

  it('whose frame holds more than a million values is damaged there', () => {
    const frame = (count: number) => frameAt(encodeFrame('rows', new Array(count).fill(0)), 0);
    expect(frame(999_999)).toMatchObject({ kind: 'rows' });
    expect(frame(1_000_000)).toBe('damaged');
  });

  it('of any bytes is shown, or refused with a sentence, and never changed by a look', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const files = [logFile(folder, 0), path.join(folder, 'origin.json')];
    const originals = files.map((file) => fs.readFileSync(file));
    fc.assert(
      fc.property(
        fc.nat(1),
        fc.array(fc.tuple(fc.nat(1_000_000), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 20 }),
        fc.nat(1_000_000),
        (which, changes, length) => {
          const bytes = Buffer.from(originals[which]!);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          fs.writeFileSync(files[which]!, bytes.subarray(0, length % 3 === 0 ? length % bytes.length : bytes.length));
          const before = filesOf(folder);
          try {
            glance(folder);
            readRows(folder);
          } catch (error) {
            expect(error).toBeInstanceOf(StorageError);
          }
          expect(filesOf(folder)).toEqual(before);
          for (const [index, file] of files.entries()) fs.writeFileSync(file, originals[index]!);
        },
      ),
      { numRuns: 200 },
    );
  });
});
