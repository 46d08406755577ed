// Settings of a scheduler from the user's own files: each mistake with its place.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { whyNotHere } from '../../../server/sweep/batch/loginNode.ts';
import { schedulerNamed } from '../../../server/sweep/batch/schedulers.ts';
import { isConfigured, readSettings, settingsFile } from '../../../server/sweep/batch/settingsFile.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { standIn } from './standIn.ts';

const slurm = schedulerNamed('slurm');

function placeOf(text: string | null) {
  const env = { XDG_CONFIG_HOME: temporaryFolder() };
  const file = settingsFile(slurm, env);
  expect(file).toBe(path.join(env.XDG_CONFIG_HOME, 'kafscope/slurm.yaml'));
  if (text !== null) {
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, text);
  }
  return { env, file };
}

function mistakes(text: string): string[] {
  const place = placeOf(text);
  try {
    readSettings(slurm, place);
  } catch (error) {
    return (error as Error).message.replaceAll(place.file, 'FILE').split('\n');
  }
  return [];
}

describe('settings of Slurm', () => {
  it('are what the file says, and over it what the editor says', () => {
    const place = placeOf(
      'partition: main\ntime: 90\nmemory: 4000\ngpus: 1\ncpus: 2 # cores\nsetup: [module load node]\n',
    );
    const ofFile = { partition: 'main', time: '90', memory: '4000', gpus: '1', cpus: 2, setup: ['module load node'] };
    const usual = { options: [], signalSeconds: 120, computesHere: false };
    expect(readSettings(slurm, place)).toEqual({ ...ofFile, ...usual });
    expect(readSettings(slurm, { ...place, given: { cpus: 8 } })).toMatchObject({ ...ofFile, cpus: 8 });
    expect([isConfigured(slurm, place), isConfigured(slurm, placeOf(null))]).toEqual([true, false]);
    expect(isConfigured(slurm, { ...placeOf(null), given: { cpus: 8 } })).toBe(true);
    expect(readSettings(slurm, placeOf(null))).toEqual({ cpus: 4, setup: [], ...usual });
    expect(readSettings(slurm, placeOf('# nothing yet\n'))).toMatchObject({ cpus: 4 });
  });

  it.each([
    ['memory: lots\n', 'FILE:1:9: memory: expected a size of memory like 16G, got "lots"'],
    ['cpus: 4\ntime: soon\n', 'FILE:2:7: time: expected a time like 90 (minutes), 12:00:00 or 2-00:00:00, got "soon"'],
    ['cpus: 0\n', 'FILE:1:7: cpus: expected an integer from 1 to 1024, got 0'],
    [
      'partition: --wrap=x\n',
      'FILE:1:12: partition: expected a name on one line that does not begin with "-", got "--wrap=x"',
    ],
    ['account: "a\\nb"\n', 'FILE:1:10: account: expected a name on one line that does not begin with "-", got "a\\nb"'],
    ['gpus: all\n', 'FILE:1:7: gpus: expected a count of GPUs, or their kind and count like a100:1, got "all"'],
    ['signalSeconds: 5\n', 'FILE:1:16: signalSeconds: expected an integer from 30 to 3600, got 5'],
    ['setup: module load\n', 'FILE:1:8: setup: expected a list of lines of shell, got "module load"'],
    [
      'options:\n  - --nice\n  - --array=1-9\n',
      'FILE:3:5: options[1]: expected an option that Kafscope does not set itself, got "--array=1-9"',
    ],
    ['options: [-o x]\n', 'FILE:1:11: options[0]: expected an option that Kafscope does not set itself, got "-o x"'],
    [
      'options: [--outp=x]\n',
      'FILE:1:11: options[0]: expected an option that Kafscope does not set itself, got "--outp=x"',
    ],
    [
      'options: [rm]\n',
      'FILE:1:11: options[0]: expected an option of sbatch in one piece, like --constraint=avx2, got "rm"',
    ],
    ['cpus: 1\nqueue: main\n', /^FILE:2:8: expected one of partition, account, qos, .* or computesHere, got "queue"$/],
    ['- a\n', 'FILE:1:1: expected settings by their keys, got ["a"]'],
    ['a: [\n', /^FILE:\d:\d: this is not YAML: /],
  ])('tell the mistake in %j', (text, expected) => {
    expect(mistakes(text)).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('tell every mistake, and which are the editor’s', () => {
    expect(mistakes('cpus: 0\nmemory: lots\n')).toHaveLength(2);
    expect(() => readSettings(slurm, { ...placeOf('cpus: 1\n'), given: { cpus: 'many' } })).toThrow(
      /^kafscope\.slurm in the editor's settings: cpus: expected an integer from 1 to 1024, got "many"$/,
    );
  });
});

describe('a host that gives jobs to a cluster', () => {
  const hostWith = (text: string | null, env: NodeJS.ProcessEnv = {}) => ({
    env: { ...standIn().env, ...placeOf(text).env, ...env },
  });

  it('computes nothing where its user has told of the cluster, but in a job', () => {
    expect(whyNotHere(hostWith('partition: main\n'))).toMatch(
      /^This host gives jobs to Slurm, so nothing is computed on it\..*--on slurm/,
    );
    expect(whyNotHere(hostWith('partition: 1\n'))).toMatch(/^This host gives jobs to Slurm/);
    expect(whyNotHere(hostWith('partition: main\n', { SLURM_JOB_ID: '7' }))).toBeNull();
    expect(whyNotHere(hostWith('computesHere: true\n'))).toBeNull();
    expect(whyNotHere(hostWith(null))).toBeNull();
    expect(whyNotHere({ env: { ...placeOf('partition: main\n').env, PATH: temporaryFolder() } })).toBeNull();
  });
});
