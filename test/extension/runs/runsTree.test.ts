// How runs look in the Runs view.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { RunsTree, statusIcon } from '../../../extension/runs/runsTree.ts';
import type { RunStore } from '../../../extension/runs/runStore.ts';
import type { RunsNode } from '../../../extension/runs/runsModel.ts';
import { runStatuses } from '../../../server/protocol/run.ts';
import type { RunStatus, RunSummary } from '../../../server/protocol/run.ts';
import type { SweepCell, SweepSummary } from '../../../server/protocol/sweep.ts';
import { RunsView } from '../../../extension/runs/runsView.ts';
import { keeper } from '../keeper.ts';
import { runSummary } from '../runSummaries.ts';
import { TreeItemCheckboxState } from '../vscodeStandIn.ts';

vi.mock('vscode', () => import('../vscodeStandIn.ts'));

const storeOf = (runs: readonly RunSummary[]) =>
  ({ runs, onDidChange: () => ({ dispose: () => undefined }) }) as unknown as RunStore;

const noSweeps = { sweeps: [], onDidChange: () => ({ dispose: () => undefined }) };

/** Every row, from the top, as the view would show it. */
function rowsOf(...runs: RunSummary[]): vscode.TreeItem[] {
  const tree = new RunsTree(storeOf(runs), new RunsView(keeper()), noSweeps);
  const below = (node?: RunsNode): vscode.TreeItem[] =>
    tree.getChildren(node).flatMap((child) => [tree.getTreeItem(child), ...below(child)]);
  return below();
}

const texts = (rows: vscode.TreeItem[]) => rows.map(({ label, description }) => [label, description]);
const tooltipOf = (row: vscode.TreeItem | undefined) => (row?.tooltip as vscode.MarkdownString).value;

describe('the icon of a run', () => {
  const glyphs = fs.readFileSync(
    path.join(import.meta.dirname, '../../../node_modules/@vscode/codicons/dist/codicon.css'),
    'utf8',
  );

  test.each(runStatuses)('that is %s is one of the editor’s, in a colour of the theme', (status) => {
    const { id, color } = statusIcon(status);
    expect(glyphs).toContain(`.codicon-${id.replace('~spin', '')}:before`);
    expect(['descriptionForeground', 'errorForeground', 'charts.blue', 'charts.green', 'charts.yellow']).toContain(
      (color as unknown as { id: string }).id,
    );
  });

  test('tells every status from every other, without its colour too', () => {
    expect(new Set(runStatuses.map((status) => statusIcon(status).id)).size).toBe(runStatuses.length);
  });

  test('says in colour what went wrong', () => {
    const inError = runStatuses.filter(
      (status) => (statusIcon(status).color as unknown as { id: string }).id === 'errorForeground',
    );
    expect(inError).toEqual<RunStatus[]>(['diverged', 'failed', 'damaged']);
  });
});

describe('an experiment that is a sweep', () => {
  const sweepOf = (change: Partial<SweepCell>) => {
    const cell = { ...{ name: 'relu', values: {}, identity: '0', runId: 'r0', status: 'finished' }, message: null };
    return {
      ...{ id: 's', name: 'S', folder: '/s', experimentFile: null, createdMs: 1, status: 'resting', place: null },
      cells: [{ ...cell, step: 1, steps: 1, cleanAccuracy: null, robustAccuracy: null, ...change }],
    } as SweepSummary;
  };

  test('has runs that wait at a cluster, for the eye and the ear, and that are not begun here', () => {
    const run = runSummary({ id: 'r0', status: 'waiting', step: 0, cleanAccuracy: null, robustAccuracy: null });
    const sweep = sweepOf({ status: 'queued', job: { place: 'Slurm 1_0', waits: 'held by you' } });
    const tree = new RunsTree(storeOf([run]), new RunsView(keeper()), { ...noSweeps, sweeps: [sweep] });
    const row = tree.getTreeItem(tree.getChildren(tree.getChildren()[0])[0]!);
    expect(row).toMatchObject({
      ...{ label: 'relu', description: 'waits: held by you', iconPath: { id: 'watch' } },
      contextValue: 'run canTrash canDelete canPin canHide hasPlan',
      accessibilityInformation: { label: 'kaf-light, relu, waits: held by you' },
    });
    expect(tooltipOf(row)).toContain('waits: held by you · step 0 of 800');
  });

  test('opens its panel', () => {
    const run = runSummary({ id: 'r0' });
    const sweep = sweepOf({});
    const sweeps = { ...noSweeps, sweeps: [sweep] };
    const tree = new RunsTree(storeOf([run]), new RunsView(keeper()), sweeps);
    const [node] = tree.getChildren();
    expect(tree.getTreeItem(node!)).toMatchObject({
      contextValue: 'sweep',
      command: { command: 'kafscope.showSweep', arguments: [{ sweep }] },
    });
    const [plain] = new RunsTree(storeOf([run]), new RunsView(keeper()), noSweeps).getChildren();
    expect(tree.getTreeItem(plain!).command).toBeUndefined();
  });
});

describe('a run in the tree', () => {
  test('that nobody has begun is “not started”, for the eye and the ear, and can be begun or deleted', () => {
    const [, row] = rowsOf(runSummary({ status: 'waiting', step: 0, cleanAccuracy: null, robustAccuracy: null }));
    expect(row).toMatchObject({
      label: 'seed 0',
      description: 'not started',
      iconPath: { id: 'circle-large-outline' },
      contextValue: 'run canResume canTrash canDelete canPin canHide hasPlan',
      accessibilityInformation: { label: 'kaf-light, seed 0, not started' },
    });
    expect(tooltipOf(row)).toContain('not started · step 0 of 800');
  });

  test('that can’t be read stands by its folder’s name behind the others, says why, and can only be deleted', () => {
    const damaged = runSummary({
      ...{ id: 'copy-of-run', name: 'copy-of-run', status: 'damaged', createdMs: 9e12, seed: 0, steps: 0, step: 0 },
      ...{ message: 'origin.json is damaged: it is not JSON.', cleanAccuracy: null, robustAccuracy: null },
      ...{ description: 'damaged', experimentFile: null },
    });
    const another = { ...damaged, id: 'x', name: 'x', createdMs: 1 };
    const rows = rowsOf(damaged, runSummary({ status: 'finished', createdMs: 5 }), another);
    expect(texts(rows)).toEqual([
      ['kaf-light', '1 run'],
      ['seed 0', '64.1 / 38.9'],
      ['Damaged', '2 runs'],
      ['copy-of-run', 'damaged'],
      ['x', 'damaged'],
    ]);
    expect(rows[3]).toMatchObject({
      iconPath: { id: 'warning' },
      contextValue: 'run canTrash canDelete canPin canHide',
    });
    expect(tooltipOf(rows[3])).toMatch(/^\*\*copy\\-of\\-run\*\*\n\ndamaged\n\n/);
    expect(tooltipOf(rows[3])).toContain('origin\\.json is damaged: it is not JSON\\.');
    expect(tooltipOf(rows[3])).not.toContain('seed');
    expect(rows[3]?.accessibilityInformation).toEqual({ label: 'copy-of-run, damaged' });
  });

  test('has its checkpoints below it with step and size; one opens in the inspector', () => {
    const checkpoints = [
      { file: 'step-400.safetensors', step: 400, epoch: 10, sizeBytes: 13_400_000 },
      { file: 'step-80.safetensors', step: 80, epoch: 2 },
    ];
    const rows = rowsOf(runSummary({ status: 'finished', checkpoints })).slice(2);
    expect(texts(rows)).toEqual([
      ['epoch 10', 'step 400 · 13 MB'],
      ['epoch 2', 'step 80'],
    ]);
    const file = path.join('/runs/run-1/checkpoints/step-400.safetensors');
    expect(rows[0]).toMatchObject({ contextValue: 'checkpoint canEvaluate', tooltip: file, iconPath: { id: 'save' } });
    expect(rows[0]?.accessibilityInformation).toEqual({ label: 'epoch 10, step 400 · 13 MB' });
    expect(rows[0]?.command).toMatchObject({
      command: 'vscode.openWith',
      arguments: [{ fsPath: file }, expect.any(String)],
    });
  });
});

describe('boxes to tick', () => {
  const { Checked, Unchecked } = TreeItemCheckboxState;

  function boxes(view: RunsView, runs: readonly RunSummary[]) {
    const tree = new RunsTree(storeOf(runs), view, noSweeps);
    const below = (node?: RunsNode): (readonly [RunsNode, unknown])[] =>
      tree
        .getChildren(node)
        .flatMap((child) => [[child, tree.getTreeItem(child).checkboxState] as const, ...below(child)]);
    return { tree, boxes: below() };
  }

  test('are there once they are asked for, of runs that can be compared and of their experiments', () => {
    const runs = [
      runSummary({ id: 'a', name: 'x' }),
      runSummary({ id: 'b', name: 'x', seed: 1 }),
      runSummary({ id: 'c', name: 'broken', status: 'damaged' }),
      runSummary({ id: 'd', name: 'x', mark: { isTrashed: true } }),
    ];
    const view = new RunsView(keeper());
    const states = () =>
      boxes(view, runs).boxes.flatMap(([node, state]) =>
        node.type === 'checkpoint' || node.type === 'earlier' ? [] : [state],
      );
    expect(new Set(states())).toEqual(new Set([undefined]));
    view.choose({ ticked: ['a'] });
    const ofRun = (id: string) =>
      boxes(view, runs).boxes.find(([node]) => node.type === 'run' && node.run.id === id)?.[1];
    expect(['a', 'b', 'c', 'd'].map(ofRun)).toEqual([Checked, Unchecked, undefined, undefined]);
    const ofExperiment = () => boxes(view, runs).boxes.find(([node]) => node.type === 'experiment')?.[1];
    expect(ofExperiment()).toBe(Unchecked);
    view.choose({ ticked: ['a', 'b'] });
    expect(ofExperiment()).toBe(Checked);
  });

  test('tick runs one by one, and all of an experiment with its own', () => {
    const runs = [runSummary({ id: 'a', name: 'x' }), runSummary({ id: 'b', name: 'x', seed: 1 })];
    const view = new RunsView(keeper());
    view.choose({ ticked: ['gone'] });
    const { tree, boxes: all } = boxes(view, runs);
    const nodes = all.flatMap(([node]) => (node.type === 'experiment' || node.type === 'run' ? [node] : []));
    tree.tick(nodes.map((node) => [node, Checked]));
    expect(view.choice.ticked?.toSorted()).toEqual(['a', 'b', 'gone']);
    tree.tick([[nodes.find((node) => node.type === 'run' && node.run.id === 'a')!, Unchecked]]);
    expect(view.choice.ticked?.toSorted()).toEqual(['b', 'gone']);
  });
});
