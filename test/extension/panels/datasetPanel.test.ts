// What the panel of a data set asks the server, and what its page is told.
import { beforeEach, expect, test, vi } from 'vitest';
import { Emitter } from 'vscode-jsonrpc/node';
import type { CancellationToken } from 'vscode-jsonrpc/node';
import { RequestFailure } from '../../../extension/connection/requestFailure.ts';
import { DatasetPanels } from '../../../extension/panels/datasetPanel.ts';
import type { DatasetPanelsOptions } from '../../../extension/panels/datasetPanel.ts';
import { decode } from '../../../server/protocol/codec.ts';
import type { LookProgress } from '../../../server/protocol/datasetLook.ts';
import { requestErrorCodes } from '../../../server/protocol/errors.ts';
import type { Encoded, FromDataset } from '../../../server/protocol/panel.ts';
import { Uri } from '../vscodeStandIn.ts';

const editor = vi.hoisted(() => ({ text: 'dataset: shapes', isTrusted: true, panels: [] as unknown[] }));

vi.mock('vscode', async () => ({
  ...(await import('../vscodeStandIn.ts')),
  ViewColumn: { Active: -1 },
  window: {
    createWebviewPanel: () => {
      const panel = makePanel();
      editor.panels.push(panel);
      return panel;
    },
  },
  workspace: {
    get isTrusted() {
      return editor.isTrusted;
    },
    openTextDocument: () => Promise.resolve({ getText: () => editor.text }),
  },
}));

vi.mock('../../../extension/commands/experimentSource.ts', () => ({
  experimentDocument: (file: string) => Promise.resolve({ uri: { ...Uri.file(file), toString: () => file } }),
}));

interface Look {
  readonly params: { text: string; file: string | null; lookId: string; isRestricted: boolean };
  readonly token: CancellationToken;
  answer(look: object): void;
  fail(error: Error): void;
}

function makePanel() {
  const said = new Emitter<FromDataset>();
  const disposed = new Emitter<void>();
  const posted: unknown[] = [];
  let revealed = 0;
  return {
    webview: {
      postMessage: ({ bytes }: Encoded) => Promise.resolve(posted.push(decode(bytes)) > 0),
      onDidReceiveMessage: said.event,
      asWebviewUri: (local: unknown) => local,
      cspSource: '',
    },
    onDidDispose: disposed.event,
    reveal: () => revealed++,
    dispose: () => {
      disposed.fire();
    },
    ...{ posted, revealed: () => revealed },
    say: (type: 'ready' | 'reload' | 'cancel') => {
      said.fire({ type });
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function start() {
  const looks: Look[] = [];
  const progressed = new Emitter<LookProgress>();
  const connection = {
    onDatasetProgressed: progressed.event,
    request: (_method: string, params: Look['params'], token: CancellationToken) => {
      const { promise, resolve, reject } = Promise.withResolvers<object>();
      looks.push({ params, token, answer: resolve, fail: reject });
      return promise;
    },
  };
  const panels = new DatasetPanels({
    extensionUri: Uri.file('/nowhere'),
    connection,
  } as unknown as DatasetPanelsOptions);
  const show = async (file: string) => {
    await panels.show(file);
    await settled();
  };
  const panelAt = (index: number) => editor.panels[index] as ReturnType<typeof makePanel>;
  return { panels, looks, progressed, show, panelAt };
}

beforeEach(() => {
  Object.assign(editor, { text: 'dataset: shapes', isTrusted: true, panels: [] });
});

const waiting = { type: 'progress', progress: null };

test('a panel is told how far its own look is, and what there is to see', async () => {
  const { looks, progressed, show, panelAt } = start();
  await show('/a.kaf.yaml');
  const { params, answer } = looks[0]!;
  expect(params).toMatchObject({ text: 'dataset: shapes', file: '/a.kaf.yaml', isRestricted: false });
  const progress = { lookId: params.lookId, what: 'reading', done: 1, total: 2 };
  progressed.fire({ ...progress, lookId: 'another' });
  progressed.fire(progress);
  answer({ title: 'Shapes' });
  await settled();
  const look = { type: 'look', look: { title: 'Shapes' } };
  expect(panelAt(0).posted).toEqual([waiting, { type: 'progress', progress }, look]);
  // A page that was hidden is a new one.
  panelAt(0).say('ready');
  expect(panelAt(0).posted.at(-1)).toEqual(look);
  expect(looks.length).toBe(1);
});

test('a file has one panel, which looks again with the text as it is by now', async () => {
  const { looks, show, panelAt } = start();
  await show('/a.kaf.yaml');
  editor.text = 'dataset: mnist';
  await show('/a.kaf.yaml');
  await show('/b.kaf.yaml');
  expect([editor.panels.length, panelAt(0).revealed()]).toEqual([2, 1]);
  expect(looks.map(({ token }) => token.isCancellationRequested)).toEqual([true, false, false]);
  expect(looks[1]!.params.text).toBe('dataset: mnist');
  looks[0]!.fail(new Error('dataset/look was cancelled.'));
  looks[1]!.answer({ title: 'MNIST' });
  await settled();
  expect(panelAt(0).posted).toEqual([waiting, waiting, { type: 'look', look: { title: 'MNIST' } }]);
});

test('a look can be cancelled, and asked for again', async () => {
  const { looks, show, panelAt } = start();
  await show('/a.kaf.yaml');
  panelAt(0).say('cancel');
  expect(looks[0]!.token.isCancellationRequested).toBe(true);
  looks[0]!.fail(new Error('dataset/look was cancelled.'));
  await settled();
  expect(panelAt(0).posted.at(-1)).toEqual({ type: 'cancelled' });
  panelAt(0).say('reload');
  await settled();
  expect(looks.length).toBe(2);
});

test('a mistake in the experiment is said with its line, any other failure as it is', async () => {
  const { looks, show, panelAt } = start();
  await show('/a.kaf.yaml');
  const range = { start: { line: 3, character: 0 }, end: { line: 3, character: 1 } };
  const issue = { path: 'seed', range, severity: 'error', expected: 'b', got: 'c', remedy: 'Write b.' } as const;
  const details = { code: requestErrorCodes.badExperiment, isRetryable: false, issues: [issue] };
  looks[0]!.fail(new RequestFailure('dataset/look', 'bad', details));
  await settled();
  expect(panelAt(0).posted.at(-1)).toEqual({ type: 'failed', message: 'line 4, seed: expected b, found c. Write b.' });
  panelAt(0).say('reload');
  await settled();
  looks[1]!.fail(new Error('/x.png is damaged.'));
  await settled();
  expect(panelAt(0).posted.at(-1)).toEqual({ type: 'failed', message: '/x.png is damaged.' });
});

test('in a workspace that is not trusted the server is told so', async () => {
  editor.isTrusted = false;
  const { looks, show } = start();
  await show('/a.kaf.yaml');
  expect(looks[0]!.params.isRestricted).toBe(true);
});

test('a panel that is closed wants nothing any more, and another is made for its file', async () => {
  const { looks, show, panelAt } = start();
  await show('/a.kaf.yaml');
  panelAt(0).dispose();
  expect(looks[0]!.token.isCancellationRequested).toBe(true);
  looks[0]!.answer({});
  await settled();
  expect(panelAt(0).posted).toEqual([waiting]);
  await show('/a.kaf.yaml');
  expect(editor.panels.length).toBe(2);
});
