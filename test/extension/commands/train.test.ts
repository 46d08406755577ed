// What Train does with an experiment of one run, and with one that is a sweep.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { train } from '../../../extension/commands/train.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { runSummary } from '../runSummaries.ts';
import { answers, asked } from '../vscodeStandIn.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));
vi.mock('../../../extension/commands/experimentSource.ts', () => ({
  experimentDocument: (document: unknown) => Promise.resolve(document),
}));

beforeEach(() => {
  asked.length = 0;
  answers.length = 0;
});

const documentOf = (text: string) =>
  ({ getText: () => text, uri: { scheme: 'file', fsPath: '/a.kaf.yaml', path: '/a.kaf.yaml' } }) as vscode.TextDocument;
const swept = documentOf('name: a\nmatrix: { seed: [0, 1] }\n');

function desk(runs: readonly RunSummary[] = []) {
  const started: string[] = [];
  const opened: string[] = [];
  const parts = {
    connection: { request: (method: string) => (started.push(method), Promise.resolve({ runs })) },
    store: { apply: () => undefined },
    openDashboard: (id: string) => opened.push(id),
    openComparison: (ids: readonly string[]) => opened.push(`all of ${ids.join(' ')}`),
    startSweep: (document: vscode.TextDocument) => (started.push(`sweep ${document.uri.path}`), Promise.resolve()),
  };
  return { started, opened, parts: parts as unknown as Parameters<typeof train>[0] };
}

describe('Train', () => {
  test('asks nothing of an experiment without a matrix', async () => {
    const { started, parts } = desk();
    await train(parts, documentOf('name: a\n# matrix: none\n'));
    expect([started, asked]).toEqual([['run/start'], []]);
  });

  test.each([
    ['Compare Them', ['a', 'all of a b c']],
    ['Open All', ['a', 'b', 'c']],
    [undefined, ['a']],
  ])('of several seeds shows the first, and the others where %o is chosen', async (answer, expected) => {
    const { opened, parts } = desk(['a', 'b', 'c'].map((id) => runSummary({ id })));
    answers.push(answer);
    await train(parts, documentOf('name: a\n'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(opened).toEqual(expected);
    expect(asked[0]!.args).toEqual(['3 runs have been started; the first is shown.', 'Compare Them', 'Open All']);
  });

  test('of one run, or of more seeds than there is room for tabs, offers no dashboards besides', async () => {
    await train(desk([runSummary({ id: 'a' })]).parts, documentOf('name: a\n'));
    expect(asked).toEqual([]);
    const many = Array.from({ length: 9 }, (_, index) => runSummary({ id: String(index) }));
    await train(desk(many).parts, documentOf('name: a\n'));
    expect(asked[0]!.args.slice(1)).toEqual(['Compare Them']);
  });

  test('asks nothing where one epoch of every cell is wanted', async () => {
    const { started, parts } = desk();
    await train(parts, swept, { 'training.epochs': 1 });
    expect([started, asked]).toEqual([['run/start'], []]);
  });

  test.each([
    ['Start Sweep', ['sweep /a.kaf.yaml']],
    ['One After the Other', ['run/start']],
    [undefined, []],
  ])('of one with a matrix offers its sweep; on %o it begins %o', async (answer, expected) => {
    const { started, parts } = desk();
    answers.push(answer);
    await train(parts, swept);
    expect(started).toEqual(expected);
    const { args } = asked[0]!;
    expect(args[0]).toBe('a.kaf.yaml has a matrix: train its cells as a sweep?');
    expect(args.slice(2)).toEqual(['Start Sweep', 'One After the Other']);
  });
});
