// Experiments of many cells: compiled a cell at a time, so that nobody waits for all of them, and given up between any two.
import { expect, it, vi } from 'vitest';
import { compileExperiment, compileInTurns } from '../../server/experiment/compileExperiment.ts';
import * as plans from '../../server/experiment/makePlan.ts';
import { atOnce } from '../../server/experiment/turns.ts';
import { storedCells } from '../../server/sweep/storedCells.ts';
import { options } from './issuesOf.ts';

vi.mock('../../server/experiment/makePlan.ts', { spy: true });

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed).join(', ');

/** How many plans are made in each turn of the event loop until the work ends. */
async function plansATurn(work: Promise<unknown>): Promise<number[]> {
  const counts: number[] = [];
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void work.then(over, over);
  while (!isOver) {
    vi.mocked(plans.makePlan).mockClear();
    await new Promise(setImmediate);
    counts.push(vi.mocked(plans.makePlan).mock.calls.length);
  }
  return counts;
}

it.each([
  ['a matrix', `matrix: {seed: [${seeds(60)}]}`],
  ['a list of seeds', `seeds: [${seeds(60)}]`],
])(
  'of %s no more than two plans are made in a turn, and the cells are those that are made at once',
  async (_, text) => {
    const whole = compileExperiment(text, options);
    const work = compileInTurns(text, options);
    const counts = await plansATurn(work);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    expect(counts.filter((count) => count > 0).length).toBeGreaterThanOrEqual(59);
    expect(await work).toEqual(whole);
    expect(whole.cells).toHaveLength(60);
  },
);

it('what is not wanted any more is given up before its next cell', async () => {
  const controller = new AbortController();
  const work = compileInTurns(`matrix: {seed: [${seeds(60)}]}`, options, controller.signal);
  const ended = expect(work).rejects.toThrow('not wanted');
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  controller.abort(new Error('not wanted'));
  vi.mocked(plans.makePlan).mockClear();
  await ended;
  expect(plans.makePlan).not.toHaveBeenCalled();
});

it('what a sweep keeps of its cells is made of one at a time', () => {
  const { cells } = compileExperiment(`matrix: {seed: [${seeds(5)}]}`, options);
  const steps = storedCells(cells);
  const whole = atOnce(storedCells(cells));
  let nSteps = 0;
  while (!steps.next().done) nSteps++;
  expect([nSteps, whole.map(({ name }) => name)]).toEqual([5, cells.map(({ name }) => name)]);
  expect(new Set(whole.map(({ identity }) => identity)).size).toBe(5);
});

it('an issue that many cells have is kept once, and those of other cells beside it', () => {
  const unknown = Array.from({ length: 40 }, (_, index) => `k${String(index)}: 1\n`).join('');
  const { issues } = compileExperiment(`${unknown}matrix: {seed: [${seeds(50)}, x], training.epochs: [1, y]}`, options);
  expect(issues).toHaveLength(42);
  expect(issues.filter(({ path }) => path.startsWith('k')).every(({ got }) => !got.includes('in the cell'))).toBe(true);
});

it('plans that are too long together are one error, at the key that makes them many, and no more are made', () => {
  const layers = '{dense: 8}, '.repeat(100);
  const blocks = `{block: &layers [${layers}{dense: 8}]}, ${'{block: *layers}, '.repeat(12)}`;
  const network = `{layers: [flatten, ${blocks}{dense: classes}]}`;
  const text = (many: string) => `model: {network: ${network}}\ntraining: {method: standard}\n${many}`;
  for (const [key, many] of [
    ['matrix', `matrix: {seed: [${seeds(1000)}]}`],
    ['seeds', `seeds: [${seeds(100)}]`],
  ] as const) {
    vi.mocked(plans.makePlan).mockClear();
    const { cells, issues } = compileExperiment(text(many), options);
    expect(cells).toEqual([]);
    expect(issues.map(({ path, expected }) => [path, expected])).toEqual([
      [key, 'plans of at most 8 million characters for all runs together'],
    ]);
    expect(issues[0]!.range.start).toEqual({ line: 2, character: 0 });
    expect(vi.mocked(plans.makePlan).mock.calls.length).toBeLessThan(220);
  }
  expect(compileExperiment(text(`seeds: [${seeds(10)}]`), options).plans).toHaveLength(10);
});
