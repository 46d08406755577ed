// One step after the other of projected gradient descent as an evaluation makes them. The last bias favours the label so much
// that no image is ever fooled and dropped: PyTorch then attacks as many images in every step.
import * as tf from '@tensorflow/tfjs-core';
import { attackOnce, selectCorrect } from '../../server/attack/pgd.ts';
import { consecutive, makeBatch } from '../../server/data/batches.ts';
import { datasetHere } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { modelOf } from './trainingStep.ts';
import type { Work } from './work.ts';

const settings = { epsilon: 8 / 255, stepSize: 2 / 255, steps: 50 };
const margin = 50;

/** @returns a function that makes one step on the whole batch; the runtime must be open */
export async function makeAttacker(work: Work): Promise<() => Promise<void>> {
  const { batchSize } = work;
  const shapes = makeShapes({ trainSamples: 1, testSamples: batchSize, seed: 0 });
  const dataset = datasetHere({ name: 'shapes' }, shapes);
  const { sampleShape, classes } = dataset;
  const network = buildNetwork(modelOf(work), { sampleShape, nClasses: classes.length, seed: 0 });
  const bias = network.parameters.at(-1)!.variable;
  bias.assign(tf.tensor1d(classes.map((_, label) => (label === 0 ? margin : 0))));
  const { images } = makeBatch(await dataset.test.read(consecutive(0, batchSize)), sampleShape);
  const start = () => {
    const standing = selectCorrect(network, images, new Int32Array(batchSize));
    return attackOnce(network, standing, settings, { key: { seed: 0, stream: 0, counter: 0 }, nRows: batchSize });
  };
  let attack = start();
  let step = 0;
  return async () => {
    if (step === settings.steps) {
      attack.return(undefined as never);
      attack = start();
      step = 0;
    }
    step++;
    if (attack.next().value !== batchSize)
      throw new Error('an image was fooled: the engines no longer do the same work');
    await Promise.resolve();
  };
}
