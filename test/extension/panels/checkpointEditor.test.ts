// When the editor of checkpoints asks for what is in a file, and when it does not want it any more.
import { expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { Emitter } from 'vscode-jsonrpc/node';
import type { CancellationToken } from 'vscode-jsonrpc/node';
import { CheckpointEditor } from '../../../extension/panels/checkpointEditor.ts';
import type { CheckpointEditorOptions } from '../../../extension/panels/checkpointEditor.ts';
import { decode } from '../../../server/protocol/codec.ts';
import type { Encoded, FromCheckpoint } from '../../../server/protocol/panel.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { runSummary } from '../runSummaries.ts';
import { fileChanged, Uri } from '../vscodeStandIn.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

interface Inspection {
  readonly file: string;
  readonly token: CancellationToken;
  answer(contents: object): void;
  fail(error: Error): void;
}

function openEditor(
  uri = Uri.file('/runs/a/checkpoints/step-1.safetensors'),
  openAsExperiment: CheckpointEditorOptions['openAsExperiment'] = () => undefined,
) {
  const inspections: Inspection[] = [];
  const connection = {
    request: (_method: string, { file }: { file: string }, token: CancellationToken) => {
      const { promise, resolve, reject } = Promise.withResolvers<object>();
      inspections.push({ file, token, answer: resolve, fail: reject });
      return promise;
    },
  };
  const posted: unknown[] = [];
  const said = new Emitter<FromCheckpoint>();
  const disposed = new Emitter<void>();
  const webview = {
    postMessage: ({ bytes }: Encoded) => Promise.resolve(posted.push(decode(bytes)) > 0),
    onDidReceiveMessage: said.event,
    asWebviewUri: (local: unknown) => local,
    cspSource: '',
  };
  const changed = new Emitter<void>();
  const runs: RunSummary[] = [];
  const asked: [string, string, string][] = [];
  const options = {
    ...{ extensionUri: Uri.file('/nowhere'), connection, openRun: () => undefined, openAsExperiment },
    store: { runs, onDidChange: changed.event },
    evaluate: (runId: string, file: string) => asked.push(['evaluate', runId, file]),
    fork: (runId: string, file: string) => asked.push(['fork', runId, file]),
  };
  const editor = new CheckpointEditor(options as unknown as CheckpointEditorOptions);
  const panel = { webview, onDidDispose: disposed.event } as unknown as vscode.WebviewPanel;
  editor.resolveCustomEditor({ uri } as unknown as vscode.CustomDocument, panel);
  return {
    asked,
    /** The runs that the window knows from here on. */
    know: (...known: RunSummary[]) => {
      runs.splice(0, runs.length, ...known);
      changed.fire();
    },
    inspections,
    posted,
    say: (message: FromCheckpoint) => {
      said.fire(message);
    },
    close: () => {
      disposed.fire();
    },
  };
}

/** What is in files; where they stand is told beside it. */
const contentsIn = (posted: readonly unknown[]) => posted.filter((one) => (one as { type: string }).type !== 'place');

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a page that is ready is given what is in the file', async () => {
  const { inspections, posted, say } = openEditor();
  say({ type: 'ready' });
  inspections[0]!.answer({ file: 'x' });
  await settled();
  expect(contentsIn(posted)).toEqual([{ type: 'contents', contents: { file: 'x' } }]);
});

test('a file that changes is read anew, and the earlier reading cancelled and not shown', async () => {
  const { inspections, posted, say } = openEditor();
  say({ type: 'ready' });
  fileChanged.fire();
  const [first, ...others] = inspections;
  expect(first!.token.isCancellationRequested).toBe(true);
  expect(others.some(({ token }) => !token.isCancellationRequested)).toBe(true);
  const last = others.at(-1)!;
  last.answer({ file: 'new' });
  first!.answer({ file: 'old' });
  await settled();
  expect(contentsIn(posted)).toEqual([{ type: 'contents', contents: { file: 'new' } }]);
  expect(last.token.isCancellationRequested).toBe(false);
});

test('an editor that is closed wants nothing any more', async () => {
  const { inspections, posted, say, close } = openEditor();
  say({ type: 'ready' });
  close();
  expect(inspections[0]!.token.isCancellationRequested).toBe(true);
  inspections[0]!.fail(new Error('checkpoint/inspect was cancelled.'));
  fileChanged.fire();
  await settled();
  expect([contentsIn(posted), inspections.length]).toEqual([[], 1]);
});

test('a failure is said, and a reading can be asked for again', async () => {
  const { inspections, posted, say } = openEditor();
  say({ type: 'ready' });
  inspections[0]!.fail(new Error('The disk is gone.'));
  await settled();
  say({ type: 'reload' });
  inspections[1]!.answer({ file: 'x' });
  await settled();
  expect(contentsIn(posted)).toEqual([
    { type: 'failed', message: 'The disk is gone.' },
    { type: 'contents', contents: { file: 'x' } },
  ]);
});

test('the experiment of a file is opened as it was asked for', () => {
  const opened: string[][] = [];
  const { say, inspections } = openEditor(undefined, (name, text) => {
    opened.push([name, text]);
  });
  say({ type: 'openAsExperiment', name: 'kaf-light', text: 'name: kaf-light\n' });
  expect(opened).toEqual([['kaf-light', 'name: kaf-light\n']]);
  expect(inspections).toHaveLength(0);
});

test('a checkpoint of a run that is known stands among the others of it, the earliest first, and as they change', () => {
  const { posted, say, know } = openEditor();
  const at = (step: number) => ({ file: `step-${String(step)}.safetensors`, step, epoch: step });
  const run = runSummary({ id: 'a', folder: '/runs/a', status: 'finished', checkpoints: [at(2), at(1)] });
  say({ type: 'ready' });
  know(run);
  know(run);
  know({ ...run, status: 'evaluating' });
  know(runSummary({ id: 'b', folder: '/runs/b', checkpoints: [at(1)] }));
  const place = { runId: 'a', checkpoints: [at(1), at(2)], canEvaluate: true };
  expect(posted).toEqual([
    { type: 'place', place: null },
    { type: 'place', place },
    { type: 'place', place: { ...place, canEvaluate: false } },
    { type: 'place', place: null },
  ]);
});

test('another checkpoint of the run is shown by its name, which leads nowhere else, and read again from there', () => {
  const { inspections, say, asked } = openEditor();
  say({ type: 'ready' });
  say({ type: 'show', file: '../../../etc/step-2.safetensors' });
  say({ type: 'reload' });
  expect(inspections.map(({ file }) => file)).toEqual([
    '/runs/a/checkpoints/step-1.safetensors',
    '/runs/a/checkpoints/step-2.safetensors',
    '/runs/a/checkpoints/step-2.safetensors',
  ]);
  say({ type: 'evaluate', runId: 'a', file: '../step-2.safetensors' });
  say({ type: 'fork', runId: 'a', file: 'step-1.safetensors' });
  expect(asked).toEqual([
    ['evaluate', 'a', 'step-2.safetensors'],
    ['fork', 'a', 'step-1.safetensors'],
  ]);
});
