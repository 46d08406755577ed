// The real trainer on the plan's runtime and data set.
import os from 'node:os';
import { boundCache, cacheLimitBytes, type CacheSize } from '../data/cacheBound.ts';
import { DataError } from '../data/dataError.ts';
import { openDataset } from '../data/dataset.ts';
import type { Dataset } from '../data/split.ts';
import { layOutNetwork } from '../network/layout.ts';
import type { Plan } from '../protocol/plan.ts';
import { plainText } from '../protocol/plainText.ts';
import { userCacheFolder } from '../protocol/userData.ts';
import { openRuntime, type Runtime } from '../tensor/runtime.ts';
import { resolveRuntime } from './runtime/machineRuntimes.ts';
import { evaluate } from '../trainer/evaluate.ts';
import { findLearningRate } from '../trainer/findLearningRate.ts';
import {
  bytesText,
  checkEvaluationMemory,
  checkMemory,
  lackOfAttackMemory,
  lackOfStepMemory,
  type AvailableMemory,
} from '../trainer/planMemory.ts';
import { endsOf } from '../trainer/planNetwork.ts';
import { requireFittingSurrogate, type SurrogatePlan } from '../trainer/surrogate.ts';
import { train } from '../trainer/train.ts';
import { sayingWhatFits } from './outOfMemory.ts';
import type { OpenTrainer } from './trainer.ts';

/** `assetsFolder` holds the runtimes' kernels. */
export function trainerOpener(assetsFolder: string): OpenTrainer {
  return async (plan) => {
    const log = (line: string) => process.stderr.write(`${plainText(line)}\n`);
    const threads = plan.threads ?? os.availableParallelism();
    const name = await resolveRuntime(plan.runtime, { assetsFolder, log });
    const onDevice = { ...(plan.device && { device: plan.device }), ...(plan.tf32 && { tf32: true }) };
    const runtime = await openRuntime(name, { assetsFolder, threads, ...onDevice });
    const cacheFolder = userCacheFolder({ env: process.env, platform: process.platform, homeFolder: os.homedir() });
    const cacheLimit = cacheLimitBytes(process.env);
    const dataset = await openDataset(plan.dataset, {
      ...{ assetsFolder, cacheFolder },
      // A trainer that is not wanted any more is ended as a process.
      signal: new AbortController().signal,
      onProgress: progressLog(log),
    });
    const removed = boundCache(cacheFolder, cacheLimit);
    if (removed.entries > 0) log(removalText(removed, cacheLimit));
    requireFitting(plan, dataset);
    const around = { ends: endsOf(plan, dataset), threads };
    /** @throws SurrogateError */
    const aroundWith = (of: Plan, surrogates: ReadonlyMap<string, SurrogatePlan> = new Map()) => {
      const beside = [...surrogates].map(([place, surrogate]) => {
        requireFittingSurrogate(surrogate, { plan: of, dataset });
        return [place, { model: surrogate.plan.model, ends: endsOf(surrogate.plan, dataset) }] as const;
      });
      return { ...around, surrogates: new Map(beside) };
    };
    return {
      device: `${runtime.name} · ${runtime.device}`,
      memory: () => runtime.memory(),
      train: (trained, options) => {
        const needed = aroundWith(trained, options.surrogates);
        for (const limit of memoryLimits(runtime)) checkMemory(trained, needed, limit);
        const events = train(trained, dataset, { ...options, stepsBehind: runtime.stepsBehind });
        return sayingWhatFits(events, runtime.deviceMemory, (memory, cause) =>
          lackOfStepMemory(trained, around, memory, cause),
        );
      },
      findLearningRate: (swept, options) => {
        for (const limit of memoryLimits(runtime)) checkMemory(swept, around, limit);
        return findLearningRate(swept, dataset, options);
      },
      evaluate: (evaluated, evaluation, options) => {
        const needed = aroundWith(evaluated, options.surrogates);
        for (const limit of memoryLimits(runtime)) checkEvaluationMemory(evaluated, evaluation, needed, limit);
        const records = evaluate(evaluated, evaluation, dataset, options);
        return sayingWhatFits(records, runtime.deviceMemory, (memory, cause) =>
          lackOfAttackMemory(evaluated, evaluation, needed, memory, cause),
        );
      },
    };
  };
}

function removalText({ entries, sizeBytes }: CacheSize, limitBytes: number): string {
  const what = entries === 1 ? 'the data set' : `the ${entries} data sets`;
  return `The cache of data sets has at most ${bytesText(limitBytes)}: ${what} used longest ago went from it (${bytesText(sizeBytes)}). Opened again, they are read anew.`;
}

/** What only the opened data set tells. @throws DataError, or NetworkError where the network's layers don't fit */
function requireFitting(plan: Plan, dataset: Dataset): void {
  const { name, sampleShape, classes } = dataset;
  const { augmentation, loss } = plan.training;
  if (loss === 'binary-cross-entropy' && classes.length !== 2) {
    throw new DataError(
      `${name} has ${classes.length} classes, and training.loss binary-cross-entropy is of two. Use cross-entropy.`,
    );
  }
  layOutNetwork(plan.model, endsOf(plan, dataset));
  if (sampleShape.length !== 1 || (augmentation.crop === 0 && !augmentation.flip)) return;
  throw new DataError(
    `The samples of ${name} are rows of ${sampleShape[0]} values, which can be neither cropped nor mirrored. Remove training.augmentation.`,
  );
}

/** A line for every tenth of the way. */
function progressLog(log: (line: string) => void): (what: string, done: number, total: number | null) => void {
  let last = '';
  return (what, done, total) => {
    if (total === null || total === 0) return;
    const line = `${what}: ${Math.floor((10 * done) / total) * 10} % of ${total}`;
    if (line !== last) log(line);
    last = line;
  };
}

function memoryLimits({ name, addressableBytes, deviceMemory }: Runtime): AvailableMemory[] {
  if (deviceMemory) return [deviceMemory];
  // What macOS calls free leaves out its caches, which make room.
  const freeBytes = process.platform === 'darwin' ? os.totalmem() : process.availableMemory();
  return [
    { what: `what the runtime ${name} can address`, bytes: addressableBytes },
    { what: 'what this machine has free', bytes: freeBytes },
  ];
}
