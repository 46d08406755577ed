// Run folders: their names, their making, and what of them is found again.
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { RunDatabase } from '../../server/run/runDatabase.ts';
import { databaseFile, listRunFolders } from '../../server/run/runFolder.ts';
import { makeRunId } from '../../server/run/runId.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, everyRow, temporaryFolder } from './scriptedRun.ts';

const timeMs = Date.UTC(2026, 10, 23, 3, 45, 1);

describe('the name of a run', () => {
  it('tells time, experiment and seed, and fits the protocol and every file system', () => {
    expect(makeRunId('kaf-light', 0, timeMs, () => false)).toBe('20261123-034501-kaf-light-s0');
    for (const name of ['Käf / light: ε=8', '', '...', 'x'.repeat(300), '日本']) {
      expect(makeRunId(name, 7, timeMs, () => false)).toMatch(/^20261123-034501-[a-z0-9-]{1,60}-s7$/);
    }
  });

  it('is never taken twice', () => {
    const runsFolder = temporaryFolder();
    const ids = [1, 2, 3].map(() => createScriptedRun(scriptedPlan('steps'), runsFolder).id);
    expect(ids).toEqual(['20261123-034501-steps-s0', '20261123-034501-steps-s0-2', '20261123-034501-steps-s0-3']);
    expect(listRunFolders(runsFolder)).toEqual(ids.map((id) => path.join(runsFolder, id)));
  });
});

describe('a run folder', () => {
  it('holds the plan, the experiment and the versions as they were given', () => {
    const plan = scriptedPlan('steps');
    const { folder, id } = createScriptedRun(plan);
    const database = RunDatabase.open(databaseFile(folder), 'read');
    expect(database.readOrigin()).toEqual({
      id,
      plan,
      createdMs: timeMs,
      description: 'scripted',
      experimentText: 'name: scripted',
      experimentFile: null,
      versions: { kafscope: '0.0.0-test', node: '24' },
    });
    expect(database.readState().summary).toMatchObject({ id, status: 'queued', step: 0, folder });
    expect(database.readRows(0, everyRow)).toEqual([]);
    database.close();
  });

  it('is not found where there is none', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'empty'));
    fs.writeFileSync(path.join(folder, 'run.db'), '');
    expect(listRunFolders(folder)).toEqual([]);
    expect(listRunFolders(path.join(folder, 'nowhere'))).toEqual([]);
  });

  it('that can not be made says why', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'runs'), 'a file');
    expect(() => createScriptedRun(scriptedPlan('steps'), path.join(folder, 'runs'))).toThrow(/runs.*(EEXIST|ENOTDIR)/);
  });
});

describe('run.db', () => {
  it('of a newer Kafscope, of another program, or damaged is refused with what to do', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const file = databaseFile(folder);
    const change = (sql: string) => {
      const database = new DatabaseSync(file);
      database.exec(sql);
      database.close();
    };
    change('PRAGMA user_version = 2');
    expect(() => RunDatabase.open(file, 'read')).toThrow(
      /written by a newer Kafscope \(schema 2\)\. Update Kafscope\./,
    );
    change('PRAGMA application_id = 1');
    expect(() => RunDatabase.open(file, 'write')).toThrow('is not a run of Kafscope');
    fs.writeFileSync(file, 'this is no database at all, but long enough to be read as one '.repeat(20));
    expect(() => RunDatabase.open(file, 'read')).toThrow(/run\.db: file is not a database/);
    fs.rmSync(file);
    expect(() => RunDatabase.open(file, 'read')).toThrow(/run\.db: unable to open database file/);
  });

  it('gives rows in pages by number and by bytes', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const database = RunDatabase.open(databaseFile(folder), 'write');
    const rows = Array.from({ length: 10 }, (_, index) => ({
      seq: index + 1,
      timeMs: index,
      step: index,
      record: { type: 'shapes' as const, step: index, alphas: [new Float32Array(250)] },
    }));
    database.commit(rows, [], database.readState());
    const seqs = (after: number, maxRows: number, maxBytes: number) =>
      database.readRows(after, { maxRows, maxBytes }).map(({ seq }) => seq);
    expect(seqs(0, 3, Infinity)).toEqual([1, 2, 3]);
    expect(seqs(3, 100, 2500)).toEqual([4, 5, 6]);
    expect(seqs(3, 100, 1)).toEqual([4]);
    expect(seqs(9, 100, Infinity)).toEqual([10]);
    database.close();
  });

  it('commits all or nothing', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const database = RunDatabase.open(databaseFile(folder), 'write');
    const row = { seq: 1, timeMs: 0, step: 0, record: { type: 'shapes' as const, step: 0, alphas: [] } };
    const state = database.readState();
    expect(() => {
      database.commit([row, row], [{ file: 'x', step: 1, epoch: 1 }], { ...state, evaluations: 9 });
    }).toThrow('UNIQUE');
    expect(database.readRows(0, everyRow)).toEqual([]);
    expect(database.readCheckpoints()).toEqual([]);
    expect(database.readState()).toEqual(state);
    database.close();
  });
});
