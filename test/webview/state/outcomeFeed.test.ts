import { expect, test } from 'vitest';
import type { RunOutcome } from '../../../server/protocol/outcomes.ts';
import type { OutcomesIntent } from '../../../server/protocol/panel.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { OutcomeFeed } from '../../../webview/state/outcomeFeed.ts';
import { runSummary } from '../../extension/runSummaries.ts';

function feed() {
  const posted: OutcomesIntent[] = [];
  const made = new OutcomeFeed((intent) => posted.push(intent));
  return { feed: made, posted, ids: () => posted.map(({ runIds }) => runIds) };
}

const outcome = (runId: string, failure: string | null = null): RunOutcome => ({
  ...{ runId, failure, evaluations: [], shift: null },
});
const run = (id: string, change: Partial<RunSummary> = {}): RunSummary =>
  runSummary({ id, status: 'finished', ...change });

test('asks of what has more to tell, one question at a time', () => {
  const { feed: outcomes, ids, posted } = feed();
  expect(outcomes.want([run('a'), run('b')]).size).toBe(0);
  outcomes.want([run('a', { epoch: 99 }), run('b')]);
  expect(ids()).toEqual([['a', 'b']]);
  expect(
    outcomes.receive({ type: 'outcomes', asked: posted[0]!.asked, runs: [outcome('a'), outcome('b')], failure: null }),
  ).toBe(true);
  expect([...outcomes.want([run('a', { epoch: 99 }), run('b')]).keys()]).toEqual(['a', 'b']);
  expect(ids()).toEqual([['a', 'b'], ['a']]);
});

test('asks again after each test, each evaluation and each piece of work, and all along while one is attacked', () => {
  const { feed: outcomes, posted, ids } = feed();
  const states: Partial<RunSummary>[] = [
    ...[
      {},
      { step: 7 },
      { epoch: 4 },
      { epoch: 4, incarnation: 5 },
      { epoch: 4, incarnation: 5, figures: [{} as never] },
    ],
    ...([
      { status: 'evaluating' },
      { status: 'evaluating', revision: 71 },
      { status: 'finished', revision: 72 },
    ] as const),
  ];
  const asked = states.map((state) => {
    const before = posted.length;
    outcomes.want([run('a', state)]);
    const isAsked = posted.length > before;
    if (isAsked)
      outcomes.receive({ type: 'outcomes', asked: posted.at(-1)!.asked, runs: [outcome('a')], failure: null });
    return isAsked;
  });
  expect(asked).toEqual([true, false, true, true, true, true, true, true]);
  expect(
    ids()
      .flat()
      .every((id) => id === 'a'),
  ).toBe(true);
});

test('says why nothing is known, and keeps what is', () => {
  const { feed: outcomes, posted } = feed();
  outcomes.want([run('a')]);
  outcomes.receive({ type: 'outcomes', asked: posted[0]!.asked, runs: [outcome('a', 'no log')], failure: null });
  expect(outcomes.failure).toBe('no log');
  outcomes.want([run('a', { epoch: 5 })]);
  expect(outcomes.receive({ type: 'outcomes', asked: posted[1]!.asked, runs: null, failure: 'no server' })).toBe(true);
  expect([outcomes.failure, outcomes.want([run('a', { epoch: 5 })]).has('a')]).toEqual(['no server', true]);
});

test('begins anew for another set, deaf to what was on its way', () => {
  const { feed: outcomes, posted } = feed();
  outcomes.want([run('a')]);
  outcomes.forget();
  expect(outcomes.receive({ type: 'outcomes', asked: posted[0]!.asked, runs: [outcome('a')], failure: null })).toBe(
    false,
  );
  expect(outcomes.want([run('a')]).size).toBe(0);
  expect(posted).toHaveLength(2);
});

test('asks anew of another server, keeps what is known until it answers, and is deaf to the one before', () => {
  const { feed: outcomes, posted, ids } = feed();
  outcomes.want([run('a')]);
  outcomes.receive({ type: 'outcomes', asked: posted[0]!.asked, runs: [outcome('a')], failure: null });
  outcomes.want([run('a'), run('b')]);
  outcomes.receive({ type: 'outcomes', asked: posted[1]!.asked, runs: null, failure: 'no server' });
  outcomes.want([run('a'), run('b')]);
  expect(ids()).toEqual([['a'], ['b']]);
  outcomes.askAnew();
  expect([outcomes.failure, [...outcomes.want([run('a'), run('b')]).keys()]]).toEqual([null, ['a']]);
  expect(ids().at(-1)).toEqual(['a', 'b']);
  expect(outcomes.receive({ type: 'outcomes', asked: posted[1]!.asked, runs: [outcome('b')], failure: null })).toBe(
    false,
  );
});
