// What the process with tfjs-core's specs sends, and what of it is a fault. Starting that process is tfjsSpecs.test.ts's.
import type { JobCount } from '../wasm/watchJobs.ts';

/** As jasmine calls it: `pending` specs are switched off by tfjs itself. */
export interface SpecResult {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'pending' | 'excluded';
  readonly messages: readonly string[];
}

export interface SpecReport {
  /** Of the runtime `wasm`, or another runtime's name. */
  readonly build: 'relaxed' | 'plain' | 'torch';
  readonly threads: number;
  readonly specs: readonly SpecResult[];
  /** Failures in set-up and tear-down, and errors that no spec caught. */
  readonly outsideSpecs: readonly string[];
  /** Most bytes that tensors took of the backend's memory. */
  readonly peakBytes: number;
  /** By kernel of `wasm`. */
  readonly jobs: Readonly<Record<string, JobCount>>;
}

/** A spec that our backend fails by intention. */
export interface ExcludedSpec {
  readonly name: string;
  readonly reason: string;
}

/** A sentence for each fault: a failure that isn't excluded, an exclusion that isn't needed, too few specs. */
export function faultsOf(report: SpecReport, excluded: readonly ExcludedSpec[], leastRan: number): string[] {
  const failed = report.specs.filter(({ status }) => status === 'failed');
  const ran = report.specs.filter(({ status }) => status === 'passed' || status === 'failed');
  const faults = report.outsideSpecs.map((message) => `outside of the specs: ${message}`);
  for (const { name, messages } of failed) {
    if (!excluded.some((spec) => spec.name === name)) faults.push(`${name}: ${messages.join(' · ')}`);
  }
  for (const { name } of excluded) {
    if (!failed.some((spec) => spec.name === name)) faults.push(`${name}: is excluded but does not fail`);
  }
  if (ran.length < leastRan) faults.push(`${ran.length} specs ran, fewer than ${leastRan}`);
  return faults;
}

export function countsOf({ specs }: SpecReport): Record<SpecResult['status'], number> {
  const counts = { passed: 0, failed: 0, pending: 0, excluded: 0 };
  for (const { status } of specs) counts[status]++;
  return counts;
}
