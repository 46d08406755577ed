// A made-up checkpoint for pictures, from the last shapes and norms of the made-up run.
import { writeExperiment } from '../../../server/experiment/writeExperiment.ts';
import type {
  CheckpointContents,
  CheckpointDifference,
  KernelPictures,
  ShapeContents,
  TensorContents,
} from '../../../server/protocol/checkpoint.ts';
import { kernelLayout, kernelPage } from '../../../server/protocol/kernelLayout.ts';
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
  const none = { l2: Number.NaN, min: Number.NaN, max: Number.NaN, mean: Number.NaN, std: Number.NaN, histogram: [] };
  const unread = { ...tensors[1]!, ...none, name: 'backbone.freqs', dtype: 'C64', isUnread: true as const };
  return withDamage(
    {
      ...ours,
      file: '/data/imported/another-program.safetensors',
      origin: null,
      experiment: null,
      tensors: [unread, ...tensors],
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

/** As if the other had been earlier: less spread, shapes nearer to where they began. */
export function makeDifference(contents: CheckpointContents, other: string): CheckpointDifference {
  const tensors = contents.tensors.map(({ name, l2, min, max, histogram }, index) => {
    const relative = 0.02 + 0.5 * Math.abs(Math.sin(index * 1.7));
    const otherHistogram = histogram.map((_, bin) => histogram[bin + (bin < 11 ? -2 : 2)] ?? 0);
    const figures = { l2: l2 * relative, relative, largest: max * relative, nonFinite: 0 };
    return { name, ...figures, ...{ min, max, histogram, otherHistogram } };
  });
  const halved = (one: ShapeContents): ShapeContents => ({ ...one, alpha: one.alpha.map((value) => value / 2) });
  return {
    ...{ file: contents.file, other, tensors, unmatched: 2 },
    otherOrigin: { runId: 'kaf-vgg-1', step: 1564, epoch: 4 },
    activations: contents.activations.map(halved),
  };
}

/** Edges and spots, as a trained first layer has them; one value is not finite where the tensor has such. */
export function makeKernel(
  contents: CheckpointContents,
  { tensor: name, input, page }: { tensor: string; input: number; page: number },
): KernelPictures {
  const { shape, max, nonFinite } = contents.tensors.find((tensor) => tensor.name === name)!;
  const { firstOutput, count, height, width } = kernelPage(kernelLayout(shape, contents.origin !== null)!, page);
  const size = height * width;
  const values = Float32Array.from({ length: count * size }, (_, index) => {
    const output = firstOutput + Math.floor(index / size);
    const angle = output * 0.7 + input;
    const [y, x] = [Math.floor((index % size) / width) - (height - 1) / 2, (index % width) - (width - 1) / 2];
    return max * Math.cos(Math.cos(angle) * x * 1.4 + Math.sin(angle) * y * 1.4 + angle) * Math.cos(output);
  });
  if (nonFinite > 0) values[5] = Number.NaN;
  return { file: contents.file, tensor: name, input, page, values };
}
