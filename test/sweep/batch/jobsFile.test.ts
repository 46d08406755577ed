// Which jobs a sweep was given to, as they lie in its folder.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readJobs, writeJob, writeSubmitted } from '../../../server/sweep/batch/jobsFile.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';

describe('the jobs of a sweep', () => {
  it('are those that are there, whatever numbers a stranger gave them', () => {
    const folder = temporaryFolder();
    const job = writeJob(folder, { scheduler: 'slurm', cells: 0, elements: [], excludedNodes: [] });
    writeSubmitted(folder, job, '31');
    fs.copyFileSync(path.join(folder, 'jobs-0.json'), path.join(folder, 'jobs-999999999.json'));
    fs.writeFileSync(path.join(folder, 'jobs-7.json'), '{');
    const jobs = readJobs(folder);
    expect(jobs.map(({ number, id }) => [number, id])).toEqual([
      [0, '31'],
      [999_999_999, undefined],
    ]);
  });
});
