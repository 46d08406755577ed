// One step after the other of projected gradient descent as an evaluation makes them. The last bias favours the label so much
// that no image is ever fooled and dropped: PyTorch then attacks as many images in every step.
import * as tf from '@tensorflow/tfjs-core';
import { pgd } from '../../server/attack/pgd.ts';
import { Target } from '../../server/attack/target.ts';
import { Trial, type TrialOptions } from '../../server/attack/trial.ts';
import { consecutive, makeBatch } from '../../server/data/batches.ts';
import { datasetHere } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { attackPlan } from '../attack/plans.ts';
import { modelOf } from './trainingStep.ts';
import type { Work } from './work.ts';

const plan = attackPlan('pgd', { steps: 50, restarts: 1, loss: 'cross-entropy' });
const margin = 50;

/** @returns a function that makes one step on the whole batch; the runtime must be open */
export async function makeAttacker(work: Work): Promise<() => Promise<void>> {
  const { batchSize } = work;
  const trial = new Trial({ ...(await openUnfooled(work)), seed: 0, first: 0, bounds: [0, 1] });
  const start = () => {
    trial.begin(0);
    return pgd(trial, plan, 0);
  };
  let attack = start();
  let step = 0;
  return async () => {
    if (step === plan.steps) {
      attack.return();
      attack = start();
      step = 0;
    }
    step++;
    attack.next();
    if (trial.size !== batchSize) throw new Error('an image was fooled: the engines no longer do the same work');
    await Promise.resolve();
  };
}

/** A network and pictures that it takes for the first class, which is their label, whatever is done to them. */
export async function openUnfooled(work: Work): Promise<Pick<TrialOptions, 'target' | 'images' | 'labels'>> {
  const { batchSize } = work;
  const shapes = makeShapes({ trainSamples: 1, testSamples: batchSize, seed: 0 });
  const dataset = datasetHere({ name: 'shapes' }, shapes);
  const { sampleShape, classes } = dataset;
  const network = buildNetwork(modelOf(work), { sampleShape, nClasses: classes.length, seed: 0 });
  const bias = network.parameters.at(-1)!.variable;
  bias.assign(tf.tensor1d(classes.map((_, label) => (label === 0 ? margin : 0))));
  const { images } = makeBatch(await dataset.test.read(consecutive(0, batchSize)), sampleShape);
  const passes = { forward: 0, backward: 0 };
  const target = new Target(network, { nClasses: classes.length, shape: sampleShape, passes });
  return { target, images, labels: new Int32Array(batchSize) };
}
