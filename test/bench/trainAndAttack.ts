// A plan from its text to what its final weights are worth: trained, then attacked by the plan's first evaluation. The runtime must be open.
import os from 'node:os';
import { evaluateAttack } from '../../server/attack/evaluation.ts';
import { openDataset } from '../../server/data/dataset.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import type { WatchRecord } from '../../server/protocol/records.ts';
import { networkOf } from '../../server/trainer/planNetwork.ts';
import { train } from '../../server/trainer/train.ts';
import { restoreNetwork, type TrainingState } from '../../server/trainer/trainingState.ts';

export interface Worth {
  /** Of the last batch. */
  readonly loss: number;
  /** Shares of the images attacked. */
  readonly clean: number;
  readonly robust: number;
  /** What the watch saw, if it was on. */
  readonly looks: readonly Look[];
  /** The steps at which it told a collapse. */
  readonly collapses: readonly number[];
}

type Look = Pick<WatchRecord, 'step' | 'fgsm' | 'pgd' | 'cosine'>;

export async function trainAndAttack(text: string, assetsFolder: string): Promise<Worth> {
  const { plans, issues } = compileExperiment(text, { file: null, homeFolder: os.homedir() });
  const [plan] = plans;
  if (!plan) throw new Error(JSON.stringify(issues));
  const { signal } = new AbortController();
  const dataset = await openDataset(plan.dataset, {
    ...{ assetsFolder, cacheFolder: os.tmpdir(), signal, onProgress: () => undefined },
  });
  let state: TrainingState | null = null;
  let loss = Number.NaN;
  const looks: Look[] = [];
  const collapses: number[] = [];
  for await (const event of train(plan, dataset, { from: null, signal })) {
    if (event.type === 'checkpoint') {
      state = event.state;
      continue;
    }
    const { record } = event;
    if (record.type === 'step') loss = record.loss;
    if (record.type === 'collapsed') collapses.push(record.step);
    if (record.type === 'watch') {
      const { step, fgsm, pgd, cosine } = record;
      looks.push({ step, fgsm, pgd, cosine });
    }
  }
  const network = networkOf(plan, dataset);
  restoreNetwork(network, state!);
  const attack = evaluateAttack(network, dataset, plan.evaluation[0] as AttackPlan, { seed: plan.seed, signal });
  let step = await attack.next();
  while (!step.done) step = await attack.next();
  const { samples, clean, robust } = step.value;
  network.dispose();
  await dataset.close();
  return { loss, clean: clean / samples, robust: robust / samples, looks, collapses };
}
