// What a person notes of a run: kept beside its logs where that may be written, seen by everyone, and never in the way of the run.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runMarkSchema } from '../../server/protocol/runMark.ts';
import { markName, readMark, writeMark } from '../../server/run/markFile.ts';
import { deleteRun } from '../../server/run/runFolder.ts';
import { RunSupervisor } from '../../server/run/runSupervisor.ts';
import { createScriptedRun, filesOf, temporaryFolder, trainScripted } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

const trainerFile = path.join(import.meta.dirname, 'scriptedTrainerMain.ts');

function supervise(runsFolder: string): RunSupervisor {
  const supervisor = new RunSupervisor({ runsFolder, trainerFile, log: () => {}, now: () => Date.now() });
  onTestFinished(() => supervisor.close('The test is over.'));
  return supervisor;
}

describe('a mark', () => {
  it('says nothing to a terminal, turns no text around, and keeps to its lines', () => {
    const dirty = {
      title: ' a\u001b[31m\n\u202eb ',
      tags: [' x\ty ', '', 'x y'],
      note: 'one\r\n\u0007two\u2028three ',
    };
    expect(runMarkSchema.parse(dirty)).toEqual({ title: 'a [31m b', tags: ['x y'], note: 'one\n two three' });
    expect(runMarkSchema.parse({ title: ' ', tags: [''], note: '' })).toEqual({});
  });

  it('is bounded, and has no keys but its own', () => {
    const long = 'x'.repeat(5000);
    const tags = Array.from({ length: 30 }, (_, index) => `${String(index)}${long}`);
    const {
      title,
      note,
      tags: kept,
    } = runMarkSchema.parse({ title: long, note: long, tags, folder: '/', isPinned: true });
    expect([title?.length, note?.length]).toEqual([120, 4000]);
    expect(kept?.map((tag) => tag.length)).toEqual(Array(20).fill(40));
    expect(Object.keys(runMarkSchema.parse({ folder: '/', isPinned: true }))).toEqual(['isPinned']);
    expect(runMarkSchema.safeParse({ isPinned: false }).success).toBe(false);
  });

  it('is replaced whole, and leaves no file where nothing is noted', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const before = filesOf(folder);
    expect(readMark(folder)).toEqual({});
    writeMark(folder, { title: 'the best', tags: ['paper'] });
    writeMark(folder, { note: 'a note' });
    expect(readMark(folder)).toEqual({ note: 'a note' });
    expect(Object.keys(filesOf(folder))).toEqual([markName, ...Object.keys(before)].sort());
    for (const _ of ['a file', 'none']) {
      writeMark(folder, {});
      expect(filesOf(folder)).toEqual(before);
    }
  });

  it('is written over what a writer that was cut off has left', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const left = path.join(folder, `${markName}.${String(process.pid)}.tmp`);
    fs.writeFileSync(left, '{"format":"kafs');
    writeMark(folder, { title: 'a' });
    expect(readMark(folder)).toEqual({ title: 'a' });
    expect(fs.existsSync(left)).toBe(false);
  });

  it('that is somebody else’s file, a link or nothing to read is passed over and left as it is', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const file = path.join(folder, markName);
    for (const text of ['', '{', 'null', '[]', '{"title":"no format"}', '{"format":"kafscope mark","title":7}']) {
      fs.writeFileSync(file, text);
      expect(readMark(folder), text).toEqual({});
    }
    fs.rmSync(file);
    const outside = path.join(temporaryFolder(), 'x');
    fs.writeFileSync(outside, '{"format":"kafscope mark","title":"elsewhere"}');
    fs.symlinkSync(outside, file);
    expect(readMark(folder)).toEqual({});
    expect(() => {
      writeMark(folder, { title: 'a' });
    }).toThrow(/no regular file/);
    expect(fs.readFileSync(outside, 'utf8')).toContain('elsewhere');
  });

  it('is not written into the folder that a link leads to', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const link = path.join(temporaryFolder(), 'linked');
    fs.symlinkSync(folder, link);
    const before = filesOf(folder);
    expect(() => {
      writeMark(link, { title: 'a' });
    }).toThrow(/is a link/);
    expect(filesOf(folder)).toEqual(before);
  });

  it('changes nothing in a folder that may not be written', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    writeMark(folder, { title: 'before' });
    const before = filesOf(folder);
    // As the system says it to anyone but root, who may write everywhere.
    for (const refused of ['writeFileSync', 'renameSync'] as const) {
      vi.spyOn(fs, refused).mockImplementationOnce(() => {
        throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      });
      expect(() => {
        writeMark(folder, { title: 'a' });
      }).toThrow(/permission denied/);
      expect(filesOf(folder)).toEqual(before);
      expect(readMark(folder)).toEqual({ title: 'before' });
    }
  });

  it('is deleted with its run', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    writeMark(folder, { isTrashed: true });
    deleteRun(folder, 1);
    expect(fs.existsSync(folder)).toBe(false);
  });
});

describe('the server', () => {
  it('tells a mark to all, at once and through all that the run does, and one that another has made', async () => {
    const runsFolder = temporaryFolder();
    const { id, folder } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const [one, two] = [supervise(runsFolder), supervise(runsFolder)];
    expect(one.mark(id, { title: 'mine', tags: ['a'] })).toMatchObject({ mark: { title: 'mine', tags: ['a'] } });
    const ended = new Promise<void>((resolve) => {
      one.events.on('changed', (run) => {
        expect(run.mark).toEqual({ title: 'mine', tags: ['a'] });
        if (run.status === 'finished') resolve();
      });
    });
    one.resume(id);
    await ended;
    expect(two.list()[0]).toMatchObject({ status: 'finished', mark: { title: 'mine' } });
    writeMark(folder, { note: 'by hand' });
    expect(two.list()[0]?.mark).toEqual({ note: 'by hand' });
    expect(two.mark(id, {}).mark).toBeUndefined();
    expect(two.list()[0]?.mark).toBeUndefined();
    expect(fs.existsSync(path.join(folder, markName))).toBe(false);
  });

  it('keeps the mark of a run that is in the trash, and all else of it', async () => {
    const { folder, id } = await trainScripted(scriptedPlan('steps'));
    const before = filesOf(folder);
    const supervisor = supervise(path.dirname(folder));
    supervisor.mark(id, { isTrashed: true });
    const { [markName]: mark, ...rest } = filesOf(folder);
    expect(mark).toBeDefined();
    expect(rest).toEqual(before);
    supervisor.mark(id, {});
    expect(filesOf(folder)).toEqual(before);
  });

  it('hears by itself of runs that others begin, rename and remove', () => {
    const runsFolder = temporaryFolder();
    const supervisor = supervise(runsFolder);
    const told: string[] = [];
    supervisor.events.on('changed', ({ id }) => told.push(`+${id}`));
    supervisor.events.on('deleted', ({ id }) => told.push(`-${id}`));
    const { id, folder } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    fs.mkdirSync(path.join(runsFolder, 'no-run'));
    supervisor.followOthers();
    fs.renameSync(folder, path.join(runsFolder, 'renamed'));
    supervisor.followOthers();
    fs.rmSync(path.join(runsFolder, 'renamed'), { recursive: true });
    supervisor.followOthers();
    supervisor.followOthers();
    expect(told).toEqual([`+${id}`, `-${id}`, '+renamed', '-renamed']);
  });
});
