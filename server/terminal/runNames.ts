// What runs that are told of together are called.
import path from 'node:path';
import { describePlan } from '../experiment/describePlan.ts';
import type { Plan } from '../protocol/plan.ts';

/** Of each run, by its folder, name and seed; where several share those what was trained, too; and at last the folder's name. */
export function runNames(runs: readonly { readonly folder: string; readonly plan: Plan }[]): Map<string, string> {
  const plain = ({ plan }: { readonly plan: Plan }) => `${plan.name} · seed ${String(plan.seed)}`;
  const forms = [
    plain,
    (run: (typeof runs)[number]) => `${plain(run)} · ${describePlan(run.plan)}`,
    (run: (typeof runs)[number]) => `${plain(run)} · ${path.basename(run.folder)}`,
  ];
  return new Map(
    runs.map((run) => {
      const form =
        forms.find((each) => runs.filter((other) => each(other) === each(run)).length === 1) ?? forms.at(-1)!;
      return [run.folder, form(run)];
    }),
  );
}
