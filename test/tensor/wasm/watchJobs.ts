// Counts what the threads of a backend were given to share.
import { kernelNames } from '../../../server/tensor/wasm/loadKernels.ts';
import type { ThreadPool } from '../../../server/tensor/wasm/threads/threadPool.ts';

export interface JobCount {
  jobs: number;
  /** Of them, those of several calls, which threads share. */
  split: number;
}

/** Counts each kernel's jobs from here on; the returned object fills. */
export function watchJobs(pool: ThreadPool): Record<string, JobCount> {
  const counts: Record<string, JobCount> = {};
  const run = pool.run.bind(pool);
  pool.run = (job) => {
    const count = (counts[kernelNames[job.kernel] ?? 'formula'] ??= { jobs: 0, split: 0 });
    count.jobs++;
    if (job.calls.length > 1) count.split++;
    run(job);
  };
  return counts;
}

export function totalOf(counts: Readonly<Record<string, JobCount>>): JobCount {
  const all = Object.values(counts);
  return {
    jobs: all.reduce((sum, { jobs }) => sum + jobs, 0),
    split: all.reduce((sum, { split }) => sum + split, 0),
  };
}
