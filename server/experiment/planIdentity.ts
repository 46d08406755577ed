// Whether two plans ask for the same work: what a run is found again by when a sweep is changed and started anew.
import { createHash } from 'node:crypto';
import { datasetDeclaration } from '../protocol/datasets.ts';
import type { Plan } from '../protocol/plan.ts';

/**
 * A digest of all that decides what a run comes to: not its name, nor how many threads and cells compute it, nor where published data
 * lies, nor what is looked at beside it that runs of version 0.1 have not.
 * @returns 32 hexadecimal digits
 */
export function planIdentity(plan: Plan): string {
  const { name: _name, threads: _threads, parts: _parts, dataset, observe, ...rest } = plan;
  const { histogramsEverySteps: _histograms, shiftSamples: _shift, ...observed } = observe;
  const isPublished = datasetDeclaration(dataset.name).download !== null;
  const data = isPublished ? { ...dataset, path: null } : dataset;
  return createHash('sha256')
    .update(canonical({ ...rest, observe: observed, dataset: data }))
    .digest('hex')
    .slice(0, 32);
}

/** Of all that decides the weights, evaluations aside: a run of the same training can be attacked instead of trained anew. */
export function trainingIdentity({ part: _part, ...plan }: Plan): string {
  return planIdentity({ ...plan, evaluation: [] });
}

/** JSON whose keys are in order, without those that are undefined. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
