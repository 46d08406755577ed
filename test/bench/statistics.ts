// What a benchmark reports of its samples, and of the machine.
import os from 'node:os';

export interface Summary {
  readonly n: number;
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** Rounded to `digits` after the point. */
export function summarize(samples: readonly number[], digits = 2): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const round = (value: number) => Math.round(value * 10 ** digits) / 10 ** digits;
  return {
    n: sorted.length,
    median: round(quantile(sorted, 0.5)),
    minimum: round(sorted[0]!),
    maximum: round(sorted.at(-1)!),
    lowerQuartile: round(quantile(sorted, 0.25)),
    upperQuartile: round(quantile(sorted, 0.75)),
  };
}

/** Linear between the order statistics. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const lower = sorted[Math.floor(place)]!;
  const upper = sorted[Math.ceil(place)]!;
  return lower + (upper - lower) * (place - Math.floor(place));
}

export function describeMachine(): Record<string, unknown> {
  return {
    cpu: os.cpus()[0]?.model,
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.version,
    v8: process.versions.v8,
    // Benchmarks are read with this in mind: others' work on the machine makes all times longer.
    loadAverage: os.loadavg()[0],
  };
}
