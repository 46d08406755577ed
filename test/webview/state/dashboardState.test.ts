import { describe, expect, test } from 'vitest';
import { applyRow, emptySnapshot, type RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { emptyDashboard, reduceDashboard } from '../../../webview/state/dashboardState.ts';
import { makePlan, makeRows, makeSummary } from '../gallery/runData.ts';

const options = { steps: 420, status: 'training', restartsUnderWay: 3, evaluations: 1 } as const;
const rows = makeRows(options);

function foldTo(count: number): RunSnapshot {
  const snapshot = emptySnapshot(makeSummary(options), makePlan('kaf'));
  for (const row of rows.slice(0, count)) applyRow(snapshot, row);
  return snapshot;
}

describe('dashboard state', () => {
  test.each([0, 1, 57, rows.length - 1])('a snapshot of %i rows and the rest equals the replay of all', (cut) => {
    const opened = reduceDashboard(emptyDashboard, { type: 'snapshot', snapshot: foldTo(cut) });
    // The host may overlap: rows that the snapshot holds already come once more.
    const grown = reduceDashboard(opened, { type: 'rows', runId: 'kaf-vgg-1', rows: rows.slice(Math.max(0, cut - 5)) });
    expect(grown.snapshot).toEqual(foldTo(rows.length));
    expect(grown).not.toBe(opened);
  });

  test('rows and summaries of another run change nothing', () => {
    const opened = reduceDashboard(emptyDashboard, { type: 'snapshot', snapshot: foldTo(3) });
    expect(reduceDashboard(opened, { type: 'rows', runId: 'other', rows })).toBe(opened);
    expect(reduceDashboard(opened, { type: 'run', run: { ...makeSummary(options), id: 'other' } })).toBe(opened);
    expect(reduceDashboard(opened, { type: 'runGone', runId: 'other' })).toBe(opened);
  });

  test('a summary replaces the run’s, and a lost connection keeps what was shown', () => {
    let state = reduceDashboard(emptyDashboard, { type: 'snapshot', snapshot: foldTo(9) });
    state = reduceDashboard(state, { type: 'run', run: { ...makeSummary(options), status: 'paused' } });
    state = reduceDashboard(state, { type: 'connection', connection: { status: 'lost', message: 'gone' } });
    expect(state.snapshot?.run.status).toBe('paused');
    expect(state.snapshot?.cursor).toBe(9);
    expect(state.connection.status).toBe('lost');
  });

  test('a new snapshot clears a failure and a deletion', () => {
    let state = reduceDashboard(emptyDashboard, { type: 'snapshot', snapshot: foldTo(2) });
    state = reduceDashboard(state, { type: 'failed', message: 'disk full' });
    state = reduceDashboard(state, { type: 'runGone', runId: 'kaf-vgg-1' });
    expect(state).toMatchObject({ failure: 'disk full', isGone: true });
    state = reduceDashboard(state, { type: 'snapshot', snapshot: foldTo(2) });
    expect(state).toMatchObject({ failure: null, isGone: false });
  });
});
