// Which runs the desk of series keeps open, and what it leaves in the cache.
import fs from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { decode } from '../../../server/protocol/codec.ts';
import type { SeriesQuery, SeriesResult } from '../../../server/protocol/series.ts';
import { SeriesDesk } from '../../../server/run/series/seriesDesk.ts';
import { seriesFolderName } from '../../../server/run/series/runSeries.ts';
import { makeLongRun } from '../../bench/longRun.ts';
import { temporaryFolder } from '../scriptedRun.ts';

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
