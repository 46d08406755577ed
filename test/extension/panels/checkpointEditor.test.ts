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
  readonly method: string;
  readonly file: string;
  readonly params: object;
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
    request: (method: string, params: { file: string }, token: CancellationToken) => {
      const { file } = params;
      const { promise, resolve, reject } = Promise.withResolvers<object>();
      inspections.push({ method, file, params, token, answer: resolve, fail: reject });
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
    resume: (runId: string) => asked.push(['resume', runId, '']),
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
  const place = { runId: 'a', checkpoints: [at(1), at(2)], canEvaluate: true, canResume: false };
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

test('a file is compared with another of its run until something else is asked for, the shown one anew whenever it changes', async () => {
  const { inspections, posted, say } = openEditor();
  say({ type: 'ready' });
  say({ type: 'compare', file: '../../b/step-2.safetensors' });
  const [, first] = inspections;
  expect([first!.method, first!.params]).toEqual([
    'checkpoint/compare',
    { file: '/runs/a/checkpoints/step-1.safetensors', other: '/runs/a/checkpoints/step-2.safetensors' },
  ]);
  say({ type: 'show', file: 'step-3.safetensors' });
  expect(first!.token.isCancellationRequested).toBe(true);
  const again = inspections.at(-1)!;
  expect(again.params).toEqual({
    file: '/runs/a/checkpoints/step-3.safetensors',
    other: '/runs/a/checkpoints/step-2.safetensors',
  });
  first!.answer({ of: 'step-1' });
  again.answer({ of: 'step-3' });
  await settled();
  const name = 'step-2.safetensors';
  const told = () => posted.filter((one) => (one as { type: string }).type === 'compared');
  expect(told()).toEqual([
    { type: 'compared', comparison: { name, status: 'reading' } },
    { type: 'compared', comparison: { name, status: 'reading' } },
    { type: 'compared', comparison: { name, status: 'done', difference: { of: 'step-3' } } },
  ]);
  say({ type: 'compare', file: null });
  say({ type: 'reload' });
  expect(inspections.at(-1)!.method).toBe('checkpoint/inspect');
  expect(told().at(-1)).toEqual({ type: 'compared', comparison: null });
});

test('of two that can’t be compared it is said why, and the file itself stays', async () => {
  const { inspections, posted, say } = openEditor();
  say({ type: 'ready' });
  say({ type: 'compare', file: 'step-2.safetensors' });
  inspections[0]!.answer({ file: 'x' });
  inspections[1]!.fail(new Error('It is cut off.'));
  await settled();
  const comparison = { name: 'step-2.safetensors', status: 'failed', message: 'It is cut off.' };
  expect(posted).toContainEqual({ type: 'compared', comparison });
  expect(posted).toContainEqual({ type: 'contents', contents: { file: 'x' } });
});

test('of parts of kernels only the one asked for last is read to its end', async () => {
  const { inspections, posted, say } = openEditor();
  say({ type: 'askKernel', tensor: 'w', input: 0, page: 0 });
  say({ type: 'askKernel', tensor: 'w', input: 1, page: 0 });
  const [first, second] = inspections;
  expect(first!.token.isCancellationRequested).toBe(true);
  expect(second!.params).toEqual({ file: '/runs/a/checkpoints/step-1.safetensors', tensor: 'w', input: 1, page: 0 });
  first!.fail(new Error('cancelled'));
  second!.answer({ tensor: 'w' });
  await settled();
  say({ type: 'askKernel', tensor: 'w', input: 9, page: 0 });
  inspections[2]!.fail(new Error('There is no such kernel.'));
  await settled();
  expect(posted).toEqual([
    { type: 'kernel', pictures: { tensor: 'w' } },
    { type: 'noKernel', tensor: 'w', message: 'There is no such kernel.' },
  ]);
});
