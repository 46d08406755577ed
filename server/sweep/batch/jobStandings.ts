// How the cells of a sweep stand where some were given to a scheduler: what a run's folder says goes first, and the scheduler tells why
// the others wait, that they are gone, and which nodes are bad. Pure, but for the last lines of what a job wrote.
import fs from 'node:fs';
import path from 'node:path';
import { cellGroup, type SweepCell, type SweepSummary } from '../../protocol/sweep.ts';
import { isLive } from '../../protocol/run.ts';
import { readBytes } from '../../run/logFile.ts';
import type { SweepJob } from './jobsFile.ts';
import type { Element, Job, Scheduler } from './scheduler.ts';

/** The job that has a cell, or had it last. */
export interface Standing {
  readonly job: SweepJob;
  readonly index: number;
  /** Null where the scheduler knows nothing of it. */
  readonly element: Element | null;
}

/** By the identity of the cells' plans. */
export function standingsOf(
  jobs: readonly SweepJob[],
  elements: readonly Element[],
  scheduler: Pick<Scheduler, 'name'>,
): Map<string, Standing> {
  const byPlace = new Map(elements.map((element) => [`${element.jobName} ${String(element.index)}`, element]));
  const ours = jobs.filter((job) => job.scheduler === scheduler.name && job.id !== null);
  return new Map(
    ours.flatMap((job) =>
      job.elements.map(({ index, identity }) => {
        const element = byPlace.get(`${job.name} ${String(index)}`) ?? null;
        // Another job of that name, as a copied folder has, is not the one that was submitted.
        const isOurs = element !== null && (job.id === undefined || job.id === element.jobId);
        return [identity, { job, index, element: isOurs ? element : null }] as const;
      }),
    ),
  );
}

/** Whether the scheduler has it, and it will be at work without anyone's doing. */
export function isOutstanding(standing: Standing | undefined): boolean {
  const state = standing?.element?.state;
  return state === 'waiting' || state === 'working' || state === 'ending';
}

/** Jobs as the scheduler names them, with the elements that it still has. */
export function outstandingJobs(
  standings: ReadonlyMap<string, Standing>,
): Map<SweepJob, { job: Job; indices: number[] }> {
  const found = new Map<SweepJob, { job: Job; indices: number[] }>();
  for (const standing of standings.values()) {
    const { job, index, element } = standing;
    if (!isOutstanding(standing) || !element) continue;
    const entry = found.get(job) ?? { job: { name: job.name, id: element.jobId }, indices: [] };
    entry.indices.push(index);
    found.set(job, entry);
  }
  return found;
}

export interface StandingContext {
  readonly scheduler: Pick<Scheduler, 'name' | 'title' | 'outputFile'>;
  /** The job that a run's last process said it was of, like `slurm 12_3`; null for none. */
  readonly jobOf: (runId: string) => string | null;
}

/** The sweep with what the scheduler says of it. */
export function withStandings(
  summary: SweepSummary,
  standings: ReadonlyMap<string, Standing>,
  context: StandingContext,
): SweepSummary {
  if (standings.size === 0) return summary;
  const { scheduler } = context;
  const cells = summary.cells.map((cell) => {
    const standing = standings.get(cell.identity);
    return standing ? withStanding(cell, standing, context, summary.folder) : cell;
  });
  // A run that has just finished may have an element for a moment more, in an answer of before.
  const unfinished = cells.filter(({ status }) => status !== 'finished').map(({ identity }) => identity);
  const left = new Map([...standings].filter(([identity]) => unfinished.includes(identity)));
  const ids = [...outstandingJobs(left).values()].map(({ job }) => job.id);
  if (ids.length === 0) return { ...summary, cells, scheduler: scheduler.name };
  const place = `${scheduler.title} ${ids.length === 1 ? 'job' : 'jobs'} ${ids.join(', ')}`;
  return { ...summary, cells, status: 'working', place, scheduler: scheduler.name };
}

function withStanding(
  cell: SweepCell,
  { element }: Standing,
  { scheduler, jobOf }: StandingContext,
  folder: string,
): SweepCell {
  if (!element || cell.status === 'finished') return cell;
  const { name, title, outputFile } = scheduler;
  const { state, reason, node, jobId, index } = element;
  const id = `${title} ${jobId}_${String(index)}`;
  switch (state) {
    case 'waiting':
      return { ...cell, status: 'queued', job: { place: id, waits: reason ?? 'waits' } };
    case 'working': {
      const status = isLive(cell.status) ? cell.status : 'preparing';
      return { ...cell, status, job: { place: `${id}${node === null ? '' : ` on ${node}`}`, waits: null } };
    }
    case 'failed': {
      if (cellGroup(cell.status) === 'failed') return { ...cell, job: { place: id, waits: null } };
      const said = lastLines(path.join(folder, outputFile(jobId, index)), 3);
      const message = `${id}: ${reason ?? 'it failed'}${node === null ? '' : ` on ${node}`}.${said === '' ? '' : ` Its last lines: ${said}`}`;
      return { ...cell, status: 'failed', message, job: { place: id, waits: null } };
    }
    case 'out of time':
    case 'cancelled':
    case 'done': {
      // Its process is gone, whatever its folder says: one that was killed has told nothing.
      const isItsOwn = cell.runId !== null && jobOf(cell.runId) === `${name} ${jobId}_${String(index)}`;
      return isLive(cell.status) && isItsOwn ? { ...cell, status: 'interrupted' } : cell;
    }
    case 'ending':
      return cell;
  }
  return state satisfies never;
}

/** The last of the lines that it wrote; empty where it wrote none. */
export function lastLines(file: string, count: number): string {
  try {
    const { size } = fs.statSync(file);
    const text = readBytes(file, Math.max(0, size - 4000), 4000).toString('utf8');
    const lines = text.split('\n').map((line) => line.trimEnd());
    return lines
      .filter((line) => line !== '')
      .slice(-count)
      .join('\n');
  } catch {
    return '';
  }
}

/** A cell that failed so soon, before its first step, failed at once. */
const instantSeconds = 60;
const failuresOfBadNode = 3;
/** Where more nodes seem bad the fault is the sweep's own. */
const maxBadNodes = 3;

/** Nodes on which three cells failed at once. */
export function badNodes(cells: readonly SweepCell[], standings: ReadonlyMap<string, Standing>): string[] {
  const failures = new Map<string, number>();
  for (const { identity, step } of cells) {
    const element = standings.get(identity)?.element;
    if (element?.state !== 'failed' || element.node === null) continue;
    if (step > 0 || element.seconds > instantSeconds) continue;
    failures.set(element.node, (failures.get(element.node) ?? 0) + 1);
  }
  const bad = [...failures].filter(([, count]) => count >= failuresOfBadNode).map(([node]) => node);
  return bad.length > maxBadNodes ? [] : bad.toSorted();
}
