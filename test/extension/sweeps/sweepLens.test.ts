// What stands above an experiment with a matrix.
import { describe, expect, test, vi } from 'vitest';
import { Emitter } from 'vscode-jsonrpc/node';
import type * as vscode from 'vscode';
import { estimateText } from '../../../extension/sweeps/estimateText.ts';
import { SweepLens } from '../../../extension/sweeps/sweepLens.ts';
import type { ConnectionState } from '../../../server/protocol/panel.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

const estimate = { nCells: 54, nLeft: 54, atOnce: 4, ms: 12_000_000, bytes: 1.24e9 };

test.each([
  [{}, 'about 3 h 20 min, 4 at once · about 1.2 GB'],
  [{ nLeft: 12, atOnce: 1 }, '12 of 54 left · about 3 h 20 min · about 1.2 GB'],
  [{ ms: null, bytes: null }, 'time and disk unknown until the first cell ran'],
  [{ nLeft: 0 }, 'all 54 runs done'],
])('an estimate with %o is “%s”', (change, text) => {
  expect(estimateText({ ...estimate, ...change })).toBe(text);
});

describe('the lens of a sweep', () => {
  const documentOf = (text: string) =>
    ({ getText: () => text, uri: { scheme: 'file', fsPath: '/a.kaf.yaml' } }) as unknown as vscode.TextDocument;
  const swept = documentOf('matrix: { seed: [0, 1] }');

  function lensOf(answer: () => Promise<unknown>) {
    const states = new Emitter<ConnectionState>();
    const changes = new Emitter<void>();
    const connection = { state: { status: 'connected' }, onDidChangeState: states.event, request: vi.fn(answer) };
    const log = vi.fn();
    const lens = new SweepLens(connection as never, { onDidChange: changes.event }, log);
    return { lens, connection, states, changes, log };
  }

  test('says what the server estimates of the text as it is', async () => {
    const { lens, connection } = lensOf(() => Promise.resolve(estimate));
    const [found] = await lens.provideCodeLenses(swept);
    expect(found!.command).toEqual({ title: estimateText(estimate), command: '' });
    const asked = { text: 'matrix: { seed: [0, 1] }', file: '/a.kaf.yaml', overrides: {} };
    expect(connection.request).toHaveBeenCalledWith('sweep/estimate', asked);
  });

  test('starts no server, asks of no experiment without a matrix, and is silent of one with a mistake', async () => {
    const { lens, connection, log } = lensOf(() => Promise.resolve(null));
    expect(await lens.provideCodeLenses(documentOf('name: a'))).toEqual([]);
    connection.state.status = 'stopped';
    expect(await lens.provideCodeLenses(swept)).toEqual([]);
    expect(connection.request).not.toHaveBeenCalled();
    connection.state.status = 'connected';
    expect(await lens.provideCodeLenses(swept)).toEqual([]);
    connection.request.mockRejectedValueOnce(new Error('gone'));
    expect(await lens.provideCodeLenses(swept)).toEqual([]);
    expect(log).toHaveBeenCalledTimes(1);
  });

  test('is asked for anew when the server comes or a sweep has changed', () => {
    const { lens, states, changes } = lensOf(() => Promise.resolve(null));
    let told = 0;
    lens.onDidChangeCodeLenses(() => told++);
    states.fire({ status: 'connected' });
    changes.fire();
    expect(told).toBe(2);
    lens.dispose();
    changes.fire();
    expect(told).toBe(2);
  });
});
