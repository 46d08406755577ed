// The logs of a sweep, as whoever looks at it reads them.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { logFile } from '../../server/run/logFile.ts';
import { readSweepLog, SweepLog, sweepLogOf } from '../../server/sweep/sweepLog.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

describe('the log of a sweep', () => {
  it('tells who works on it, and which run a cell has last', () => {
    const folder = temporaryFolder();
    const beat = () => () => undefined;
    const first = new SweepLog(folder, 0, { nowMs: 1, beat });
    first.append({ type: 'status', status: 'working' });
    first.append({ type: 'run', identity: 'a', runId: 'one' });
    first.append({ type: 'heard', ask: 3 });
    first.close();
    const second = new SweepLog(folder, 1, { nowMs: 2, beat });
    second.append({ type: 'run', identity: 'a', runId: 'two' });
    second.append({ type: 'status', status: 'paused' });
    second.close();
    expect(readSweepLog(folder)).toMatchObject({ number: 1, status: 'paused', heard: 3, owner: { pid: process.pid } });
    expect([...readSweepLog(folder).runs]).toEqual([['a', 'two']]);
  });

  it('is read a megabyte at a time, and not at all where it is longer than any', () => {
    const folder = temporaryFolder();
    const event = encodeFrame('rows', { type: 'run', identity: 'a', runId: 'r'.repeat(250) });
    const events = Buffer.concat(Array.from({ length: Math.ceil((3 * 2 ** 20) / event.length) }, () => event));
    fs.writeFileSync(logFile(folder, 0), events);
    expect([...sweepLogOf(folder)].length).toBeGreaterThanOrEqual(4);
    fs.truncateSync(logFile(folder, 0), 2 ** 40);
    expect(() => readSweepLog(folder)).toThrow('it is longer than any log of a sweep that Kafscope makes');
  });
});
