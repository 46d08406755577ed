// The real trainer on the plan's runtime and data set.
import { openDataset } from '../data/dataset.ts';
import { openRuntime } from '../tensor/runtime.ts';
import { resolveRuntime } from './runtime/machineRuntimes.ts';
import { evaluate } from '../trainer/evaluate.ts';
import { train } from '../trainer/train.ts';
import type { OpenTrainer } from './trainer.ts';

/** `assetsFolder` holds the runtimes' kernels. */
export function trainerOpener(assetsFolder: string): OpenTrainer {
  return async (plan) => {
    const log = (line: string) => process.stderr.write(`${line}\n`);
    const runtime = await openRuntime(await resolveRuntime(plan.runtime, { assetsFolder, log }), {
      assetsFolder,
      ...(plan.threads === null ? {} : { threads: plan.threads }),
    });
    const dataset = await openDataset(plan.dataset);
    return {
      device: `${runtime.name} · ${runtime.device}`,
      train: (trained, options) => train(trained, dataset, options),
      evaluate: (evaluated, evaluation, options) => evaluate(evaluated, evaluation, dataset, options),
    };
  };
}
