import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SeriesAnswer, SeriesIntent } from '../../../server/protocol/panel.ts';
import type { SeriesResult } from '../../../server/protocol/series.ts';
import { SeriesFeed } from '../../../webview/state/seriesFeed.ts';

const question = {
  ...{ runIds: ['a'], tags: ['loss'], from: null, to: null, pixels: 10, rowsPerBucket: null, smoothing: 0 },
};

let posted: SeriesIntent[];
let feed: SeriesFeed;

beforeEach(() => {
  vi.useFakeTimers();
  posted = [];
  feed = new SeriesFeed((intent) => posted.push(intent));
});

afterEach(() => {
  vi.useRealTimers();
});

function answer(change: Partial<SeriesAnswer> = {}): SeriesAnswer {
  const { key, asked } = posted.at(-1)!;
  return { type: 'series', key, asked, result: { runs: [] }, failure: null, ...change };
}

describe('a feed of series', () => {
  test('posts a question once, and again where it changes', () => {
    expect(feed.want('curves/a', question)).toBeNull();
    expect(feed.want('curves/a', { ...question })).toBeNull();
    expect(posted).toEqual([{ type: 'askSeries', key: 'curves/a', asked: 1, ...question }]);
    const given = answer();
    expect(feed.receive(given)).toBe(true);
    expect(feed.want('curves/a', question)).toBe(given.result);
    feed.want('curves/a', { ...question, from: 5 });
    expect(posted).toHaveLength(2);
  });

  test('shows the answer to another stretch until the new one comes, and none of other runs or tags', () => {
    feed.want('k', question);
    const given = answer();
    feed.receive(given);
    expect(feed.want('k', { ...question, from: 5, smoothing: 0.5 })).toBe(given.result);
    expect(feed.want('k', { ...question, tags: ['accuracy'] })).toBeNull();
    expect(feed.want('k', { ...question, runIds: ['b'] })).toBeNull();
  });

  test('takes no answer to an earlier question', () => {
    feed.want('k', question);
    const late = answer();
    feed.want('k', { ...question, to: 5 });
    expect(feed.receive(late)).toBe(false);
    expect(feed.receive(answer({ key: 'unknown' }))).toBe(false);
    expect(feed.want('k', { ...question, to: 5 })).toBeNull();
  });

  test('asks again before long where the run has grown: once, of those who ask, and not of a stretch that is past', () => {
    feed.want('curves/a', question);
    feed.receive(answer());
    feed.want('curves/past', { ...question, to: 5 });
    feed.receive(answer());
    feed.want('norms/a', question);
    feed.receive(answer());
    feed.want('curves/waits', question);
    feed.grown('curves/');
    feed.grown('curves/');
    expect(posted).toHaveLength(4);
    vi.advanceTimersByTime(1000);
    expect(posted.map(({ key }) => key).slice(4)).toEqual(['curves/a']);
    expect(posted.at(-1)).toMatchObject({ asked: 5, from: null });
    expect(feed.receive(answer())).toBe(true);
  });

  test('says what failed until something is answered, and forgets all with another run', () => {
    feed.want('k', question);
    feed.receive(answer({ result: null, failure: 'no disk' }));
    expect(feed.failure).toBe('no disk');
    const runs = [{ runId: 'a', cursor: 0, failure: 'is damaged', tables: [] }];
    feed.want('k', { ...question, to: 5 });
    feed.receive(answer({ result: { runs } satisfies SeriesResult }));
    expect(feed.failure).toBe('is damaged');
    feed.want('k', question);
    feed.receive(answer());
    expect(feed.failure).toBeNull();
    feed.forget();
    expect(feed.want('k', question)).toBeNull();
  });
});
