// Which runs the desk of series keeps open, and what it leaves in the cache.
import fs from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { decode } from '../../../server/protocol/codec.ts';
import type { SeriesQuery, SeriesResult } from '../../../server/protocol/series.ts';
import { SeriesDesk } from '../../../server/run/series/seriesDesk.ts';
import { seriesFolderName } from '../../../server/run/series/runSeries.ts';
import { makeLongRun } from '../../bench/longRun.ts';
import { temporaryFolder } from '../scriptedRun.ts';
import { watchDescriptors } from './watchDescriptors.ts';

const query: SeriesQuery = { tags: ['loss'], from: null, to: null, pixels: 100, rowsPerBucket: null, smoothing: 0 };

function opened(cache: string): SeriesDesk {
  const desk = new SeriesDesk(cache);
  onTestFinished(() => desk.close());
  return desk;
}

function newRun(nSteps: number) {
  return makeLongRun(temporaryFolder(), { nSteps, nTensors: 1, normsEvery: 10 });
}

it('has the eight runs used last open, and answers of more', async () => {
  const cache = temporaryFolder();
  const desk = opened(cache);
  const runs = Array.from({ length: 10 }, (_, index) => newRun(5 + index));
  const answer = decode(await desk.read(runs, query, {})) as SeriesResult;
  expect(answer.runs.map(({ tables }) => tables[0]!.lastStep.at(-1))).toEqual(runs.map((_, index) => 5 + index));
  const closed = [seriesFolderName(runs[0]!), seriesFolderName(runs[1]!)].sort();
  expect(
    fs
      .readdirSync(cache)
      .filter((name) => !name.includes('.'))
      .sort(),
  ).toEqual(closed);
  await desk.snapshot(runs[2]!, {});
  await desk.snapshot(runs[0]!, {});
  expect(fs.readdirSync(cache).filter((name) => !name.includes('.'))).toContain(seriesFolderName(runs[3]!));
  expect(fs.readdirSync(cache)).toHaveLength(10);
});

it('forgets also runs that are not open, and those that it never knew', async () => {
  const cache = temporaryFolder();
  const run = newRun(5);
  const first = opened(cache);
  await first.read([run], query, {});
  await first.close();
  expect(fs.readdirSync(cache)).toEqual([seriesFolderName(run)]);
  const second = opened(cache);
  await second.forget(run);
  await second.forget(newRun(5));
  expect(fs.readdirSync(cache)).toEqual([]);
});

it('is closed when what it is asked is answered', async () => {
  const cache = temporaryFolder();
  const run = newRun(5);
  const desk = opened(cache);
  const asked = desk.snapshot(run, {});
  await desk.close();
  expect(fs.readdirSync(cache)).toEqual([seriesFolderName(run)]);
  expect((await asked).bytes.length).toBeGreaterThan(0);
});

it('leaves nothing in the cache of a run that can not be read, or that nobody wants any more', async () => {
  const cache = temporaryFolder();
  const desk = opened(cache);
  await expect(desk.snapshot({ id: 'gone', folder: '/nowhere' }, {})).rejects.toMatchObject({ name: 'StorageError' });
  expect(fs.readdirSync(cache)).toEqual([]);
  const signal = AbortSignal.abort(new Error('not wanted'));
  await expect(desk.snapshot(newRun(5), { signal })).rejects.toThrow('not wanted');
  expect(fs.readdirSync(cache)).toEqual([]);
});

it('does one thing at a time with a run', async () => {
  const desk = opened(temporaryFolder());
  const run = newRun(40_000);
  const told: string[] = [];
  const ask = (name: string) => desk.snapshot(run, { onProgress: () => told.push(name) });
  await Promise.all([ask('first'), ask('second')]);
  expect(told.filter((one) => one === 'first').length).toBeGreaterThan(1);
  expect(told.indexOf('second')).toBe(told.lastIndexOf('first') + 1);
});

it('begins anew with a run that it could not read to its end', async () => {
  const cache = temporaryFolder();
  const desk = opened(cache);
  const run = newRun(40);
  const written = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  });
  await expect(desk.snapshot(run, {})).rejects.toMatchObject({ name: 'StorageError' });
  written.mockRestore();
  expect(fs.readdirSync(cache)).toEqual([]);
  const { tables } = (decode(await desk.read([run], query, {})) as SeriesResult).runs[0]!;
  expect(tables[0]!.lastStep.at(-1)).toBe(40);
});

it('closes every file that it opened', async () => {
  const cache = temporaryFolder();
  const desk = opened(cache);
  const open = watchDescriptors();
  await desk.read([newRun(40)], query, {});
  expect(open(cache).length).toBeGreaterThan(2);
  await desk.close();
  expect(open(cache)).toEqual([]);
});
