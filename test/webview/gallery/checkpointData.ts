// A made-up checkpoint for pictures, from the last shapes and norms of the made-up run.
import { writeExperiment } from '../../../server/experiment/writeExperiment.ts';
import type { CheckpointContents, TensorContents } from '../../../server/protocol/checkpoint.ts';
import type { RunActivation } from './runActivations.ts';
import { makePlan, makeSnapshot } from './runData.ts';

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
    experiment: writeExperiment(makePlan(activation)),
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

export function withDamage(contents: CheckpointContents, names: readonly string[]): CheckpointContents {
  const tensors = contents.tensors.map((tensor) =>
    names.includes(tensor.name) ? { ...tensor, isDamaged: true as const } : tensor,
  );
  return { ...contents, tensors };
}

/** Another program's file: names without groups, five tensors damaged, curves and metadata left out. */
export function makeForeignCheckpoint(): CheckpointContents {
  const ours = makeCheckpoint({ nonFinite: 0 });
  const tensors = ours.tensors
    .filter(({ group }) => group === 'model')
    .map((tensor) => ({
      ...tensor,
      group: 'other' as const,
      name: tensor.name.replace('model/', 'backbone.stages.0.'),
    }));
  const damaged = tensors.slice(2, 7).map(({ name }) => name);
  return withDamage(
    {
      ...ours,
      file: '/data/imported/another-program.safetensors',
      origin: null,
      experiment: null,
      tensors,
      activations: ours.activations.map((curves) => ({ ...curves, layer: `backbone.stages.0.${curves.layer}` })),
      omittedActivations: 1,
      metadata: { format: 'pt', made: 'elsewhere' },
      omittedMetadata: 3,
    },
    damaged,
  );
}

/** The first ten thousand of a million tensors. */
export function makeManyTensors(): CheckpointContents {
  const { tensors, ...others } = makeForeignCheckpoint();
  const many = Array.from({ length: 10_000 }, (_, index) => {
    const { isDamaged: _isDamaged, ...tensor } = tensors[index % tensors.length]!;
    return { ...tensor, name: `experts.${index.toString()}.${tensor.name}` };
  });
  return { ...others, sizeBytes: 8.4e9, tensors: many, activations: [], omittedTensors: 990_000 };
}
