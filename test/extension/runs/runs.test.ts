import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Emitter } from 'vscode-jsonrpc/node';
import { canDo, runActions, runContextValue } from '../../../extension/runs/runActions.ts';
import { runsForest } from '../../../extension/runs/runsModel.ts';
import { chooseRunsFolder, prepareRunsFolder } from '../../../extension/runs/runsFolder.ts';
import { RunStore } from '../../../extension/runs/runStore.ts';
import { byteSize, currentRun, figureLines, runDescription, statusBarText } from '../../../extension/runs/runText.ts';
import type { Notifications } from '../../../server/protocol/messages.ts';
import type { ConnectionState } from '../../../server/protocol/panel.ts';
import type { AttackFigure } from '../../../server/protocol/attackFigures.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { attackPlan } from '../../attack/plans.ts';
import { runSummary } from '../runSummaries.ts';

describe('the Runs tree', () => {
  test('groups runs by experiment, newest first, with their checkpoints from the last', () => {
    const forest = runsForest([
      runSummary({ id: 'a', createdMs: 1, status: 'finished' }),
      runSummary({ id: 'b', createdMs: 3, seed: 1 }),
      runSummary({ id: 'c', createdMs: 2, name: 'swish', status: 'finished', checkpoints: checkpointsAt(100, 200) }),
    ]);
    expect(forest.map(({ label, description, runs }) => [label, description, runs.map(({ run }) => run.id)])).toEqual([
      ['kaf-light', '1 live of 2', ['b', 'a']],
      ['swish', '1 run', ['c']],
    ]);
    const folder = path.join('/runs/run-1', 'checkpoints');
    expect(forest[1]?.runs[0]?.checkpoints).toMatchObject([
      { label: 'epoch 2', description: 'step 200', file: path.join(folder, 'step-200.safetensors') },
      { label: 'epoch 1', description: 'step 100', file: path.join(folder, 'step-100.safetensors') },
    ]);
  });

  test('keeps all but the newest of many checkpoints behind one node', () => {
    const steps = Array.from({ length: 12 }, (_, index) => 100 * (index + 1));
    const checkpoints =
      runsForest([runSummary({ checkpoints: checkpointsAt(...steps) })])[0]?.runs[0]?.checkpoints ?? [];
    expect(checkpoints.map(({ label }) => label)).toEqual([
      ...['epoch 12', 'epoch 11', 'epoch 10', 'epoch 9', 'epoch 8', 'epoch 7', 'epoch 6', 'epoch 5'],
      '4 earlier',
    ]);
    expect(checkpoints.at(-1)).toMatchObject({ type: 'earlier', checkpoints: [{}, {}, {}, { label: 'epoch 1' }] });
  });

  test('keeps experiments of the same name in different files apart', () => {
    const forest = runsForest([
      runSummary({ id: 'a' }),
      runSummary({ id: 'b', experimentFile: '/other/kaf-light.kaf.yaml' }),
    ]);
    expect(forest).toHaveLength(2);
  });

  test('has the seeds of one start in the order of their numbers', () => {
    const ids = ['light-s2', 'light-s10', 'light-s1'];
    const [group] = runsForest(ids.map((id) => runSummary({ id, createdMs: 5 })));
    expect(group?.runs.map(({ run }) => run.id)).toEqual(['light-s10', 'light-s2', 'light-s1']);
  });

  test('tells runs of the same seed apart by their time, and only those', () => {
    const [group] = runsForest([runSummary({ id: 'a' }), runSummary({ id: 'b' }), runSummary({ id: 'c', seed: 1 })]);
    const labels = group?.runs.map(({ label }) => label) ?? [];
    expect(labels.filter((label) => label === 'seed 1')).toHaveLength(1);
    expect(labels.filter((label) => /^seed 0 · \d/.test(label))).toHaveLength(2);
  });
});

describe('what can be done with a run', () => {
  test.each<[Partial<RunSummary>, string[]]>([
    [{ status: 'queued' }, ['stop']],
    [{ status: 'training' }, ['pause', 'stop']],
    [{ status: 'paused' }, ['resume', 'stop']],
    [{ status: 'evaluating' }, ['stop']],
    [{ status: 'failed' }, ['resume', 'trash', 'delete']], // without a checkpoint: from the first step on
    [{ status: 'interrupted', checkpoints: checkpointsAt(100) }, ['resume', 'evaluate', 'trash', 'delete']],
    [{ status: 'finished', step: 800, checkpoints: checkpointsAt(800) }, ['evaluate', 'trash', 'delete']],
    [{ status: 'stopped', checkpoints: checkpointsAt(100), mark: { isTrashed: true } }, ['restore', 'delete']],
  ])('%o: %o', (changes, expected) => {
    const run = runSummary(changes);
    expect(runActions.filter((action) => canDo(action, run))).toEqual(expected);
  });

  test('is told to menus by whole words', () => {
    expect(runContextValue(runSummary({ status: 'training' }))).toBe('run canPause canStop canPin canHide hasPlan');
    const mark = { isPinned: true, isHidden: true } as const;
    expect(runContextValue(runSummary({ mark }))).toBe('run canPause canStop canUnpin canShow hasPlan');
    expect(runContextValue(runSummary({ status: 'finished', mark: { isTrashed: true } }))).toBe(
      'run canRestore canDelete isTrashed hasPlan',
    );
  });
});

describe('a run in a few words', () => {
  const figures: readonly AttackFigure[] = [
    { plan: attackPlan('pgd'), step: 800, samples: 1000, standing: 672 },
    { plan: attackPlan('pgd', { steps: 10, restarts: 1 }), step: 80, samples: 250, standing: 175, isPartial: true },
  ];

  test.each<[Partial<RunSummary>, string]>([
    [{}, '3/20 · 64.1 / 38.9'],
    [{ cleanAccuracy: null, robustAccuracy: null }, '3/20'],
    [{ status: 'finished', robustAccuracy: null }, '64.1'],
    [{ status: 'diverged', step: 3211 }, 'diverged · after step 3,211'],
    [{ status: 'queued', cleanAccuracy: null, robustAccuracy: null }, 'queued'],
    [{ status: 'stopped', cleanAccuracy: Number.NaN, robustAccuracy: Number.NaN }, 'stopped'], // an attack stopped before its first image
    [
      { status: 'finished', step: 800, robustAccuracy: 0.672, figures },
      '64.1 / ≤ 67.2 % (64.2 – 70.0) PGD-50-10 8/255',
    ],
    [
      { step: 120, robustAccuracy: 0.7, figures: figures.slice(1) },
      '3/20 · 64.1 / ≤ 70.0 % (64.1 – 75.3) PGD-10-1 8/255 at step 80',
    ],
    [{ status: 'finished', robustAccuracy: null, cleanWeights: 'average' }, '64.1 averaged'],
    [
      { status: 'finished', step: 800, cleanWeights: 'average', figures: [{ ...figures[0]!, weights: 'average' }] },
      '64.1 / ≤ 67.2 % (64.2 – 70.0) PGD-50-10 8/255 averaged',
    ],
  ])('%o: %s', (changes, expected) => {
    expect(runDescription(runSummary(changes))).toBe(expected);
  });

  test('has a line for each of its figures, by name', () => {
    expect(figureLines(runSummary({ step: 800, figures }))).toEqual([
      'clean: 64.1 %',
      'PGD-50-10 8/255: ≤ 67.2 % (64.2 – 70.0) of 1,000 images',
      'PGD-10-1 8/255 at step 80: ≤ 70.0 % (64.1 – 75.3) of 250 images, stopped',
    ]);
    expect(figureLines(runSummary({ cleanWeights: 'average' }))[0]).toBe('clean averaged: 64.1 %');
    expect(figureLines(runSummary())).toEqual(['clean: 64.1 %', 'under the last attack: 38.9 %']);
    expect(figureLines(runSummary({ cleanAccuracy: null, robustAccuracy: null }))).toEqual([]);
  });

  test('the status bar shows the live run that changed last, before those that wait, and how many more there are', () => {
    const runs = [
      runSummary({ id: 'a', status: 'queued', updatedMs: 9 }),
      runSummary({ id: 'b', updatedMs: 5 }),
      runSummary({ id: 'c', updatedMs: 4 }),
      runSummary({ id: 'd', status: 'finished', updatedMs: 10 }),
    ];
    const run = currentRun(runs);
    expect(run?.id).toBe('b');
    expect(statusBarText(runSummary(), 3)).toBe('$(pulse) kaf-light 3/20 · 64.1 % +2');
  });

  test('the status bar shows nothing when nothing is live', () => {
    expect(currentRun([runSummary({ status: 'finished' })])).toBeNull();
  });
});

describe('the runs folder', () => {
  test.each([
    ['', '/space', path.join('/space', '.kafscope', 'runs')],
    ['', null, path.join('/storage', 'runs')],
    ['my-runs', '/space', path.resolve('/space', 'my-runs')],
    ['/elsewhere/runs', '/space', path.resolve('/elsewhere/runs')],
    ['~/runs', '/space', path.join(os.homedir(), 'runs')],
  ])('setting %o in workspace %o', (setting, workspaceFolder, expected) => {
    expect(chooseRunsFolder({ setting, workspaceFolder, storageFolder: '/storage' })).toBe(expected);
  });

  test('keeps itself out of version control when it makes .kafscope, and leaves one that is there alone', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-'));
    onTestFinished(() => {
      fs.rmSync(folder, { recursive: true });
    });
    prepareRunsFolder(path.join(folder, '.kafscope', 'runs'));
    const ignore = path.join(folder, '.kafscope', '.gitignore');
    expect(fs.readFileSync(ignore, 'utf8')).toBe('*\n');
    fs.rmSync(ignore);
    prepareRunsFolder(path.join(folder, '.kafscope', 'runs'));
    expect(fs.existsSync(ignore)).toBe(false);
  });
});

describe('the size of a checkpoint', () => {
  test('stands behind its step where it is known', () => {
    const sizes = [999, 880_000, 9_960_000, 13_400_000, 2.5e9];
    expect(sizes.map(byteSize)).toEqual(['1.0 kB', '880 kB', '10.0 MB', '13 MB', '2.5 GB']);
    const checkpoints = [{ file: 'step-7.safetensors', step: 7, epoch: 1, sizeBytes: 880_000 }];
    const [node] = runsForest([runSummary({ checkpoints })])[0]!.runs[0]!.checkpoints;
    expect(node).toMatchObject({ description: 'step 7 · 880 kB' });
  });
});

describe('the run store', () => {
  test('takes the list on every connection, drops what is gone and ignores summaries older than its own', async () => {
    const { store, connect, change } = storeWith([
      [runSummary({ id: 'a' }), runSummary({ id: 'b' })],
      [runSummary({ id: 'a', updatedMs: 5000, revision: 5 })],
    ]);
    await connect();
    expect(store.runs.map(({ id }) => id)).toEqual(['a', 'b']);
    await connect();
    expect(store.runs.map(({ id }) => id)).toEqual(['a']);
    change({ run: runSummary({ id: 'a', updatedMs: 9000, revision: 4, step: 1 }), isDeleted: false });
    expect(store.get('a')?.step).toBe(120);
    // The clock was set back meanwhile.
    change({ run: runSummary({ id: 'a', updatedMs: 1000, revision: 6, step: 130 }), isDeleted: false });
    expect(store.get('a')?.step).toBe(130);
  });

  test('tells what a run was before', async () => {
    const { store, connect, change } = storeWith([[runSummary({ id: 'a' })]]);
    await connect();
    const seen: unknown[] = [];
    store.onDidChangeRun(({ run, before, isDeleted }) => seen.push([before?.status ?? null, run.status, isDeleted]));
    change({ run: runSummary({ id: 'a', status: 'paused' }), isDeleted: false });
    change({ run: runSummary({ id: 'n', status: 'queued' }), isDeleted: false });
    change({ run: runSummary({ id: 'a', status: 'paused' }), isDeleted: true });
    expect(seen).toEqual([
      ['training', 'paused', false],
      [null, 'queued', false],
      ['paused', 'paused', true],
    ]);
  });
});

function storeWith(lists: RunSummary[][]) {
  const states = new Emitter<ConnectionState>();
  const changes = new Emitter<Notifications['run/changed']>();
  const connection = {
    request: () => Promise.resolve({ runs: lists.shift() ?? [] }),
    onRunChanged: changes.event,
    onDidChangeState: states.event,
  };
  const store = new RunStore(connection as unknown as ConstructorParameters<typeof RunStore>[0], (line) => {
    throw new Error(line);
  });
  return {
    store,
    connect: async () => {
      const listed = new Promise<void>((resolve) => {
        const once = store.onDidChange(() => {
          once.dispose();
          resolve();
        });
      });
      states.fire({ status: 'connected' });
      await listed;
    },
    change: (changed: Notifications['run/changed']) => changes.fire(changed) as unknown,
  };
}

function checkpointsAt(...steps: number[]): RunSummary['checkpoints'] {
  return steps.map((step) => ({ step, epoch: step / 100, file: `step-${step}.safetensors` }));
}
