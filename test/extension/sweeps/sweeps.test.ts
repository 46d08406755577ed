// Sweeps in the Runs tree, and what this window knows of them.
import { describe, expect, test, vi } from 'vitest';
import { runsForest } from '../../../extension/runs/runsModel.ts';
import { sweepContextValue, sweepDescription, withSweeps } from '../../../extension/sweeps/sweepNodes.ts';
import { placeChoices } from '../../../extension/sweeps/sweepPlaces.ts';
import { SweepEnds } from '../../../extension/sweeps/sweepEnds.ts';
import { SweepStore } from '../../../extension/sweeps/sweepStore.ts';
import type { RunStatus } from '../../../server/protocol/run.ts';
import type { SweepSummary } from '../../../server/protocol/sweep.ts';
import { runSummary } from '../runSummaries.ts';

function sweepOf(statuses: readonly (RunStatus | null)[], status: SweepSummary['status'] = 'working'): SweepSummary {
  return {
    ...{ id: 's', name: 'S', folder: '/s', experimentFile: null, createdMs: 1, status, place: null },
    cells: statuses.map((of, index) => ({
      ...{ name: `relu · seed ${index}`, values: {}, identity: String(index), message: null, step: 0, steps: 1 },
      ...{
        runId: of === null ? null : `r${index}`,
        status: of ?? 'waiting',
        cleanAccuracy: null,
        robustAccuracy: null,
      },
    })),
  };
}

describe('an experiment that is a sweep', () => {
  const statuses = ['finished', 'training', 'failed', 'interrupted', null] as const;
  const runs = statuses.flatMap((status, index) =>
    status === null ? [] : [runSummary({ id: `r${index}`, status, seed: index })],
  );

  test('says how far it is, and has its runs by their cells, those that failed first', () => {
    const [node, ...others] = withSweeps(runsForest(runs), [sweepOf(statuses)]);
    expect(others).toEqual([]);
    expect(node!.description).toBe('sweep · 1 failed · 1 at work · 1 of 5 done');
    expect(node!.runs.map(({ label, run }) => [label, run.status])).toEqual([
      ['relu · seed 2', 'failed'],
      ['relu · seed 3', 'interrupted'],
      ['relu · seed 1', 'training'],
      ['relu · seed 0', 'finished'],
    ]);
  });

  test('keeps runs of it that are no cell’s, and names that a person gave; other experiments are as they were', () => {
    const own = runSummary({ id: 'own', seed: 7 });
    const other = runSummary({ id: 'other', name: 'other' });
    const forest = withSweeps(runsForest([...runs, own, other]), [sweepOf(statuses)]);
    const node = forest.find((one) => one.type === 'experiment' && one.sweep !== undefined)!;
    expect(node.runs.find(({ run }) => run.id === 'own')!.label).toBe('seed 7');
    const titled = runSummary({ id: 'r0', status: 'finished', mark: { title: 'mine' } });
    expect(withSweeps(runsForest([titled]), [sweepOf(statuses)])[0]!.runs[0]!.label).toBe(
      runsForest([titled])[0]!.runs[0]!.label,
    );
    expect(forest.find(({ label }) => label === 'other')).toEqual(runsForest([other])[0]);
  });

  test('says how many wait at a cluster, and why most of them do', () => {
    const sweep = sweepOf(['finished', 'queued', 'queued', 'queued', 'training']);
    const reasons = [
      undefined,
      'others are before it (Priority)',
      'held by you',
      'others are before it (Priority)',
      null,
    ];
    const cells = sweep.cells.map((cell, index) => {
      const waits = reasons[index];
      return waits === undefined ? cell : { ...cell, job: { place: `Slurm 12_${index}`, waits } };
    });
    const [node] = withSweeps(runsForest(runs), [{ ...sweep, cells, scheduler: 'slurm' }]);
    expect(node!.description).toBe('sweep · 1 at work · 1 of 5 done · 3 wait: others are before it (Priority)');
    expect(sweepDescription({ ...sweep, cells: cells.slice(2, 3) })).toBe('sweep · 0 of 1 done · 1 waits: held by you');
    expect(sweepContextValue({ ...sweep, scheduler: 'slurm' })).toBe('sweep canStopSweep');
  });

  test('has runs that say why they wait there, instead of not having begun', () => {
    const sweep = sweepOf(['finished', 'queued']);
    const job = { place: 'Slurm 12_1', waits: 'others are before it (Priority)' };
    const cells = [sweep.cells[0]!, { ...sweep.cells[1]!, job }];
    const mine = runSummary({ id: 'r1', status: 'waiting', seed: 1, mark: { title: 'mine', tags: ['a'] } });
    const forest = runsForest([runSummary({ id: 'r0', status: 'finished' }), mine]);
    expect(forest[0]!.runs.find(({ run }) => run.id === 'r1')!.description).toContain('not started');
    const [node] = withSweeps(forest, [{ ...sweep, cells, scheduler: 'slurm' }]);
    const [waiting, done] = ['r1', 'r0'].map((id) => node!.runs.find(({ run }) => run.id === id)!);
    expect(waiting).toMatchObject({ label: 'mine', waits: job.waits });
    expect(waiting!.description).toMatch(/waits: others are before it \(Priority\) · #a$/);
    expect(waiting!.description).not.toContain('not started');
    expect(done).not.toHaveProperty('waits');
  });

  test('is begun where it can be, which is asked where there is a choice', () => {
    const here = { on: 'here', title: 'this machine', fault: null };
    const slurm = { on: 'slurm', title: 'Slurm', fault: null };
    expect(placeChoices([here]).choices.map(({ on, label }) => [on, label])).toEqual([['here', 'On this machine']]);
    expect(placeChoices([here, slurm]).choices.map(({ label }) => label)).toEqual(['On this machine', 'On Slurm']);
    const { choices, fault } = placeChoices([{ ...here, fault: 'Not here.' }, slurm]);
    expect([choices.map(({ on }) => on), fault]).toEqual([['slurm'], 'Not here.']);
  });

  test('offers what can be done with it', () => {
    expect(sweepContextValue(sweepOf(['training']))).toBe('sweep canPauseSweep canStopSweep');
    expect(sweepContextValue(sweepOf(['paused'], 'paused'))).toBe('sweep canResumeSweep canStopSweep');
    expect(sweepContextValue(sweepOf([null], 'resting'))).toBe('sweep canResumeSweep');
    expect(sweepContextValue(sweepOf(['finished', 'diverged'], 'resting'))).toBe('sweep');
    expect(sweepContextValue(sweepOf(['failed'], 'resting'))).toBe('sweep canRepeatSweep');
    expect(sweepContextValue(sweepOf(['finished', 'failed'], 'resting'))).toBe('sweep canRepeatSweep');
    expect(sweepDescription(sweepOf(['paused'], 'paused'))).toBe('sweep, paused · 1 at work · 0 of 1 done');
  });
});

test('the list of sweeps is asked for once for many changes of runs, and where that fails the last one stays', async () => {
  vi.useFakeTimers();
  let changed = () => {};
  const request = vi.fn(() => Promise.resolve({ sweeps: [sweepOf(['finished'])] }));
  const log = vi.fn();
  const nothing = { dispose: () => {} };
  const store = new SweepStore(
    {
      request,
      onRunChanged: (heard: () => void) => ((changed = heard), nothing),
      onDidChangeState: () => nothing,
    } as unknown as ConstructorParameters<typeof SweepStore>[0],
    log,
  );
  for (let index = 0; index < 20; index++) changed();
  expect(request).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2000);
  expect(request).toHaveBeenCalledTimes(1);
  expect(store.get('s')?.name).toBe('S');
  store.apply({ ...sweepOf(['failed']), name: 'newer' });
  expect(store.sweeps.map(({ name }) => name)).toEqual(['newer']);
  request.mockRejectedValueOnce(new Error('gone'));
  await store.refresh();
  expect(log).toHaveBeenCalledWith('No list of sweeps: Error: gone');
  expect(store.sweeps).toHaveLength(1);
  store.dispose();
  vi.useRealTimers();
});

describe('the end of a sweep', () => {
  const texts = (ends: SweepEnds, ...args: Parameters<typeof sweepOf>) =>
    ends.see([sweepOf(...args)]).map(({ text }) => text);

  test('is said once, after it was seen at work, with how many failed', () => {
    const ends = new SweepEnds();
    expect(texts(ends, ['finished', 'finished'], 'resting')).toEqual([]);
    expect(texts(ends, ['finished', 'training'])).toEqual([]);
    expect(texts(ends, ['finished', 'finished'], 'resting')).toEqual(['The sweep S has ended: 2 runs done.']);
    expect(texts(ends, ['finished', 'finished'], 'resting')).toEqual([]);
    expect(texts(ends, ['finished', null], 'working')).toEqual([]);
    expect(texts(ends, ['finished', 'diverged'], 'resting')).toEqual(['The sweep S has ended: 1 failed, 1 of 2 done.']);
  });

  test('is not said of one that was stopped or paused', () => {
    const ends = new SweepEnds();
    texts(ends, ['finished', 'training']);
    expect(texts(ends, ['finished', 'training'], 'paused')).toEqual([]);
    expect(texts(ends, ['finished', 'stopped'], 'resting')).toEqual([]);
  });
});

describe('a run that ends', () => {
  const storeOf = (...answers: SweepSummary[]) => {
    const request = vi.fn(() => Promise.resolve({ sweeps: [answers.shift() ?? sweepOf([])] }));
    const none = () => ({ dispose: () => undefined });
    const connection = { request, onRunChanged: none, onDidChangeState: none };
    return { request, store: new SweepStore(connection as never, () => undefined) };
  };

  test('is of a sweep at work that got it since its list was asked for', async () => {
    const { request, store } = storeOf(sweepOf([null]), sweepOf(['finished']));
    await store.refresh();
    expect(await store.hasRun('r0')).toBe(true);
    expect(request).toHaveBeenCalledTimes(2);
    store.dispose();
  });

  test('changes no tree where the sweeps are as they were', async () => {
    const { store } = storeOf(sweepOf(['training']), sweepOf(['training']), sweepOf(['finished']));
    let changes = 0;
    store.onDidChange(() => changes++);
    for (const expected of [1, 1, 2]) {
      await store.refresh();
      expect(changes).toBe(expected);
    }
    store.dispose();
  });

  test('is of none, and nobody is asked, where no sweep is at work', async () => {
    const { request, store } = storeOf(sweepOf(['finished'], 'resting'));
    await store.refresh();
    expect(await store.hasRun('r0')).toBe(true);
    expect(await store.hasRun('other')).toBe(false);
    expect(request).toHaveBeenCalledTimes(1);
    store.dispose();
  });
});
