// What stands above an experiment of what its runs will take.
import { describe, expect, test, vi } from 'vitest';
import { Emitter } from 'vscode-jsonrpc/node';
import type * as vscode from 'vscode';
import { estimateText } from '../../../extension/experiments/estimateText.ts';
import { EstimateLens } from '../../../extension/experiments/estimateLens.ts';
import type { ConnectionState } from '../../../server/protocol/panel.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

const estimate = { nCells: 54, nLeft: 54, atOnce: 4, ms: 12_000_000, bytes: 1.24e9, stepBytes: 206e6 };

test.each([
  [{}, 'about 3 h 20 min, 4 at once · about 1.2 GB on disk · 206 MB of memory each'],
  [{ nLeft: 12, atOnce: 1, stepBytes: null }, '12 of 54 left · about 3 h 20 min, one at a time · about 1.2 GB on disk'],
  [{ nCells: 1, nLeft: 1, atOnce: 1 }, 'about 3 h 20 min · about 1.2 GB on disk · 206 MB of memory'],
  [
    { nCells: 1, nLeft: 1, ms: null, bytes: null },
    'time and disk unknown until a run like it has ended · 206 MB of memory',
  ],
  [{ nLeft: 0 }, 'all 54 runs done'],
])('an estimate with %o is “%s”', (change, text) => {
  expect(estimateText({ ...estimate, ...change })).toBe(text);
});

describe('the lens', () => {
  const documentOf = (text: string) =>
    ({ getText: () => text, uri: { scheme: 'file', fsPath: '/a.kaf.yaml' } }) as unknown as vscode.TextDocument;
  const swept = documentOf('matrix: { seed: [0, 1] }');

  function lensOf(answer: () => Promise<unknown>) {
    const states = new Emitter<ConnectionState>();
    const changes = new Emitter<void>();
    const connection = { state: { status: 'connected' }, onDidChangeState: states.event, request: vi.fn(answer) };
    const log = vi.fn();
    const ran = new Emitter<void>();
    const store = { runs: [] as { status: string }[], onDidChange: ran.event };
    const lens = new EstimateLens(connection as never, { onDidChange: changes.event }, store as never, log);
    return { lens, connection, states, changes, store, ran, log };
  }

  test('says what the server estimates of the text as it is', async () => {
    const { lens, connection } = lensOf(() => Promise.resolve(estimate));
    const [found] = await lens.provideCodeLenses(swept);
    expect(found!.command).toEqual({ title: estimateText(estimate), command: '' });
    const asked = { text: 'matrix: { seed: [0, 1] }', file: '/a.kaf.yaml', overrides: {} };
    expect(connection.request).toHaveBeenCalledWith('experiment/estimate', asked);
  });

  test('starts no server, and is silent of an experiment with a mistake', async () => {
    const { lens, connection, log } = lensOf(() => Promise.resolve(null));
    connection.state.status = 'stopped';
    expect(await lens.provideCodeLenses(swept)).toEqual([]);
    expect(connection.request).not.toHaveBeenCalled();
    connection.state.status = 'connected';
    expect(await lens.provideCodeLenses(swept)).toEqual([]);
    connection.request.mockRejectedValueOnce(new Error('gone'));
    expect(await lens.provideCodeLenses(swept)).toEqual([]);
    expect(log).toHaveBeenCalledTimes(1);
  });

  test('is asked for anew when the server comes, a sweep has changed or a run has finished', () => {
    const { lens, states, changes, store, ran } = lensOf(() => Promise.resolve(null));
    let told = 0;
    lens.onDidChangeCodeLenses(() => told++);
    states.fire({ status: 'connected' });
    changes.fire();
    expect(told).toBe(2);
    store.runs.push({ status: 'running' });
    ran.fire();
    expect(told).toBe(2);
    store.runs[0]!.status = 'finished';
    ran.fire();
    ran.fire();
    expect(told).toBe(3);
    lens.dispose();
    changes.fire();
    expect(told).toBe(3);
  });
});
