// Series of runs as charts ask for them, against the rows of the runs; and the cache that they are kept in, which may go at any time.
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decode } from '../../../server/protocol/codec.ts';
import type { OutcomesResult, RunOutcome } from '../../../server/protocol/outcomes.ts';
import type { RunRecord } from '../../../server/protocol/records.ts';
import { scalarTags, type RunSeries, type SeriesQuery, type SeriesResult } from '../../../server/protocol/series.ts';
import { encodeFrame } from '../../../server/run/logFrames.ts';
import { RunHistory } from '../../../server/run/runHistory.ts';
import { RunReader } from '../../../server/run/runReader.ts';
import { SeriesDesk } from '../../../server/run/series/seriesDesk.ts';
import { bucketRows } from '../../../server/run/series/readSeries.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import type { RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { smooth } from '../../../webview/curves/smooth.ts';
import { attackPlan } from '../../attack/plans.ts';
import { makeLongRun } from '../../bench/longRun.ts';
import { readRows, temporaryFolder } from '../scriptedRun.ts';

const whole: SeriesQuery = { tags: ['loss'], from: null, to: null, pixels: 100, rowsPerBucket: null, smoothing: 0 };

let cache: string;
let desk: SeriesDesk;
let run: RunSummary;

beforeEach(() => {
  cache = temporaryFolder();
  desk = opened();
  run = makeLongRun(temporaryFolder(), { nSteps: 3000, nTensors: 6, normsEvery: 10, spikeAt: 1234 });
});

function opened(): SeriesDesk {
  const made = new SeriesDesk(cache);
  onTestFinished(() => made.close());
  return made;
}

async function ask(query: Partial<SeriesQuery> = {}, of: SeriesDesk = desk): Promise<RunSeries> {
  const bytes = await of.read([{ id: run.id, folder: run.folder }], { ...whole, ...query }, {});
  return (decode(bytes) as SeriesResult).runs[0]!;
}

function losses(): { step: number; loss: number }[] {
  return readRows(run.folder).flatMap(({ record }) =>
    record.type === 'step' ? [{ step: record.step, loss: record.loss }] : [],
  );
}

/** As a trainer goes on with its log. */
function append(from: number, to: number, seq: number, loss = 0.5): void {
  const rows = Array.from({ length: to - from + 1 }, (_, index) => ({
    ...{ seq: seq + index, timeMs: 1, step: from + index },
    record: { type: 'step', step: from + index, epoch: 1, loss, accuracy: 0, learningRate: 1 },
  }));
  fs.appendFileSync(path.join(run.folder, 'log-0'), encodeFrame('rows', rows));
}

describe('series', () => {
  it('are the rows themselves where they are few', async () => {
    const { tables, failure, cursor } = await ask({ from: 1200, to: 1260 });
    expect([failure, cursor]).toEqual([null, readRows(run.folder).length]);
    const rows = losses().slice(1198, 1261);
    expect(tables).toHaveLength(1);
    expect(tables[0]).toMatchObject({ rowsPerBucket: 1, firstRow: 1198 });
    expect([...tables[0]!.firstStep]).toEqual(rows.map(({ step }) => step));
    expect([...tables[0]!.lastStep]).toEqual(rows.map(({ step }) => step));
    expect([...tables[0]!.series[0]!.first]).toEqual(rows.map(({ loss }) => loss));
    expect(tables[0]!.series[0]!.low).toBeUndefined();
  });

  it('of many rows keep the spike of one of them', async () => {
    const { tables } = await ask();
    const { rowsPerBucket, lastStep, series } = tables[0]!;
    expect(rowsPerBucket).toBe(32);
    expect(lastStep.length).toBe(Math.ceil(3000 / 32));
    expect([...series[0]!.high!].indexOf(1e6)).toBe(Math.floor(1233 / 32));
    const few = await ask({ pixels: 1 });
    expect(Math.max(...few.tables[0]!.series[0]!.high!)).toBe(1e6);
  });

  it('are smoothed as a moving average over every row would be, however they are cut', async () => {
    const expected = smooth(
      losses().map(({ loss }) => loss),
      0.99,
    );
    for (const query of [{ pixels: 2000 }, { pixels: 50 }, { from: 2000, to: 2900, pixels: 20 }]) {
      const { tables } = await ask({ ...query, smoothing: 0.99 });
      const { lastStep, series } = tables[0]!;
      series[0]!.smooth!.forEach((value, index) => {
        expect(value).toBeCloseTo(expected[lastStep[index]! - 1]!, 10);
      });
    }
  });

  it('come a table for each kind of row, and a tag that a run does not have is left out', async () => {
    const tags = ['loss', 'test/loss', 'gradientNorm', 'weights/layer1.kernel', 'ratio/layer1/*', 'nothing'];
    const { tables } = await ask({ tags, pixels: 4000 });
    expect(tables.map(({ series }) => series.map(({ tag }) => tag))).toEqual([
      ['loss'],
      ['test/loss'],
      tags.slice(2, 5),
    ]);
    const rows = readRows(run.folder).flatMap(({ record }) => (record.type === 'norms' ? [record] : []));
    const [, , norms] = tables;
    const at = 17;
    const { weights, gradients } = rows[at]!;
    const pair = (values: Float32Array): number => Math.fround(Math.hypot(values[2]!, values[3]!));
    expect(norms!.firstStep[at]).toBe(rows[at]!.step);
    expect(norms!.series[0]!.first[at]).toBeCloseTo(Math.hypot(...gradients), 4);
    expect(norms!.series[1]!.first[at]).toBe(weights[2]);
    expect(norms!.series[2]!.first[at]).toBeCloseTo(pair(gradients) / pair(weights), 6);
  });

  it('of updates are their lengths over those of the weights before them, of a tensor and of a layer', async () => {
    const { tables } = await ask({ tags: ['update/layer1.kernel', 'update/layer1/*'], pixels: 4000 });
    const rows = readRows(run.folder).flatMap(({ record }) => (record.type === 'updates' ? [record] : []));
    const [tensor, layer] = tables[0]!.series;
    rows.forEach(({ step, before, updates }, at) => {
      expect(tables[0]!.firstStep[at]).toBe(step);
      expect(tensor!.first[at]).toBeCloseTo(updates[2]! / before[2]!, 6);
      const together = Math.hypot(updates[2]!, updates[3]!) / Math.hypot(before[2]!, before[3]!);
      expect(layer!.first[at]).toBeCloseTo(together, 6);
    });
    expect(rows).toHaveLength(300);
  });

  it('of every layer are asked for by their quantity, in the order of the network', async () => {
    const { tables } = await ask({ tags: ['gradients/', 'loss'], pixels: 4000 });
    const tags = tables.flatMap(({ series }) => series.map(({ tag }) => tag));
    expect(tags).toEqual(['loss', ...[0, 1, 2].map((layer) => `gradients/layer${String(layer)}/*`)]);
    run = makeLongRun(temporaryFolder(), { nSteps: 20, nTensors: 3, normsEvery: 10, spikeAt: 1 });
    expect((await ask({ tags: ['weights/'] })).tables[0]!.series.map(({ tag }) => tag)).toEqual([
      'weights/layer0/*',
      'weights/layer1.kernel',
    ]);
  });

  it('have the mean of every bucket where it is asked for, however they are cut', async () => {
    const losses = readRows(run.folder).flatMap(({ record }) => (record.type === 'step' ? [record.loss] : []));
    for (const rowsPerBucket of [16, 64, 128, 1024]) {
      const { tables } = await ask({ tags: ['loss'], rowsPerBucket, means: true });
      const { mean } = tables[0]!.series[0]!;
      mean!.forEach((value, bucket) => {
        const part = losses.slice(bucket * rowsPerBucket, (bucket + 1) * rowsPerBucket);
        expect(value / (part.reduce((sum, loss) => sum + loss, 0) / part.length)).toBeCloseTo(1, 9);
      });
    }
    const { tables } = await ask({ tags: ['loss'], rowsPerBucket: 64 });
    expect(tables[0]!.series[0]!.mean).toBeUndefined();
  });

  it('have buckets of the size that is asked for, at multiples of it', async () => {
    const { tables } = await ask({ from: 1025, rowsPerBucket: 64 });
    expect(tables[0]).toMatchObject({ rowsPerBucket: 64, firstRow: 960 });
    expect(tables[0]!.firstStep[0]).toBe(961);
    expect(tables[0]!.lastStep.at(-1)).toBe(3000);
  });

  it('have buckets of one size for several runs, and a run that can not be read says why', async () => {
    const short = makeLongRun(temporaryFolder(), { nSteps: 150, nTensors: 1, normsEvery: 1 });
    const gone = { id: 'gone', folder: path.join(run.folder, 'gone') };
    const { runs } = decode(
      await desk.read([short, gone, run], { ...whole, tags: [...scalarTags] }, {}),
    ) as SeriesResult;
    expect(runs.map(({ runId }) => runId)).toEqual([short.id, 'gone', run.id]);
    expect(runs[0]!.tables[0]!.rowsPerBucket).toBe(32);
    expect(runs[2]!.tables[0]!.rowsPerBucket).toBe(32);
    expect(runs[1]).toMatchObject({ tables: [], cursor: 0 });
    expect(runs[1]!.failure).toContain(gone.folder);
  });

  it('go with what runs came to, read on with the log; a run that can not be read says why', async () => {
    const gone = { id: 'gone', folder: path.join(run.folder, 'gone') };
    const ask = async () => decode(await desk.outcomes([gone, run], {})) as OutcomesResult;
    const before = await ask();
    expect(before.runs.map(({ runId, evaluations, shift }) => [runId, evaluations, shift])).toEqual([
      ['gone', [], null],
      [run.id, [], null],
    ]);
    expect(before.runs[0]!.failure).toContain(gone.folder);
    const plan = attackPlan('pgd', { steps: 1, restarts: 1 });
    const records: RunRecord[] = [
      { type: 'evaluationStarted', evaluation: 1, plan, step: 3000, samples: 10 },
      { type: 'attackProgress', evaluation: 1, restart: 0, samples: 10, robust: Int32Array.of(8, 5) },
    ];
    const seq = readRows(run.folder).at(-1)!.seq;
    const rows = records.map((record, index) => ({ seq: seq + 1 + index, timeMs: 1, step: 3000, record }));
    fs.appendFileSync(path.join(run.folder, 'log-0'), encodeFrame('rows', rows));
    const [, { evaluations, failure }] = (await ask()).runs as [RunOutcome, RunOutcome];
    expect([failure, evaluations.length]).toEqual([null, 1]);
    expect(evaluations[0]).toMatchObject({
      started: { step: 3000 },
      restarts: [{ samples: 10, robust: Int32Array.of(8, 5) }],
    });
  });

  it('grow with the log, and what is in the cache is read no second time', async () => {
    const { cursor } = await ask();
    append(3001, 3100, cursor + 1);
    const grown = await ask({ from: 3050 });
    expect(grown.cursor).toBe(cursor + 100);
    expect(grown.tables[0]!.firstStep.at(-1)).toBe(3100);
    await desk.close();
    append(3101, 3200, cursor + 101);
    const read = vi.spyOn(RunHistory.prototype, 'pages');
    desk = opened();
    const again = await ask({ from: 3050, pixels: 1000 });
    expect(read.mock.calls).toEqual([[cursor + 100]]);
    vi.restoreAllMocks();
    expect([...again.tables[0]!.firstStep].slice(-151)).toEqual(
      Array.from({ length: 151 }, (_, index) => 3050 + index),
    );
    expect(await ask({}, new SeriesDesk(temporaryFolder()))).toEqual(await ask());
  });

  it('are those of the newest rows where training went back', async () => {
    const { cursor } = await ask();
    append(2001, 2400, cursor + 1, 7);
    const { tables } = await ask({ pixels: 4000 });
    expect(tables[0]!.firstStep.length).toBe(2400);
    expect([...tables[0]!.series[0]!.first].slice(1998)).toEqual([
      losses()[1998]!.loss,
      losses()[1999]!.loss,
      ...new Array<number>(400).fill(7),
    ]);
    await desk.close();
    expect(await ask({ pixels: 4000 }, opened())).toMatchObject({ tables: [{ firstRow: 0 }] });
  });

  it('are made again from what is left of a damaged log, as every reader takes it', async () => {
    const file = path.join(run.folder, 'log-0');
    const bytes = fs.readFileSync(file);
    bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 100);
    fs.writeFileSync(file, bytes);
    const { tables, cursor } = await ask({ pixels: 4000 });
    expect(losses().length).toBeLessThan(3000);
    expect([...tables[0]!.firstStep]).toEqual(losses().map(({ step }) => step));
    expect(cursor).toBe(readRows(run.folder).at(-1)!.seq);
  });

  it.each([
    [
      'is gone',
      (folder: string) => {
        fs.rmSync(folder, { recursive: true });
      },
    ],
    [
      'has a short file',
      (folder: string) => {
        fs.truncateSync(path.join(folder, 'steps-rows'), 100);
      },
    ],
    [
      'says nothing',
      (folder: string) => {
        fs.writeFileSync(path.join(folder, 'kept'), 'nonsense');
      },
    ],
    [
      'has lost its last word',
      (folder: string) => {
        fs.rmSync(path.join(folder, 'kept'));
      },
    ],
  ])('are made again where the cache %s', async (_what, spoil) => {
    const before = await ask({ smoothing: 0.9 });
    await desk.close();
    spoil(path.join(cache, fs.readdirSync(cache)[0]!));
    desk = opened();
    expect(await ask({ smoothing: 0.9 })).toEqual(before);
  });

  it('of one run two servers may read at the same time, and none is in the way of the other', async () => {
    const before = await ask();
    expect(await ask({}, opened())).toEqual(before);
    expect(await ask()).toEqual(before);
  });

  it('of a run that is deleted are deleted', async () => {
    await ask();
    await desk.forget({ id: run.id, folder: run.folder });
    expect(fs.readdirSync(cache)).toEqual([]);
  });

  it('end where they are not wanted any more, and go on at the next question', async () => {
    const controller = new AbortController();
    const places = [{ id: run.id, folder: run.folder }];
    const onProgress = (): void => {
      controller.abort(new Error('not wanted'));
    };
    await expect(desk.read(places, whole, { signal: controller.signal, onProgress })).rejects.toThrow('not wanted');
    expect((await ask()).tables[0]!.lastStep.at(-1)).toBe(3000);
  });
});

describe('a snapshot of the desk', () => {
  it('is the fold of all rows, and small however long the run is', async () => {
    run = makeLongRun(temporaryFolder(), { nSteps: 20_000, nTensors: 100, normsEvery: 10 });
    const place = { id: run.id, folder: run.folder };
    const { bytes } = await desk.snapshot(place, {});
    expect(bytes.length).toBeLessThan(1_000_000);
    const reader = new RunReader();
    const folded = await reader.snapshot(() => run);
    reader.close();
    expect({ ...(decode(bytes) as RunSnapshot), run }).toEqual(folded);
    await desk.close();
    const kept = await opened().snapshot(place, {});
    expect(decode(kept.bytes)).toEqual(decode(bytes));
    expect(kept.mark!.position).toBeGreaterThan(fs.statSync(path.join(run.folder, 'log-0')).size - 1_000_000);
    const map = await desk.read(
      [place],
      { ...whole, tags: Array.from({ length: 50 }, (_, layer) => `gradients/layer${String(layer)}/*`), pixels: 128 },
      {},
    );
    expect(map.length).toBeLessThan(200_000);
  });
});

describe('buckets', () => {
  it.each([
    [200, 100, 1],
    [201, 100, 4],
    [400, 100, 4],
    [401, 100, 8],
    [1e6, 600, 2048],
    [0, 1, 1],
  ])('of %d rows in %d pixels have %d rows', (nRows, pixels, expected) => {
    expect(bucketRows(nRows, pixels)).toBe(expected);
  });
});
