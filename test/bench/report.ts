// The benchmark's document for people.
import type { ComparisonResult, SideResult } from './compare.ts';
import type { OpCost } from './costliestOps.ts';
import type { DataResult } from './data.ts';
import type { FormTime } from './formulaForms.ts';
import type { GainResult } from './gains.ts';
import type { KernelTime } from './kernels.ts';

export interface Report {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly rounds: number;
  readonly comparisons: readonly (ComparisonResult | { readonly name: string; readonly failure: string })[];
  readonly ops: readonly OpCost[] | null;
  readonly kernels: readonly KernelTime[] | null;
  readonly forms: readonly FormTime[] | null;
  readonly gains: readonly GainResult[] | null;
  readonly data: readonly DataResult[] | null;
}

export function printReport({ machine, comparisons, ops, kernels, forms, gains, data }: Report): void {
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', '),
  );
  for (const result of comparisons) {
    if ('failure' in result) {
      console.log(`${result.name}: ${result.failure}`);
      continue;
    }
    const { name, ours, theirs, ratio, cpuRatio, peakRatio, scaled } = result;
    console.log(
      `${name}: ${String(ratio.median)} × (${String(ratio.minimum)}–${String(ratio.maximum)}), processor time ${String(cpuRatio.median)} ×, peak memory ${String(peakRatio)} ×`,
    );
    for (const side of [ours, theirs]) console.log(`  ${describe(side)}`);
    if (scaled) console.log(`  scaled to ${scaled.what}: ${String(scaled.oursMs)} ms, ${String(scaled.theirsMs)} ms`);
  }
  if (data) console.table(data);
  if (ops) console.table(ops);
  if (kernels) console.table(kernels);
  if (forms) console.table(forms.map(({ time, ...about }) => ({ ...about, ...time })));
  if (gains) console.table(gains.map(({ measured, ...about }) => ({ ...about, ...measured })));
}

function describe({ what, about, clock, cpu, peakBytes, stands }: SideResult): string {
  const spread = `${String(clock.minimum)}–${String(clock.maximum)}, n ${String(clock.n)}`;
  return `${String(clock.median)} ms (${spread}; processor ${String(cpu.median)} ms; peak ${String(Math.round(peakBytes / 1e6))} MB): ${what} [${about}]${stands === undefined ? '' : `, ${String(stands)} images stand`}`;
}
