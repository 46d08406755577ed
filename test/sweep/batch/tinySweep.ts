// A sweep of six cells that the stock cpu backend trains and attacks in seconds.
import { planIdentity } from '../../../server/experiment/planIdentity.ts';
import type { Plan } from '../../../server/protocol/plan.ts';
import type { OpenTrainer } from '../../../server/run/trainer.ts';
import { makeSweep, writeCells, type StoredCell } from '../../../server/sweep/sweepFolder.ts';
import { evaluate } from '../../../server/trainer/evaluate.ts';
import { findLearningRate } from '../../../server/trainer/findLearningRate.ts';
import { train } from '../../../server/trainer/train.ts';
import { attackPlan } from '../../attack/plans.ts';
import { openCpu, tinyDataset, tinyPlan } from '../../trainer/tinyPlan.ts';

/** Of the cells that are cut off at their first start. */
export const heldSeeds = [0, 1, 2];
/** Of the one whose data is missing. */
export const missingSeed = 5;

/** Six epochs of two steps, and an attack. */
export function tinyCells(): StoredCell[] {
  return [0, 1, 2, 3, 4, 5].map((seed) => {
    const plan: Plan = {
      ...{ ...tinyPlan, seed, training: { ...tinyPlan.training, epochs: 6 } },
      evaluation: [attackPlan('pgd', { steps: 2, restarts: 1, samples: 4, batchSize: 2 })],
    };
    const values = { seed: String(seed) };
    return { name: `seed ${String(seed)}`, values, identity: planIdentity(plan), description: 'tiny', plan };
  });
}

/** @returns its folder */
export function makeTinySweep(runsFolder: string, cells: readonly StoredCell[]): string {
  const folder = makeSweep(runsFolder, { name: 'Tiny', experimentFile: null, createdMs: 1 });
  writeCells(folder, { experimentText: 'name: tiny', versions: { kafscope: '0.0.0-test' }, cells });
  return folder;
}

export const openTinyTrainer: OpenTrainer = async () => {
  await openCpu();
  const dataset = tinyDataset();
  return {
    device: 'cpu',
    memory: () => ({ usedBytes: 0, peakBytes: 0 }),
    train: (plan, options) => train(plan, dataset, options),
    findLearningRate: (plan, options) => findLearningRate(plan, dataset, options),
    evaluate: (plan, evaluation, options) => evaluate(plan, evaluation, dataset, options),
  };
};
