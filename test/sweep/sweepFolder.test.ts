// What lies in a sweep's folder, also where it was cut off or damaged.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  asksAfter,
  cellsOf,
  listSweeps,
  makeSweep,
  newestCells,
  readCells,
  readSweepOrigin,
  runsFolderOf,
  sweepOf,
  writeAsk,
  writeCells,
} from '../../server/sweep/sweepFolder.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { processorAlone } from '../../server/run/machinePlaces.ts';
import { sharesOf } from '../../server/sweep/atOnce.ts';
import { runOf } from '../../server/sweep/sweepState.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { cellSet, makeScriptedSweep, scriptedCells } from './scriptedSweep.ts';

const origin = { name: 'Größen & Namen', experimentFile: '/a/b.kaf.yaml', createdMs: 5 };

/** Who wrote it has its cells in memory. */
function copied(folder: string): string {
  const copy = path.join(temporaryFolder(), 'copy');
  fs.cpSync(folder, copy, { recursive: true });
  return copy;
}

describe('a sweep’s folder', () => {
  it('is named for its experiment, and found by its file', () => {
    const runsFolder = temporaryFolder();
    expect(listSweeps(runsFolder)).toEqual([]);
    const first = makeSweep(runsFolder, origin);
    const second = makeSweep(runsFolder, { ...origin, experimentFile: '/other.kaf.yaml' });
    expect([first, second].map((folder) => path.basename(folder))).toEqual(['gro-en-namen', 'gro-en-namen-2']);
    expect(sweepOf(runsFolder, '/other.kaf.yaml')).toBe(second);
    expect(sweepOf(runsFolder, '/none.kaf.yaml')).toBe(null);
    expect(runsFolderOf(first)).toBe(runsFolder);
  });

  it('does not hide the others where it is damaged', () => {
    const runsFolder = temporaryFolder();
    fs.writeFileSync(path.join(makeSweep(runsFolder, { ...origin, name: 'a' }), 'sweep.json'), '{');
    const whole = makeSweep(runsFolder, origin);
    expect(sweepOf(runsFolder, origin.experimentFile)).toBe(whole);
  });

  it('keeps every set of cells, and has the newest that is whole', () => {
    const cells = scriptedCells(['steps', 'steps']);
    const folder = makeScriptedSweep(cells.slice(0, 1));
    writeCells(folder, cellSet(cells));
    expect(readCells(folder)).toMatchObject({ ...cellSet(cells), number: 1 });
    const torn = fs.readFileSync(path.join(folder, 'cells-1.json'), 'utf8').slice(0, 100);
    fs.writeFileSync(path.join(folder, 'cells-2.json'), torn);
    expect(readCells(folder).number).toBe(1);
    expect(newestCells(folder)).toBe(2);
    writeCells(folder, cellSet(cells.slice(1)));
    expect(readCells(folder)).toMatchObject({ number: 3, cells: [{ name: 'seed 1' }] });
  });

  it('holds what is asked of its worker, in order, up to what is not whole yet', () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    for (const ask of ['pause', 'go-on', 'stop'] as const) writeAsk(folder, ask);
    fs.writeFileSync(path.join(folder, 'ask-3.json'), '{"ask":');
    expect(asksAfter(folder, 0)).toEqual([
      { number: 1, ask: 'go-on' },
      { number: 2, ask: 'stop' },
    ]);
    fs.writeFileSync(path.join(folder, 'ask-3.json'), '{"ask":"rm -rf"}');
    expect(asksAfter(folder, 2)).toEqual([]);
  });

  it('of a stranger costs little: what is longer than any set is not read', () => {
    const folder = makeSweep(temporaryFolder(), origin);
    const [cell] = scriptedCells(['steps']);
    writeCells(folder, cellSet([cell!]));
    const file = path.join(folder, 'cells-1.json');
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 16 * 2 ** 20 + 1);
    expect(readCells(folder).number).toBe(0);
    fs.truncateSync(path.join(folder, 'cells-0.json'), 16 * 2 ** 20 + 1);
    expect(() => readCells(folder)).toThrow('it is longer than any that Kafscope makes');
  });

  it('of a stranger costs little, however many values its files have, and however deep', () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    const parsing = vi.spyOn(JSON, 'parse');
    for (const values of ['['.repeat(201), '{"a":'.repeat(201), '{},'.repeat(500_001), '1,'.repeat(1_000_001)]) {
      fs.writeFileSync(path.join(folder, 'cells-0.json'), values);
      expect(() => readCells(folder)).toThrow('it is longer than any that Kafscope makes');
    }
    fs.writeFileSync(path.join(folder, 'sweep.json'), ' '.repeat(600_000));
    expect(() => readSweepOrigin(folder)).toThrow('it is longer than any that Kafscope makes');
    expect(parsing).not.toHaveBeenCalled();
    parsing.mockRestore();
    // In a text they are none.
    writeCells(folder, { ...cellSet(scriptedCells(['steps'])), experimentText: `# "${'['.repeat(300)}\\` });
    expect(readCells(folder).experimentText).toContain('[[[');
  });

  it('is looked at a cell at a time, and a set that was read is not read again', () => {
    const cells = scriptedCells(['steps', 'steps', 'steps']);
    const folder = copied(makeScriptedSweep(cells));
    const turns = () => [...cellsOf(folder)].length;
    const parsing = vi.spyOn(JSON, 'parse');
    expect([turns(), turns()]).toEqual([1 + cells.length, 1]);
    expect(parsing).toHaveBeenCalledTimes(1);
    // Another file of its name is another set.
    fs.rmSync(path.join(folder, 'cells-0.json'));
    writeCells(folder, cellSet(cells.slice(1)));
    expect(readCells(folder).cells).toHaveLength(2);
    parsing.mockRestore();
  });

  it('of a stranger is told by its first wrong cell, and nothing is looked for behind ten sets that are cut off', () => {
    const made = makeSweep(temporaryFolder(), origin);
    const [cell, second] = scriptedCells(['steps', 'steps']);
    const wrong = { ...cell!, name: 7 } as unknown as typeof cell;
    writeCells(made, cellSet([cell!, wrong!, { ...wrong!, identity: 'none' }]));
    const folder = copied(made);
    expect(() => readCells(folder)).toThrow(/cells\.1\.name: .*string/);
    for (let number = 1; number <= 10; number++)
      fs.writeFileSync(path.join(folder, `cells-${String(number)}.json`), '');
    writeCells(folder, cellSet([second!]));
    for (let number = 12; number <= 21; number++)
      fs.writeFileSync(path.join(folder, `cells-${String(number)}.json`), '');
    expect(readCells(folder).number).toBe(11);
    fs.writeFileSync(path.join(folder, 'cells-22.json'), '');
    expect(() => readCells(folder)).toThrow('it is not JSON');
  });

  it('is looked through once for what is asked, however much is', () => {
    const folder = makeSweep(temporaryFolder(), origin);
    for (let ask = 0; ask < 20; ask++) writeAsk(folder, 'pause');
    const reading = vi.spyOn(fs, 'readdirSync');
    expect(asksAfter(folder, 4)).toHaveLength(15);
    expect(reading).toHaveBeenCalledTimes(1);
    reading.mockRestore();
  });

  it('leads out of the runs’ folder by no name', () => {
    const cell = { identity: 'a' };
    const at = (runId: string) => runOf(cell, { runs: new Map([['a', runId]]) }, '/runs');
    expect(['20261123-x', '../x', 'a/b', '..', '.', '/x'].map(at)).toEqual([
      '/runs/20261123-x',
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('runs at once', () => {
  const plan = scriptedPlan('steps');
  const machine = { cores: 8, freeBytes: 16e9, places: processorAlone };

  it('are as many as there are cores, cells and room for, with the cores shared out', () => {
    const plans = Array.from({ length: 20 }, () => plan);
    expect(sharesOf(plans, machine)).toMatchObject({ atOnce: 8, threads: 1 });
    expect(sharesOf(plans.slice(0, 3), machine)).toMatchObject({ atOnce: 3, threads: 2 });
    expect(sharesOf(plans, { ...machine, freeBytes: 1.2e9 })).toMatchObject({ atOnce: 2, threads: 4 });
    expect(sharesOf(plans, { ...machine, freeBytes: 1e6 })).toMatchObject({ atOnce: 1, threads: 8 });
  });

  it('is one where they would share a device', () => {
    expect(sharesOf([plan, { ...plan, runtime: 'torch' }], machine)).toMatchObject({ atOnce: 1, threads: 8 });
  });

  it('are one a GPU, and beside them those of the processor', () => {
    const places = { chosen: 'torch', gpus: { torch: ['cuda:0', 'cuda:1'] } } as const;
    const onGpu: Plan = { ...plan, runtime: 'auto' };
    const gpus = (n: number, asked = {}) =>
      sharesOf(
        Array.from({ length: n }, () => onGpu),
        { ...machine, places },
        asked,
      );
    expect(gpus(5)).toEqual({ atOnce: 2, threads: 4, slots: ['cuda:0', 'cuda:1'] });
    expect(gpus(1).slots).toEqual(['cuda:0']);
    expect(gpus(5, { atOnce: 3 }).slots).toEqual(['cuda:0', 'cuda:1', 'cuda:0']);
    expect(gpus(5, { atOnce: 1 })).toMatchObject({ atOnce: 1, threads: 8 });
    const mixed = sharesOf([onGpu, plan, onGpu, plan, onGpu], { ...machine, places });
    expect(mixed).toEqual({ atOnce: 4, threads: 2, slots: ['cuda:0', 'cuda:1', 'processor', 'processor'] });
  });

  it('are as many as one asks for', () => {
    expect(sharesOf([plan], machine, { atOnce: 4 })).toMatchObject({ atOnce: 4, threads: 2 });
    expect(sharesOf([plan], machine, { atOnce: 4, threads: 3 })).toMatchObject({ atOnce: 4, threads: 3 });
  });
});
