// Which views of dashboards and comparisons the workspace remembers.
import { expect, test } from 'vitest';
import type * as vscode from 'vscode';
import { KeptViews } from '../../../extension/panels/keptViews.ts';
import { keeper } from '../keeper.ts';

function keptViews(kept: Record<string, unknown> = {}) {
  const state = keeper(kept);
  return { state, views: new KeptViews(state as unknown as vscode.Memento, 'dashboard.views') };
}

test('a run has its own view back, and another that of the run looked at last', () => {
  const { views, state } = keptViews();
  expect(views.of('a')).toBeNull();
  views.keep('a', { tab: 'norms' });
  views.keep('b', { tab: 'curves' });
  views.keep('a', { tab: 'network' });
  // As after a reload of the window.
  const after = keptViews(state.kept).views;
  expect(after.of('a')).toEqual({ tab: 'network' });
  expect(after.of('b')).toEqual({ tab: 'curves' });
  expect(after.of('c')).toEqual({ tab: 'network' });
  expect(['a', 'b', 'c'].map((run) => after.has(run))).toEqual([true, true, false]);
});

test('only the hundred looked at last are remembered, and what is no view is passed over', () => {
  const { views, state } = keptViews({ 'dashboard.views': 'damaged' });
  for (let run = 0; run <= 100; run++) views.keep(String(run), { run });
  expect(views.of('0')).toEqual({ run: 100 });
  expect(views.of('1')).toEqual({ run: 1 });
  expect(state.kept['dashboard.views']).toHaveLength(100);
});
