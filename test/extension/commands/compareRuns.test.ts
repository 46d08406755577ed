// Which runs a comparison is opened of.
import { beforeEach, expect, test, vi } from 'vitest';
import { compareRuns } from '../../../extension/commands/compareRuns.ts';
import { RunsView } from '../../../extension/runs/runsView.ts';
import { keeper } from '../keeper.ts';
import { runSummary } from '../runSummaries.ts';
import { answers, asked } from '../vscodeStandIn.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

const runs = [
  runSummary({ id: 'a', name: 'kaf' }),
  runSummary({ id: 'b', name: 'relu' }),
  runSummary({ id: 'c', name: 'kaf', seed: 1 }),
  runSummary({ id: 'hidden', mark: { isHidden: true } }),
  runSummary({ id: 'trashed', mark: { isTrashed: true } }),
  runSummary({ id: 'damaged', status: 'damaged' }),
];

beforeEach(() => {
  asked.length = 0;
  answers.length = 0;
});

function comparison() {
  const view = new RunsView(keeper());
  const opened: (readonly string[])[] = [];
  const parts = { store: { runs }, view, open: (ids: readonly string[]) => void opened.push(ids) };
  return { view, opened, compare: (argument?: unknown, chosen?: unknown) => compareRuns(parts, argument, chosen) };
}

const offered = () => asked[0]!.args[0] as { runId: string; picked: boolean }[];

test('those that are ticked, without what is gone or in the trash', async () => {
  const { view, opened, compare } = comparison();
  view.choose({ ticked: ['a', 'c', 'trashed', 'damaged', 'gone'] });
  await compare();
  expect([opened, asked]).toEqual([[['a', 'c']], []]);
});

test('those chosen in the tree, whatever is ticked', async () => {
  const { view, opened, compare } = comparison();
  view.choose({ ticked: ['a', 'c'] });
  await compare({ run: runs[0] }, [{ run: runs[0] }, { run: runs[1] }]);
  expect(opened).toEqual([['a', 'b']]);
});

test('else those picked from a list of what the view shows, where those that its filter finds are picked already', async () => {
  const { view, opened, compare } = comparison();
  view.choose({ filter: '-relu' });
  answers.push([{ runId: 'a' }, { runId: 'c' }]);
  await compare();
  expect(offered().map(({ runId, picked }) => [runId, picked])).toEqual([
    ['a', true],
    ['b', false],
    ['c', true],
  ]);
  expect(opened).toEqual([['a', 'c']]);
});

test('one that is ticked or chosen alone is picked in the list, and nothing is opened where none is chosen', async () => {
  const { view, opened, compare } = comparison();
  view.choose({ ticked: ['b'] });
  await compare();
  expect(offered().filter(({ picked }) => picked)).toHaveLength(1);
  asked.length = 0;
  await compare({ run: runs[2] });
  expect(offered().flatMap(({ runId, picked }) => (picked ? [runId] : []))).toEqual(['c']);
  expect(opened).toEqual([]);
});
