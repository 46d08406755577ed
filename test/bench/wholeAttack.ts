// A whole attack, cut down as the comparison says, as an evaluation makes it: PGD on a network that nothing fools, or the standard
// AutoAttack on a trained one and real images, each next attack on what those before left standing.
import * as tf from '@tensorflow/tfjs-core';
import { attacks, type SimpleAttackName } from '../../server/attack/attacks.ts';
import { Target } from '../../server/attack/target.ts';
import { Trial, type TrialOptions } from '../../server/attack/trial.ts';
import { consecutive, makeBatch } from '../../server/data/batches.ts';
import { openDataset } from '../../server/data/dataset.ts';
import { withDataFolder } from '../../server/experiment/withDataFolder.ts';
import type { PlanOfAttack } from '../../server/protocol/attackTable.ts';
import { stagesOf, type AttackPlan, type Stage } from '../../server/protocol/evaluationPlan.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { networkOf } from '../../server/trainer/planNetwork.ts';
import { restoreNetwork } from '../../server/trainer/trainingState.ts';
import { readIntegers } from '../../server/tensor/read.ts';
import { attackPlan } from '../attack/plans.ts';
import { openUnfooled } from './attackStep.ts';
import type { Work } from './work.ts';

/** @returns a function that attacks once and tells how many images stand; the runtime must be open */
export async function makeWholeAttack(work: Work, assetsFolder: string): Promise<() => Promise<number>> {
  const { batchSize, cut } = work;
  if (!cut) throw new Error('a whole attack is measured cut down');
  if (work.kind === 'pgd-whole') {
    const subject = await openUnfooled(work);
    const plan = attackPlan('pgd', { steps: cut.steps, restarts: 1, loss: 'cross-entropy' });
    return () => Promise.resolve(attackOnce(subject, plan, cut));
  }
  const subject = await openTrained(work, assetsFolder);
  return () => Promise.resolve(attackOnce(subject, attackPlan('autoattack', { samples: batchSize }), cut));
}

type Subject = Pick<TrialOptions, 'target' | 'images' | 'labels'>;

function attackOnce(subject: Subject, plan: AttackPlan, cut: NonNullable<Work['cut']>): number {
  const trial = new Trial({ ...subject, seed: 0, first: 0, bounds: [0, 1] });
  for (const [index, stage] of stagesOf(plan).entries()) {
    trial.goal = stage.epsilon;
    trial.begin(index);
    const run = start(trial, stage, cut);
    while (trial.size > 0 && !run.next().done);
    run.return();
  }
  const { size } = trial;
  trial.dispose();
  return size;
}

/** Queries of Square as they are to steps: 5000 to 100. */
function start<A extends SimpleAttackName>(trial: Trial, { attack, plan, run }: Stage, { steps }: { steps: number }) {
  const shorter = { ...plan, ...('queries' in plan ? { queries: 50 * steps } : { steps }) };
  return attacks[attack as A](trial, shorter as unknown as PlanOfAttack<A>, run);
}

async function openTrained({ trained, batchSize }: Work, assetsFolder: string): Promise<Subject> {
  if (!trained) throw new Error('AutoAttack needs --checkpoint FILE and --data FOLDER');
  const { state, origin } = readCheckpoint(trained.checkpoint);
  const plan = withDataFolder(origin.plan, trained.data);
  const signal = new AbortController().signal;
  const dataset = await openDataset(plan.dataset, {
    ...{ assetsFolder, cacheFolder: '', signal, onProgress: () => undefined },
  });
  const network = networkOf(plan, dataset);
  restoreNetwork(network, state);
  const shape = dataset.sampleShape;
  const batch = makeBatch(await dataset.test.read(consecutive(0, batchSize)), shape);
  const passes = { forward: 0, backward: 0 };
  const target = new Target(network, { nClasses: dataset.classes.length, shape, passes });
  return { target, images: tf.keep(batch.images), labels: readIntegers(batch.labels) };
}
