// Two updates of a toy network by every training method against its published pseudo-code, written in PyTorch: losses, gradients,
// weights, running statistics, and the perturbation that free training keeps.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { attackSpace } from '../../server/attack/space.ts';
import { buildNetwork, type Network } from '../../server/model/network.ts';
import type { MethodPlan } from '../../server/protocol/methodTable.ts';
import type { LayerPlan, ThreatPlan } from '../../server/protocol/plan.ts';
import { overwrite } from '../../server/tensor/ops/step.ts';
import { trainingLosses } from '../../server/tensor/ops/trainingLoss.ts';
import { beginFigures } from '../../server/trainer/gradients.ts';
import { makeMethod } from '../../server/trainer/methods/methods.ts';
import { makeOptimizer } from '../../server/trainer/optimizer.ts';
import { openContractRuntime, runtimeNames } from '../tensor/ops/runtimes.ts';
import { hashed } from './hashed.ts';
import { readGolden, type GoldenTensor } from './readGolden.ts';

interface Golden {
  readonly madeBy: { readonly seed: number };
  readonly labels: readonly number[];
  readonly side: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly scale: number;
    readonly centre: number;
  }[];
  readonly runs: readonly {
    readonly method: MethodPlan;
    readonly threat: ThreatPlan | null;
    readonly updates: readonly {
      readonly loss: number;
      readonly accuracy: number;
      readonly gradients: Readonly<Record<string, GoldenTensor>>;
    }[];
    readonly weights: Readonly<Record<string, GoldenTensor>>;
    readonly statistics: Readonly<Record<string, GoldenTensor>>;
    readonly delta: GoldenTensor | null;
  }[];
}

const golden = readGolden<Golden>('methods');
const { seed } = golden.madeBy;
const tolerance = 1e-5;

const layers: readonly LayerPlan[] = [
  { type: 'conv', channels: 4, size: 3, stride: 1, padding: 'same', bias: true, initializer: 'he-uniform' },
  { type: 'batch-norm' },
  { type: 'activation', activation: null },
  { type: 'global-average-pool' },
  { type: 'dense', units: 'classes', bias: true, initializer: 'glorot-uniform' },
];

describe.each(runtimeNames)('on %s, two updates agree with PyTorch to 1e-5', (runtime) => {
  beforeAll(async () => {
    await openContractRuntime(runtime);
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  it.each(golden.runs.map((run) => ({ run, name: JSON.stringify(run.method), norm: run.threat?.norm ?? 'no threat' })))(
    'of $name, $norm',
    ({ run }) => {
      const { labels, side, learningRate, momentum } = golden;
      const before = tf.memory().numTensors;
      const network = build();
      const optimizer = makeOptimizer({ type: 'sgd', momentum, weightDecay: 0 }, network);
      const space = attackSpace(network, { columns: null });
      const lossOf = trainingLosses['cross-entropy'];
      const method = makeMethod(
        {
          ...{ network, space, seed, lossOf, attackLossOf: lossOf, penalties: { dense: 0, convolution: 0 } },
          ...{ threat: run.threat, batchSize: labels.length, sampleShape: [side, side, 3] },
        },
        run.method,
      );
      run.updates.forEach((wanted, step) => {
        const stream = 1000 + (run.method.type === 'free' ? 0 : step);
        const computed = method.update(batchOf(stream), { step: step + 1 });
        const { loss, accuracy } = beginFigures(computed.said)();
        expect(loss / wanted.loss, `loss of update ${step + 1}`).toBeCloseTo(1, 5);
        expect(accuracy).toBeCloseTo(wanted.accuracy, 6);
        const largest = Math.max(...Object.values(wanted.gradients).flatMap(({ values }) => values.map(Math.abs)));
        network.parameters.forEach(({ name }, index) => {
          const given = computed.gradients[index]!.dataSync<'float32'>();
          expectNear(given, wanted.gradients[name]!, tolerance * largest, `gradient of ${name} in update ${step + 1}`);
        });
        optimizer.update(computed.gradients, { learningRate, step: step + 1 });
        for (const pass of computed.batchStatistics) network.updateStatistics(pass, { step: step + 1 });
        for (const [variable, next] of computed.kept ?? []) overwrite(variable, next);
        computed.dispose();
      });
      for (const { name, variable } of [...network.parameters, ...network.statistics]) {
        const wanted = run.weights[name] ?? run.statistics[name]!;
        expectNear(variable.dataSync<'float32'>(), wanted, tolerance, name);
      }
      const delta = method.kept.get('delta');
      expect(delta === undefined).toBe(run.delta === null);
      if (delta && run.delta) expectNear(delta.dataSync<'float32'>(), run.delta, 1e-6, 'δ');
      tf.dispose([...method.kept.values()]);
      space.dispose();
      optimizer.dispose();
      network.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

function build(): Network {
  const network = buildNetwork(
    {
      network: { type: 'layers', layers },
      activation: { type: 'swish' },
      ...{ dropout: [], denseL2: 0, convolutionL2: 0, normalization: null },
    },
    { sampleShape: [golden.side, golden.side, 3], nClasses: 3, seed: 0 },
  );
  expect(network.parameters.map(({ name, shape }) => [name, shape])).toEqual(
    golden.parameters.map(({ name, shape }) => [name, shape]),
  );
  network.parameters.forEach(({ variable }, index) => {
    const { scale, centre, shape } = golden.parameters[index]!;
    const values = Float32Array.from(hashed(1 + index, variable.size), (value) => centre + scale * value);
    tf.tidy(() => {
      variable.assign(tf.tensor(values, [...shape]));
    });
  });
  return network;
}

function batchOf(stream: number) {
  const { labels, side } = golden;
  const values = Float32Array.from(hashed(stream, labels.length * side ** 2 * 3), (value) => (value + 1) / 2);
  return {
    images: tf.tensor4d(values, [labels.length, side, side, 3]),
    labels: tf.tensor1d([...labels], 'int32'),
  };
}

function expectNear(given: Float32Array, { values }: GoldenTensor, allowed: number, what: string): void {
  expect(given).toHaveLength(values.length);
  const furthest = values.reduce((most, value, index) => Math.max(most, Math.abs(given[index]! - value)), 0);
  expect(furthest, what).toBeLessThanOrEqual(allowed);
}
