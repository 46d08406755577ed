// The desk of series in its own thread: what it answers, and what becomes of questions when it falls.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { decode } from '../../../server/protocol/codec.ts';
import type { SeriesResult } from '../../../server/protocol/series.ts';
import { SeriesDesk } from '../../../server/run/series/seriesDesk.ts';
import { SeriesThread } from '../../../server/run/series/seriesThread.ts';
import { makeLongRun } from '../../bench/longRun.ts';
import { temporaryFolder } from '../scriptedRun.ts';

const entryFile = path.join(import.meta.dirname, '../../../server/seriesMain.ts');
const query = { tags: ['loss'], from: null, to: null, pixels: 50, rowsPerBucket: null, smoothing: 0.5 };

function thread(cache: string): SeriesThread {
  const made = new SeriesThread(entryFile, cache);
  onTestFinished(() => made.close());
  return made;
}

it('answers as the desk does, tells how far it is, and forgets a run', async () => {
  const cache = temporaryFolder();
  const run = makeLongRun(temporaryFolder(), { nSteps: 500, nTensors: 2, normsEvery: 10 });
  const asked = thread(cache);
  const told: string[] = [];
  const answer = await asked.read([run], query, { onProgress: ({ runId }) => told.push(runId) });
  expect(told).toEqual([run.id]);
  const desk = new SeriesDesk(temporaryFolder());
  expect(decode(answer)).toEqual(decode(await desk.read([run], query, {})));
  expect(await asked.snapshot(run, {})).toEqual(await desk.snapshot(run, {}));
  expect(decode(await asked.outcomes([run], {}))).toEqual(decode(await desk.outcomes([run], {})));
  await desk.close();
  await asked.forget(run);
  expect(fs.readdirSync(cache)).toEqual([]);
});

it('says what went wrong as the desk would, and is there for the next question', async () => {
  const asked = thread(temporaryFolder());
  const run = makeLongRun(temporaryFolder(), { nSteps: 50, nTensors: 2, normsEvery: 10 });
  await expect(asked.snapshot({ id: 'a', folder: '/nowhere' }, {})).rejects.toMatchObject({ name: 'StorageError' });
  const controller = new AbortController();
  const abandoned = asked.snapshot(run, { signal: controller.signal });
  controller.abort(new Error('not wanted'));
  await expect(abandoned).rejects.toThrow('not wanted');
  await expect(asked.snapshot(run, { signal: controller.signal })).rejects.toThrow('not wanted');
  const { runs } = decode(await asked.read([run], query, {})) as SeriesResult;
  expect(runs[0]!.tables[0]!.lastStep.at(-1)).toBe(50);
  await asked.close();
  expect((await asked.snapshot(run, {})).mark).toBeNull();
});

it('that can not be begun fails what is asked of it', async () => {
  const asked = new SeriesThread('/nowhere/series.cjs', temporaryFolder());
  await expect(asked.snapshot({ id: 'a', folder: '/nowhere' }, {})).rejects.toThrow('nowhere/series.cjs');
  await asked.close();
});
