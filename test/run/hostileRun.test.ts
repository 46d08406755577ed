// A folder that a stranger made: it can be looked at, and whatever it says, nothing outside of it is read, written or deleted.
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logFile } from '../../server/run/logFile.ts';
import { encodeFrame, frameAt } from '../../server/run/logFrames.ts';
import type { Frame, FrameKind } from '../../server/run/logFrames.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { StorageError } from '../../server/run/storageError.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { filesOf, goOn, readRows, startScriptedRun, temporaryFolder, trainScripted } from './scriptedRun.ts';

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
