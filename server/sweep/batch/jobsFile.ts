// Which jobs a sweep was given to, in its folder: written down before it is submitted under a name that no other job has, so that one is
// found again whose submitter was cut off; and the number that it was given afterwards. Nothing is ever rewritten.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { newestNumber, numbersOf, readJson, writeNumbered } from '../sweepFolder.ts';

const jobsSchema = z.object({
  scheduler: z.string().max(50),
  name: z.string().regex(/^[\w.-]{1,120}$/),
  /** Of the set of cells that the indices are of. */
  cells: z.int().min(0),
  elements: z.array(z.object({ index: z.int().min(0), identity: z.string().max(64) })).max(1000),
  excludedNodes: z.array(z.string().max(255)).max(1000),
});
type JobsFile = z.output<typeof jobsSchema>;

const submittedSchema = z.object({
  id: z
    .string()
    .regex(/^\d{1,20}$/)
    .nullable(),
});

export interface SweepJob extends JobsFile {
  readonly number: number;
  /** Null where it was refused; undefined where nobody has written it down. */
  readonly id: string | null | undefined;
}

const jobsName = /^jobs-(0|[1-9]\d{0,8})\.json$/;

function jobsFile(folder: string, number: number): string {
  return path.join(folder, `jobs-${String(number)}.json`);
}

function submittedFile(folder: string, number: number): string {
  return path.join(folder, `submitted-${String(number)}.json`);
}

export function scriptFile(folder: string, number: number): string {
  return path.join(folder, `jobs-${String(number)}.sh`);
}

/** In the order in which they were begun; one that is not whole is left out, as it was not submitted. @throws StorageError */
export function readJobs(folder: string): SweepJob[] {
  const jobs: SweepJob[] = [];
  for (const number of numbersOf(folder, jobsName)) {
    const job = readOrNull(jobsFile(folder, number), jobsSchema);
    if (job) jobs.push({ ...job, number, id: readOrNull(submittedFile(folder, number), submittedSchema)?.id });
  }
  return jobs;
}

function readOrNull<T>(file: string, schema: z.ZodType<T>): T | null {
  try {
    return readJson(file, schema);
  } catch {
    return null;
  }
}

/** @throws StorageError */
export function writeJob(folder: string, job: Omit<JobsFile, 'name'>): SweepJob {
  const name = `kafscope-${path
    .basename(folder)
    .replace(/[^\w.-]/g, '-')
    .slice(0, 80)}-${randomBytes(6).toString('hex')}`;
  const number = writeNumbered(folder, newestNumber(folder, jobsName) + 1, jobsFile, { ...job, name });
  return { ...job, name, number, id: undefined };
}

/** @param id null where the scheduler refused it @throws StorageError */
export function writeSubmitted(folder: string, { number }: Pick<SweepJob, 'number'>, id: string | null): void {
  writeNumbered(folder, number, submittedFile, { id });
}
