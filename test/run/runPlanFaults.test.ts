// Work on a run that its disk refuses, or that another process takes over.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../server/protocol/run.ts';
import { LogWriter, logFile, SupersededError } from '../../server/run/logFile.ts';
import { noteEnd } from '../../server/run/noteRun.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { storageError } from '../../server/run/storageError.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, fromStart, readRows, startScriptedRun, trainScripted } from './scriptedRun.ts';

/** As `LogWriter`, on a disk that is full after so many bytes. */
function fullAfter(maxBytes: number) {
  return (...args: ConstructorParameters<typeof LogWriter>): LogWriter => {
    const writer = new LogWriter(...args);
    const append = writer.append.bind(writer);
    writer.append = (...frames) => {
      const sizeBytes = frames.reduce((sum, frame) => sum + frame.length, writer.sizeBytes);
      if (sizeBytes > maxBytes) throw storageError('log-0', Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      append(...frames);
    };
    return writer;
  };
}

describe('a disk that refuses', () => {
  it('ends the run as failed when it is full, with all that was committed', async () => {
    const run = createScriptedRun(scriptedPlan('endless'));
    const summaries: string[] = [];
    let committed = 0;
    const { ended } = startScriptedRun(run.folder, fromStart, {
      beginLog: fullAfter(16_000),
      onRows: (rows) => (committed += rows.length),
      onChange: (summary) => summaries.push(summary.message ?? summary.status),
    });
    const end = await ended;
    expect(end.status).toBe('failed');
    expect(end.message).toMatch(
      /^The disk is full: .*log-0 can't be written\. Free some space, then resume the run\.$/,
    );
    expect(summaries.at(-1)).toBe(end.message);
    expect(committed).toBeGreaterThan(20);
    const rows = readRows(run.folder);
    expect(rows).toHaveLength(committed);
    expect(rows.at(-1)?.seq).toBe(committed);
  });

  it('numbers the rows that follow a refused one as if it had not been', async () => {
    const run = createScriptedRun(scriptedPlan('steps', { evaluation: [scriptedEvaluation] }));
    let refused = 0;
    const beginLog = (...args: ConstructorParameters<typeof LogWriter>): LogWriter => {
      const writer = new LogWriter(...args);
      const append = writer.append.bind(writer);
      writer.append = (...frames) => {
        if (refused === 0 && writer.sizeBytes > 2500) {
          refused++;
          throw storageError('log-0', Object.assign(new Error('no space'), { code: 'ENOSPC' }));
        }
        append(...frames);
      };
      return writer;
    };
    const end = await startScriptedRun(run.folder, fromStart, { beginLog }).ended;
    expect([refused, end.status]).toEqual([1, 'failed']);
    const kept = readRows(run.folder);
    const seqs = kept.map(({ seq }) => seq);
    const steps = kept.flatMap(({ record }) => (record.type === 'step' ? [record.step] : []));
    expect(end.step).toBe(steps.at(-1));
    const work = { type: 'evaluate', incarnation: 1, checkpoint: 'step-4.safetensors', evaluation: scriptedEvaluation };
    await startScriptedRun(run.folder, { ...work, type: 'evaluate' }).ended;
    const all = readRows(run.folder).map(({ seq }) => seq);
    expect(all.length).toBeGreaterThan(seqs.length);
    expect(all).toEqual(all.map((_, index) => index + 1));
  });

  it('ends the run as failed when a checkpoint finds no space, and lists it nowhere', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const folder = checkpointsFolder(run.folder);
    fs.mkdirSync(path.join(folder, 'step-8.safetensors'));
    const end = await startScriptedRun(run.folder).ended;
    expect(end).toMatchObject({ status: 'failed', step: 8 });
    expect(end.message).toMatch(/step-8\.safetensors/);
    expect(end.checkpoints.map(({ step }) => step)).toEqual([4]);
    expect(fs.readdirSync(folder).sort()).toEqual(['step-4.safetensors', 'step-8.safetensors']);
    expect(readRows(run.folder).at(-1)?.record).toMatchObject({ type: 'test', step: 8 });
  });
});

describe('a run that another process takes over', () => {
  it('is refused to whoever comes second, before anything is done', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const first = startScriptedRun(run.folder);
    const second = startScriptedRun(run.folder);
    await expect(second.ended).rejects.toThrow(SupersededError);
    expect(await first.ended).toMatchObject({ status: 'finished', step: 12 });
  });

  it('stops at its next checkpoint, which it does not write, and what it did since counts no more', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    let theirs: Promise<RunSummary> | undefined;
    const { ended } = startScriptedRun(run.folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 6) theirs ??= startScriptedRun(run.folder, { type: 'train', incarnation: 1 }).ended;
      },
    });
    expect(await ended).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('Another process') as string,
    });
    await expect(theirs).resolves.toMatchObject({ status: 'finished', step: 12 });
    const whole = await trainScripted(scriptedPlan('steps'));
    const records = (folder: string) => readRows(folder).map(({ record }) => record);
    expect(records(run.folder)).toEqual(records(whole.folder));
    expect(fs.existsSync(logFile(run.folder, 2))).toBe(false);
  });

  it('whose folder is moved away ends at its next checkpoint', async () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const { ended } = startScriptedRun(run.folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 6 && fs.existsSync(run.folder)) fs.renameSync(run.folder, `${run.folder}-moved`);
      },
    });
    expect(await ended).toMatchObject({ status: 'failed', step: 8 });
    expect(readRows(`${run.folder}-moved`).at(-1)?.record).toMatchObject({ type: 'test', step: 8 });
    expect(fs.existsSync(run.folder)).toBe(false);
  });

  it('gets no last word from a server that comes late', async () => {
    const run = await trainScripted(scriptedPlan('steps'));
    const late = () => noteEnd(run.folder, { status: 'failed', message: 'It died.' }, { incarnation: 0, nowMs: 1 });
    expect(late).toThrow(SupersededError);
    const noted = noteEnd(run.folder, { status: 'failed', message: 'It died.' }, { incarnation: 1, nowMs: 1 });
    expect(noted).toMatchObject({ status: 'failed', message: 'It died.', step: 12, incarnation: 1 });
  });
});
