import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBatch } from '../../server/data/batches.ts';
import type { Network } from '../../server/model/network.ts';
import type { ModelPlan, Plan, SpectralNormPlan } from '../../server/protocol/plan.ts';
import { clearHalted, makeHalted } from '../../server/tensor/ops/step.ts';
import { beginFigures, computeGradients, penaltiesOf } from '../../server/trainer/gradients.ts';
import { networkOf } from '../../server/trainer/planNetwork.ts';
import { testNetwork } from '../../server/trainer/testing.ts';
import { openTraining, updateOnce } from '../../server/trainer/training.ts';
import { captureTensors, restoreNetwork } from '../../server/trainer/trainingState.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();
const normalization: SpectralNormPlan = { type: 'normalization', iterations: 1 };
const penalty: SpectralNormPlan = { type: 'penalty', iterations: 1, lambda: 0.25 };

/** A convolution and a dense layer with a smooth function between. */
const model: ModelPlan = {
  network: {
    type: 'layers',
    layers: [
      ...[
        {
          type: 'conv',
          channels: 5,
          size: 3,
          stride: 1,
          padding: 'same',
          bias: true,
          initializer: 'he-uniform',
        } as const,
      ],
      ...[{ type: 'activation', activation: null } as const, { type: 'global-average-pool' } as const],
      ...[{ type: 'dense', units: 'classes', bias: true, initializer: 'glorot-uniform' } as const],
    ],
  },
  activation: { type: 'tanh' },
  ...{ dropout: [], denseL2: 0, convolutionL2: 0, normalization: null },
};

function planOf(spectralNorm: SpectralNormPlan | null, training: Partial<Plan['training']> = {}): Plan {
  return {
    ...tinyPlan,
    model: { ...model, ...(spectralNorm && { spectralNorm }) },
    training: { ...tinyPlan.training, schedule: { type: 'constant', learningRate: 0.05 }, ...training },
    observe: { ...tinyPlan.observe, shapesEverySteps: 0, robustSamples: 0 },
  };
}

async function gradientsOf(network: Network, spectralNorm: SpectralNormPlan | null) {
  const batch = makeBatch(await dataset.train.read(Uint32Array.of(0, 1, 2, 3)), dataset.sampleShape);
  const penalties = penaltiesOf(planOf(spectralNorm).model);
  const computed = computeGradients(network, batch, { key: { seed: 0, stream: 0, counter: 0 }, penalties });
  const { loss } = beginFigures(computed.said)();
  const gradients = computed.gradients.map((gradient) => gradient.dataSync<'float32'>().slice());
  computed.dispose();
  tf.dispose([batch.images, batch.labels]);
  return { loss, gradients };
}

function kernelsOf({ parameters }: Network) {
  return parameters.flatMap((parameter, index) => (parameter.kernelOf ? [{ ...parameter, index }] : []));
}

describe('kernels divided by their spectral norms', () => {
  it('start with a largest singular value of 1, whatever was drawn', () => {
    const network = networkOf(planOf(normalization), dataset);
    const kernels = kernelsOf(network);
    expect(kernels.map(({ name }) => name)).toEqual(['conv1.kernel', 'dense1.kernel']);
    for (const { spectrum } of kernels) {
      const inputs = spectrum!.right.size;
      const [ofMatrix] = tf.tidy(() => {
        const matrix = tf.reshape(spectrum!.divided!, [inputs, -1]);
        let vector = tf.ones([inputs, 1]);
        for (let i = 0; i < 200; i++) {
          vector = tf.matMul(matrix, tf.matMul(matrix, vector, true, false));
          vector = tf.div(vector, tf.norm(vector));
        }
        return tf.norm(tf.matMul(matrix, vector, true, false)).dataSync();
      });
      expect(ofMatrix).toBeGreaterThan(0.999);
      expect(ofMatrix).toBeLessThan(1.05);
    }
    network.dispose();
  });

  it('have the slope of the loss, through σ, by central differences', async () => {
    const network = networkOf(planOf(normalization), dataset);
    const { gradients } = await gradientsOf(network, normalization);
    for (const { variable, spectrum, index } of kernelsOf(network)) {
      const values = variable.dataSync<'float32'>().slice();
      for (const at of [0, 7, values.length - 1]) {
        const losses = [];
        for (const move of [0.01, -0.01]) {
          const moved = values.map((value, i) => (i === at ? value + move : value));
          tf.tidy(() => {
            variable.assign(tf.tensor(moved, variable.shape));
          });
          spectrum!.divide();
          losses.push((await gradientsOf(network, normalization)).loss);
        }
        tf.tidy(() => {
          variable.assign(tf.tensor(values, variable.shape));
        });
        spectrum!.divide();
        expect((losses[0]! - losses[1]!) / 0.02).toBeCloseTo(gradients[index]![at]!, 3);
      }
    }
    network.dispose();
  });

  it('are followed once an update, and restored from what names them', async () => {
    const plan = planOf(normalization, { weightAverage: { decay: 0.5, warmUp: false, statistics: 'average' } });
    const { states } = await collect(plan, dataset);
    const last = states.at(-1)!;
    const singular = [...last.tensors.keys()].filter((name) => name.includes('Singular'));
    expect(singular).toEqual([
      ...['model/conv1.leftSingular', 'model/conv1.rightSingular'],
      ...['model/dense1.leftSingular', 'model/dense1.rightSingular'],
      ...['average/conv1.leftSingular', 'average/conv1.rightSingular'],
      ...['average/dense1.leftSingular', 'average/dense1.rightSingular'],
    ]);
    const network = networkOf(plan, dataset);
    for (const of of ['model', 'average'] as const) {
      restoreNetwork(network, last, of);
      for (const { spectrum, variable } of kernelsOf(network)) {
        const sigma = spectrum!.sigma();
        const wanted = tf.div(variable, sigma);
        expect(spectrum!.divided!.dataSync()).toEqual(wanted.dataSync());
        tf.dispose([sigma, wanted]);
      }
    }
    network.dispose();
  });
});

describe('an average of kernels divided by their spectral norms', () => {
  it('is divided by its own, which follow it', async () => {
    const plan = planOf(normalization, { weightAverage: { decay: 0.5, warmUp: false, statistics: 'average' } });
    const { records, states } = await collect(plan, dataset);
    const network = networkOf(plan, dataset);
    restoreNetwork(network, states.at(-1)!, 'average');
    const tested = await testNetwork(network, dataset, plan, new AbortController().signal);
    expect(records.filter(({ type }) => type === 'test').at(-1)).toMatchObject({ loss: tested!.loss });
    network.dispose();
  });
});

describe('a penalty on spectral norms', () => {
  it('is added to the gradients of kernels, and leaves their layers as they are', async () => {
    const plain = networkOf(planOf(null), dataset);
    const network = networkOf(planOf(penalty), dataset);
    const without = await gradientsOf(plain, null);
    const with_ = await gradientsOf(network, penalty);
    expect(with_.loss).toBe(without.loss);
    network.parameters.forEach(({ name, kernelOf, spectrum }, index) => {
      const [own, other] = [with_.gradients[index]!, without.gradients[index]!];
      if (!kernelOf) {
        expect(own, name).toEqual(other);
        return;
      }
      const wanted = spectrum!.penaltyGradient(0.25);
      const more = wanted.dataSync<'float32'>();
      own.forEach((value, at) => {
        expect(value - other[at]!, name).toBeCloseTo(more[at]!, 5);
      });
      wanted.dispose();
    });
    plain.dispose();
    network.dispose();
  });
});

describe.each([normalization, penalty])('training with $type', (spectralNorm) => {
  it('goes on from any step as if it had not been stopped, bit by bit, and leaves no tensor', async () => {
    const plan = planOf(spectralNorm);
    await collect(plan, dataset);
    const before = tf.memory().numTensors;
    const whole = await collect(plan, dataset);
    expect(tf.memory().numTensors).toBe(before);
    for (const stopAfter of [1, 2, 3]) {
      const controller = new AbortController();
      const head = await collect(plan, dataset, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
            controller.abort();
        },
      });
      const tail = await collect(plan, dataset, { from: head.states.at(-1)! });
      expect([...head.records, ...tail.records.slice(1)]).toEqual(whole.records);
      expect(tail.states.at(-1)).toEqual(whole.states.at(-1));
    }
    const { records } = await collect(planOf(null), dataset);
    expect(whole.records).not.toEqual(records);
  });

  it('stands still behind a step that was not made, as all that a training remembers does', async () => {
    const weightAverage = { decay: 0.5, warmUp: false, statistics: 'average' } as const;
    const training = openTraining(planOf(normalization, { weightAverage }), dataset);
    const samples = await dataset.train.read(Uint32Array.of(0, 1, 2, 3));
    const state = () => [...captureTensors(training)].map(([name, { values }]) => [name, [...values]]);
    updateOnce(training, samples, 0, { learningRate: 0.05 })();
    const before = state();
    training.halted.assign(tf.tensor1d([1], 'int32'));
    updateOnce(training, samples, 1, { learningRate: 0.05 })();
    expect(state()).toEqual(before);
    clearHalted(training.halted);
    updateOnce(training, samples, 1, { learningRate: 0.05 })();
    const after = state();
    const moved = after.flatMap(([name], index) =>
      String(after[index]) === String(before[index]) ? [] : [String(name)],
    );
    expect(moved.some((name) => /left/.test(name))).toBe(true);
    expect(moved.some((name) => /average/.test(name))).toBe(true);
    training.dispose();
  });

  it('follows the weights unless the step was not made', () => {
    const network = networkOf(planOf(spectralNorm), dataset);
    const read = () => kernelsOf(network).map(({ spectrum }) => [...spectrum!.left.dataSync()]);
    for (const { variable } of network.parameters)
      variable.assign(tf.randomUniform(variable.shape, -1, 1, undefined, 1));
    const halted = makeHalted();
    const before = read();
    halted.assign(tf.tensor1d([3], 'int32'));
    network.followWeights(halted);
    expect(read()).toEqual(before);
    clearHalted(halted);
    network.followWeights(halted);
    expect(read()).not.toEqual(before);
    halted.dispose();
    network.dispose();
  });
});
