import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../../server/protocol/run.ts';
import type { SweepCell } from '../../../server/protocol/sweep.ts';
import {
  bestCells,
  cellColumns,
  cellReason,
  sortCells,
  statusColumn,
  wordsOfCell,
} from '../../../webview/sweep/cellTable.ts';
import { remainingMs } from '../../../webview/sweep/sweepTime.ts';
import { sweepCells } from '../gallery/sweepData.ts';

const { sweep, runs: compared } = sweepCells('sweep-busy');
const { cells } = sweep;
const runs = new Map(compared.map(({ run }) => [run.id, run]));
const columnOf = (key: string) => cellColumns(cells).find((column) => column.key === key)!;

describe('the cells of a sweep', () => {
  test('have a column for each axis in which they differ, and one for each figure', () => {
    expect(cellColumns(cells).map(({ title }) => title)).toEqual([
      ...['activation', 'seed', 'progress', 'clean', 'robust', 'time'],
    ]);
    expect(cellColumns(cells.slice(0, 1)).map(({ title }) => title)).not.toContain('seed');
  });

  test('come by what wants to be seen: failed, at work, finished, left, each as in the matrix', () => {
    const sorted = sortCells(cells, runs, statusColumn, { isDescending: false });
    expect(sorted.map(({ name, status }) => [name, status])).toEqual([
      ['swish · seed 1', 'failed'],
      ['kaf dictionary 20 · seed 0', 'training'],
      ['kaf dictionary 20 · seed 1', 'evaluating'],
      ...['relu · seed 0', 'relu · seed 1', 'relu · seed 2', 'swish · seed 0', 'swish · seed 2'].map((name) => [
        name,
        'finished',
      ]),
      ['kaf dictionary 20 · seed 2', 'waiting'],
    ]);
  });

  test('are sorted by a figure, those without one last either way', () => {
    const names = (isDescending: boolean) =>
      sortCells(cells, runs, columnOf('robust'), { isDescending }).map(({ robustAccuracy }) => robustAccuracy);
    const known = cells.flatMap(({ robustAccuracy }) => robustAccuracy ?? []).sort((a, b) => a - b);
    expect(names(false).slice(0, 5)).toEqual(known);
    expect(names(true).slice(0, 5)).toEqual(known.toReversed());
    expect(names(true).slice(5)).toEqual([null, null, null, null]);
  });

  test('say how far each is, what it came to and how long it took, and nothing of what is not there', () => {
    const texts = (index: number) =>
      cellColumns(cells).map(({ text }) => text(cells[index]!, runs.get(cells[index]!.runId ?? '')));
    expect(texts(0)).toEqual(['relu', '0', '100 %', '76.0 %', '40.0 %', '21 min']);
    expect(texts(6)).toEqual(['kaf dictionary 20', '0', '7,412 of 20,000', '80.4 %', '', '18 min']);
    expect(texts(8)).toEqual(['kaf dictionary 20', '2', '', '', '', '']);
  });

  test('mark the best accuracy among those that are done, and none of other attacks', () => {
    const best = (key: string, of = cells) => [...bestCells(of, columnOf(key))].map((index) => of[index]!.name);
    // A cell at work has 80.4 %.
    expect(best('clean')).toEqual(['swish · seed 0']);
    expect(best('robust')).toEqual(['swish · seed 0', 'swish · seed 2']);
    for (const key of ['progress', 'took', 'value/seed']) expect(best(key)).toEqual([]);
    const attacked = cells.map((cell, index) => ({
      ...cell,
      values: { ...cell.values, 'evaluation[0].epsilon': String(index) },
    }));
    expect(best('robust', attacked)).toEqual([]);
    expect(best('clean', attacked)).toEqual(['swish · seed 0']);
    expect(best('clean', cells.slice(0, 1))).toEqual([]);
    const parts = cells.map((cell) => (cell.name === 'swish · seed 0' ? { ...cell, isPart: true as const } : cell));
    expect(best('robust', parts)).toEqual(['swish · seed 2']);
  });

  test('tell why they failed or were cut off, and nothing where a message is of something else', () => {
    const one = (status: SweepCell['status']) => cellReason({ ...cells[0]!, status, message: 'why' });
    for (const status of ['failed', 'diverged', 'damaged', 'interrupted', 'waiting'] as const)
      expect(one(status)).toBe('why');
    expect([one('finished'), one('training'), one('stopped')]).toEqual([null, null, null]);
    expect(wordsOfCell(cells[4]!)).toContain('failed Out of memory');
    expect(wordsOfCell(cells[4]!)).toContain('model.activation swish');
  });

  test('tell why they wait at a cluster’s scheduler', () => {
    const at = (waits: string | null): SweepCell => ({
      ...cells[8]!,
      status: 'queued',
      job: { place: 'Slurm 12_8', waits },
    });
    expect([cellReason(at('others are before it')), cellReason(at(null))]).toEqual([
      'Slurm 12_8: others are before it',
      null,
    ]);
    expect(wordsOfCell(at('others are before it'))).toContain('queued Slurm 12_8: others are before it');
  });
});

describe('the time that a sweep still takes', () => {
  const cell = (change: Partial<SweepCell>): SweepCell => ({ ...cells[8]!, steps: 100, ...change });
  const run = (id: string, tookMs: number, steps = 100) =>
    [id, { id, steps, createdMs: 1000, updatedMs: 1000 + tookMs } as RunSummary] as const;
  const done = (id: string, activation: string) =>
    cell({ runId: id, status: 'finished', step: 100, values: { activation, seed: id } });
  const left = (activation: string, step = 0, status: SweepCell['status'] = 'waiting') =>
    cell({ status, step, runId: null, values: { activation, seed: '9' } });

  test('is unknown until a cell has finished', () => {
    expect(remainingMs([left('a'), left('a', 50, 'training')], new Map())).toBeNaN();
  });

  test('goes by the cells of the same values, or else by all, and is shared by those at work', () => {
    const known = new Map([run('1', 1000), run('2', 3000)]);
    const finished = [done('1', 'a'), done('2', 'b')];
    expect(remainingMs([...finished, left('a'), left('b')], known)).toBe(4000);
    expect(remainingMs([...finished, left('c')], known)).toBe(2000);
    expect(remainingMs([...finished, left('b', 50, 'training'), left('a', 90, 'training'), left('b')], known)).toBe(
      (1500 + 100 + 3000) / 2,
    );
    expect(remainingMs(finished, known)).toBe(0);
  });

  test('goes by the time at work, where that is known', () => {
    const waited = new Map([['1', { ...run('1', 90_000)[1], workedMs: 1000 }]]);
    expect(remainingMs([done('1', 'a'), left('a')], waited)).toBe(1000);
  });

  test('is not misled by one that was paused for long, and takes no failed cell for work', () => {
    const known = new Map([run('1', 1000), run('2', 1000), run('3', 90_000)]);
    const finished = ['1', '2', '3'].map((id) => done(id, 'a'));
    expect(remainingMs([...finished, left('a'), left('a', 0, 'failed')], known)).toBe(1000);
    expect(remainingMs([...finished, { ...left('a'), steps: 0 }], known)).toBe(1000);
  });
});
