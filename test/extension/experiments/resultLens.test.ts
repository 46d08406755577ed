// What stands above an experiment of the runs that it began.
import { expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { Emitter } from 'vscode-jsonrpc/node';
import { ResultLens } from '../../../extension/experiments/resultLens.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { runSummary } from '../runSummaries.ts';
import { Uri } from '../vscodeStandIn.ts';

vi.mock('vscode', async () => {
  const standIn = await import('../vscodeStandIn.ts');
  class Range {}
  class CodeLens {
    readonly range: unknown;
    readonly command: unknown;
    constructor(range: unknown, command: unknown) {
      this.range = range;
      this.command = command;
    }
  }
  const { Emitter: EventEmitter } = await import('vscode-jsonrpc/node');
  return { ...standIn, Range, CodeLens, EventEmitter };
});

const experimentFile = '/project/a.kaf.yaml';
const run = (change: Partial<RunSummary>) => runSummary({ experimentFile, status: 'finished', ...change });

function lensOver(runs: RunSummary[]) {
  const changed = new Emitter<void>();
  const lens = new ResultLens({ runs, onDidChange: changed.event } as never);
  let nDrawn = 0;
  lens.onDidChangeCodeLenses(() => nDrawn++);
  const told = (uri = Uri.file(experimentFile)) =>
    lens.provideCodeLenses({ uri } as unknown as vscode.TextDocument).map(({ command }) => command);
  return {
    told,
    fire: () => {
      changed.fire();
    },
    drawn: () => nDrawn,
  };
}

test('the newest run of the file that is not in the trash is told with its figures, and leads to its dashboard', () => {
  const { told } = lensOver([
    run({ id: 'old', createdMs: 1, seed: 1, cleanAccuracy: 0.1 }),
    run({ id: 'new', createdMs: 3, seed: 2, cleanAccuracy: 0.641, robustAccuracy: null }),
    run({ id: 'trash', createdMs: 4, mark: { isTrashed: true } }),
    run({ id: 'other', createdMs: 5, experimentFile: '/project/b.kaf.yaml' }),
  ]);
  expect(told()).toEqual([
    { command: 'kafscope.openDashboard', title: 'last run, seed 2: finished · 64.1', arguments: ['new'] },
  ]);
  expect(told(Uri.file('/project/none.kaf.yaml'))).toEqual([]);
});

test('it is drawn anew where it says something else, and at no other change', () => {
  const runs = [run({ id: 'a', createdMs: 1, status: 'training' })];
  const { told, fire, drawn } = lensOver(runs);
  told();
  fire();
  expect(drawn()).toBe(0);
  runs[0] = run({ id: 'a', createdMs: 1 });
  fire();
  expect(drawn()).toBe(1);
});
