// A made-up checkpoint for pictures, from the last shapes and norms of the made-up run.
import type { CheckpointContents, TensorContents } from '../../../server/protocol/checkpoint.ts';
import { makePlan, makeSnapshot, type RunActivation } from './runData.ts';

export function makeCheckpoint({
  nonFinite,
  activation = 'kaf',
}: {
  nonFinite: number;
  activation?: RunActivation;
}): CheckpointContents {
  const snapshot = makeSnapshot({ steps: 4692, status: 'finished', normsEverySteps: 100, activation });
  const shapes = snapshot.shapes.at(-1);
  const parameters = snapshot.prepared?.parameters ?? [];
  const weights = snapshot.norms.weights.at(-1);
  const tensor = (
    name: string,
    group: TensorContents['group'],
    shape: readonly number[],
    l2: number,
    index: number,
  ): TensorContents => {
    const values = shape.reduce((a, b) => a * b, 1);
    const std = l2 / Math.sqrt(values);
    return {
      name,
      group,
      dtype: 'F32',
      shape,
      values,
      l2,
      min: -3.1 * std,
      max: 3.4 * std,
      mean: 0.02 * std,
      std,
      nonFinite: index === 12 ? nonFinite : 0,
      histogram: Array.from({ length: 24 }, (_, bin) =>
        Math.round(values * 0.1 * Math.exp(-((bin - 11 - (index % 3)) ** 2) / (16 + index))),
      ),
    };
  };
  return {
    file: '/home/ada/.kafscope/runs/kaf-vgg-1/checkpoints/epoch-12.safetensors',
    sizeBytes: 2_312_448,
    origin: {
      runId: 'kaf-vgg-1',
      step: 4692,
      epoch: 12,
      plan: makePlan(activation),
      versions: { kafscope: '0.1.0', tfjs: '4.22.0', node: '24.21.0' },
    },
    tensors: parameters.flatMap(({ name, shape }, index) => [
      tensor(`model/${name}`, 'model', shape, weights?.[index] ?? 1, index),
      tensor(`optimizer/${name}.velocity`, 'optimizer', shape, 0.02 * (index + 1), index),
    ]),
    activations: (snapshot.prepared?.activations ?? []).map((info, index) => ({
      ...info,
      alpha: shapes?.alphas[index] ?? new Float32Array(),
      ...(shapes?.kernels?.[index] ? { kernels: shapes.kernels[index] } : {}),
    })),
    metadata: {},
  };
}
