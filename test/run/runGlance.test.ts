// A run seen from the end of its newest log, by logs made by hand: what it is, whether it lives, and when it was written to.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../server/protocol/records.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { beatFile, logFile } from '../../server/run/logFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { attackPlan } from '../attack/plans.ts';
import { begin } from './handMadeLog.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { damagedRun, filesSign, glance, judged, newestOf, placeOf, remedy } from '../../server/run/runGlance.ts';
import { createScriptedRun, readRows, startScriptedRun, temporaryFolder, trainScripted } from './scriptedRun.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';

const dead = { ...thisProcess(), pidStart: '1' };

function made() {
  return createScriptedRun(scriptedPlan('steps')).folder;
}

function step(seq: number): { seq: number; timeMs: number; step: number; record: RunRecord } {
  const record: RunRecord = { type: 'step', step: seq, epoch: 1, loss: seq / 8, accuracy: 0, learningRate: 0.1 };
  return { seq, timeMs: seq * 1000, step: seq, record };
}

describe('a glance at a run', () => {
  it('that has not begun shows what was planned', () => {
    const { summary, owner, restStatus, evaluations } = glance(made());
    expect(summary).toMatchObject({ status: 'waiting', step: 0, incarnation: -1 });
    expect([owner, restStatus, evaluations]).toEqual([null, null, 0]);
  });

  it('shows its last state and the rows behind it', () => {
    const folder = made();
    const owner = thisProcess();
    const further = [encodeFrame('rows', [step(1), step(2)]), encodeFrame('rows', [step(3)])];
    begin(folder, 0, { status: 'training', owner, restStatus: 'stopped', further });
    const seen = glance(folder);
    expect(seen.summary).toMatchObject({ status: 'training', step: 3, loss: 0.375, updatedMs: 3000, incarnation: 0 });
    expect(seen).toMatchObject({ owner, restStatus: 'stopped', evaluations: 5 });
  });

  it('shows the figure of an attack that came to its end behind the last state, by what that says was under way', () => {
    const folder = made();
    const attackUnderWay = { plan: scriptedEvaluation, step: 4 };
    const all = { value: 1, low: 1, high: 1 };
    const record: RunRecord = {
      ...{ type: 'evaluationFinished', evaluation: 1, samples: 10, clean: all, isPartial: false },
      robust: { value: 0.7, low: 0, high: 1 },
    };
    const further = [encodeFrame('rows', [{ seq: 1, timeMs: 1, step: 4, record }])];
    begin(folder, 0, { status: 'evaluating', change: { attackUnderWay }, further });
    expect(glance(folder).summary).toMatchObject({
      ...{ robustAccuracy: 0.7, attackUnderWay: undefined },
      figures: [{ ...attackUnderWay, samples: 10, standing: 7, clean: 10 }],
    });
  });

  it('of a state without figures, as older versions wrote it, shows the value; the next work reads whose it is from the rows', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps', { evaluation: [scriptedEvaluation] }));
    begin(folder, 1, { status: 'finished', change: { figures: undefined }, firstSeq: readRows(folder).length + 1 });
    expect(glance(folder).summary).toMatchObject({ figures: undefined, robustAccuracy: 0.2 });
    const evaluation = attackPlan('fgsm', { samples: 10, batchSize: 5 });
    const work = { type: 'evaluate', incarnation: 2, checkpoint: 'step-4.safetensors', evaluation } as const;
    expect(await startScriptedRun(folder, work).ended).toMatchObject({
      robustAccuracy: 0.2,
      figures: [
        { plan: { attack: 'pgd' }, step: 12, standing: 2 },
        { plan: { attack: 'fgsm' }, step: 4, standing: 2 },
      ],
    });
  });

  it('passes over what is no row, and over a state of no form', () => {
    const folder = made();
    begin(folder, 0, { status: 'training', further: [encodeFrame('rows', 7), encodeFrame('head', [step(9)])] });
    expect(glance(folder).summary).toMatchObject({ status: 'training', step: 0 });
    begin(folder, 1, { further: [encodeFrame('state', { progress: 1 })] });
    expect(glance(folder).summary).toMatchObject({ status: 'training', incarnation: 1 });
  });

  it('goes back to the log before one that was cut off as it began, also where that is gone', () => {
    const folder = made();
    begin(folder, 0, { status: 'stopped' });
    begin(folder, 1, {});
    expect(glance(folder).summary).toMatchObject({ status: 'stopped', incarnation: 1 });
    fs.rmSync(logFile(folder, 0));
    expect(glance(folder).summary).toMatchObject({ status: 'waiting', incarnation: 1 });
    fs.writeFileSync(logFile(folder, 1), '');
    expect(glance(folder).summary).toMatchObject({ status: 'waiting', incarnation: 1 });
  });

  it('does not look at a database that lies beside its origin', () => {
    const folder = made();
    fs.writeFileSync(path.join(folder, 'run.db'), 'no database');
    expect(glance(folder).summary.status).toBe('waiting');
  });
});

describe('the sign of a run', () => {
  it('changes with its newest log and with its heartbeat, and with nothing else', () => {
    const folder = made();
    expect(glance(folder).sign.incarnation).toBe(`${folder} -1`);
    const owner = thisProcess();
    for (const number of [0, 1]) {
      begin(folder, number, { status: 'training', owner });
      const before = glance(folder).sign;
      expect(before.incarnation).toBe(owner.incarnation);
      fs.mkdirSync(path.join(folder, `other-${String(number)}`));
      if (number > 0) fs.appendFileSync(beatFile(folder, number - 1), '.');
      expect(glance(folder).sign).toEqual(before);
      fs.appendFileSync(beatFile(folder, number), '.');
      const beaten = glance(folder).sign;
      expect(beaten.value).not.toBe(before.value);
      fs.appendFileSync(logFile(folder, number), encodeFrame('rows', []));
      expect(glance(folder).sign.value).not.toBe(beaten.value);
    }
  });
});

describe('a run that is looked at', () => {
  const judge = (folder: string) => judged(glance(folder), new LifeWatch());

  it('and rests stays as it is, whether its process lives or not', () => {
    for (const status of ['finished', 'stopped', 'waiting'] as const) {
      const folder = made();
      begin(folder, 0, { status, owner: dead });
      expect(judge(folder)).toEqual({ summary: glance(folder).summary, life: null });
    }
  });

  it.runIf(process.platform === 'linux')('and is at work lives with its process, and is interrupted without', () => {
    const alive = made();
    begin(alive, 0, { status: 'training' });
    expect(judge(alive)).toEqual({ summary: glance(alive).summary, life: 'alive' });
    const gone = made();
    begin(gone, 0, { status: 'training', owner: dead });
    const { summary, life } = judge(gone);
    expect(life).toBe('dead');
    expect(summary).toEqual({
      ...glance(gone).summary,
      status: 'interrupted',
      message:
        'Its process ended without a message, as when the machine or the server is stopped. It had no checkpoint yet; resume the run to begin again.',
    });
  });

  it.runIf(process.platform === 'linux')('and whose attack was cut off rests as before', () => {
    const folder = made();
    begin(folder, 0, { status: 'evaluating', owner: dead, restStatus: 'finished' });
    expect(judge(folder).summary).toEqual({
      ...glance(folder).summary,
      status: 'finished',
      message:
        'The process of its attack ended without a message. Go on with the attack: it continues behind its last batch.',
    });
  });

  it('and elsewhere is not given up at once', () => {
    const folder = made();
    begin(folder, 0, { status: 'training', owner: { ...thisProcess(), boot: 'another' } });
    expect(judge(folder)).toEqual({ summary: glance(folder).summary, life: 'unheard' });
  });

  it('goes on from its checkpoint if it has one', () => {
    const { summary } = glance(made());
    expect(remedy(summary)).toBe('It had no checkpoint yet; resume the run to begin again.');
    const checkpoints = [{ file: 'step-1.safetensors', step: 1, epoch: 1 }];
    expect(remedy({ ...summary, checkpoints })).toBe('Resume the run to go on from its last checkpoint.');
  });

  it('is somewhere: on a machine, and there perhaps in a queue', () => {
    const folder = made();
    expect(placeOf(glance(folder))).toBeNull();
    const owner = { ...thisProcess(), pid: 7, host: 'here', job: null };
    begin(folder, 0, { status: 'training', owner });
    expect(placeOf(glance(folder))).toBe('process 7 on here');
    begin(folder, 1, { status: 'training', owner: { ...owner, job: 'slurm 12_5' } });
    expect(placeOf(glance(folder))).toBe('process 7 on here, slurm 12_5');
  });
});

describe('a damaged run', () => {
  it('is listed with what is wrong, whether its folder is there or not', () => {
    const folder = made();
    const expected = {
      ...{ id: path.basename(folder), folder, name: path.basename(folder), seed: 0, description: 'damaged' },
      ...{ experimentFile: null, status: 'damaged', message: 'It makes no sense.', step: 0, steps: 0, epoch: 0 },
      ...{ epochs: 0, loss: null, cleanAccuracy: null, robustAccuracy: null, imagesPerSecond: null, device: null },
      ...{ memory: null, checkpoints: [], incarnation: -1, revision: 0 },
    };
    const { mtimeMs } = fs.statSync(folder);
    const error = new Error('It makes no sense.');
    expect(damagedRun(folder, error)).toEqual({ ...expected, createdMs: mtimeMs, updatedMs: mtimeMs });
    fs.rmSync(folder, { recursive: true });
    expect(damagedRun(folder, error)).toEqual({ ...expected, createdMs: 0, updatedMs: 0 });
  });
});

describe("the sign of a run's files", () => {
  it('changes when the run is written to, in either form, and when another takes its place', () => {
    const folder = made();
    const signs: string[] = [];
    const changes: (() => void)[] = [
      () => {},
      () => {
        fs.writeFileSync(path.join(folder, 'run.db'), '');
      },
      () => {
        fs.utimesSync(path.join(folder, 'run.db'), 1, 5);
      },
      () => {
        fs.writeFileSync(path.join(folder, 'run.db-wal'), 'x');
      },
      () => {
        fs.cpSync(folder, `${folder}-copy`, { recursive: true, preserveTimestamps: true });
        fs.rmSync(folder, { recursive: true });
        fs.renameSync(`${folder}-copy`, folder);
      },
      () => {
        begin(folder, 0, {});
      },
      () => {
        fs.appendFileSync(logFile(folder, 0), 'x');
      },
      () => {
        fs.appendFileSync(beatFile(folder, 0), '.');
      },
      () => {
        fs.utimesSync(path.join(folder, 'run.db'), 1, 6);
      },
      () => {
        fs.appendFileSync(path.join(folder, 'run.db-wal'), 'x');
      },
      () => {
        fs.renameSync(logFile(folder, 0), logFile(folder, 1));
        fs.renameSync(beatFile(folder, 0), beatFile(folder, 1));
      },
    ];
    for (const change of changes) {
      change();
      signs.push(filesSign(folder));
      expect(filesSign(folder)).toBe(signs.at(-1));
    }
    expect(new Set(signs).size).toBe(changes.length);
  });

  it('is there where the folder is not', () => {
    const folder = path.join(temporaryFolder(), 'none');
    expect(newestOf(folder)).toBe(-1);
    expect(filesSign(folder)).toBe('-1,0,0,0');
  });
});
