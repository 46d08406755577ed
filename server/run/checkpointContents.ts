// What a `.safetensors` file holds, tensor by tensor, with statistics and the curves of KAFs and splines in it. Works for any program's file.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  CheckpointContents,
  KafContents,
  ShapeContents,
  SplineContents,
  TensorContents,
} from '../protocol/checkpoint.ts';
import { isKaf, type Plan } from '../protocol/plan.ts';
import type { KafKernels } from '../protocol/records.ts';
import { checkpointOrigin, digestOf } from './checkpointFile.ts';
import { SafetensorsFile } from './safetensors.ts';
import type { StoredTensor } from './safetensors.ts';
import { readValues } from './tensorValues.ts';

const nBins = 40;
/** So that the answer can be sent, and shown. */
const maxTensors = 10_000;

/** Lets other work of the process run between tensors. @throws BadCheckpointError where the file is damaged. */
export async function inspectCheckpoint(file: string): Promise<CheckpointContents> {
  const stored = new SafetensorsFile(file);
  try {
    const origin = checkpointOrigin(stored);
    const tensors: TensorContents[] = [];
    const activations: ShapeContents[] = [];
    const byName = new Map(stored.tensors.map((tensor) => [tensor.name, tensor]));
    const digests = stored.readDigests();
    for (const tensor of stored.tensors.slice(0, maxTensors)) {
      await nextTurn();
      const bytes = stored.read(tensor);
      const digest = digests.get(tensor.name);
      const damage = digest !== undefined && digest !== digestOf([bytes]) ? { isDamaged: true as const } : {};
      const values = readValues(tensor.dtype, bytes);
      tensors.push({ ...describeTensor(tensor, values), ...damage });
      const plan = origin?.plan ?? null;
      const curves = kafContents({ stored, byName }, tensor, values, plan) ?? splineContents(tensor, values, plan);
      if (curves) activations.push(curves);
    }
    const omitted = stored.tensors.length - tensors.length;
    return {
      ...{ file, sizeBytes: stored.sizeBytes, origin, tensors, activations, metadata: stored.metadata },
      ...(omitted > 0 ? { omittedTensors: omitted } : {}),
    };
  } finally {
    stored.close();
  }
}

function describeTensor({ name, dtype, shape }: StoredTensor, values: ArrayLike<number>): TensorContents {
  const group = name.startsWith('model/') ? 'model' : name.startsWith('optimizer/') ? 'optimizer' : 'other';
  return { name, group, dtype, shape, values: values.length, ...statistics(values) };
}

/** Of the finite values; all NaN but the counts where there is none. L2, mean and deviation are summed in float64. */
function statistics(values: ArrayLike<number>) {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let squares = 0;
  let nFinite = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) continue;
    nFinite++;
    sum += value;
    squares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const nonFinite = values.length - nFinite;
  if (nFinite === 0) {
    const none = Number.NaN;
    return {
      l2: none,
      min: none,
      max: none,
      mean: none,
      std: none,
      nonFinite,
      histogram: new Array<number>(nBins).fill(0),
    };
  }
  const mean = sum / nFinite;
  const histogram = new Array<number>(nBins).fill(0);
  const binsPerUnit = max > min ? nBins / (max - min) : 0;
  let spread = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) continue;
    spread += (value - mean) ** 2;
    histogram[Math.min(nBins - 1, Math.floor((value - min) * binsPerUnit))]! += 1;
  }
  return { l2: Math.sqrt(squares), min, max, mean, std: Math.sqrt(spread / nFinite), nonFinite, histogram };
}

interface NamedTensors {
  readonly stored: SafetensorsFile;
  readonly byName: ReadonlyMap<string, StoredTensor>;
}

/** Boundary and bandwidth that Kafscope takes where nothing else is said. */
const defaultBoundary = 3;

/** Null where the tensor is no `[channels, dictionary]` of KAF coefficients. Another program's is read with our defaults. */
function kafContents(
  file: NamedTensors,
  { name, shape }: StoredTensor,
  values: ArrayLike<number>,
  plan: Plan | null,
): KafContents | null {
  const layer = /^(?!optimizer\/)(?:model\/)?(.+)\.alpha$/.exec(name)?.[1];
  const [channels, size] = shape;
  if (!layer || shape.length !== 2 || !channels || !size || size < 2) return null;
  const activation = plan?.model.activation;
  const kaf = activation && isKaf(activation) ? activation : null;
  if (plan && kaf?.dictionary !== size) return null;
  const boundary = kaf?.boundary ?? defaultBoundary;
  const spacing = (2 * boundary) / (size - 1);
  const kernels = kafKernels(file, name.slice(0, -'alpha'.length), [channels, size]);
  return {
    layer,
    channels,
    dictionary: Array.from({ length: size }, (_, index) => -boundary + index * spacing),
    gamma: kaf?.gamma ?? 1 / (6 * spacing ** 2),
    base: kaf?.type === 'residual-kaf' ? 'swish' : 'none',
    alpha: Float32Array.from(values),
    ...(kernels ? { kernels } : {}),
  };
}

/** Null where the tensor is no `[channels, points]` of a spline of ours: the points alone don't tell their knots and basis. */
function splineContents(
  { name, shape }: StoredTensor,
  values: ArrayLike<number>,
  plan: Plan | null,
): SplineContents | null {
  const layer = /^model\/(.+)\.points$/.exec(name)?.[1];
  const activation = plan?.model.activation;
  const [channels, size] = shape;
  if (!layer || activation?.type !== 'spline' || shape.length !== 2 || !channels || size !== activation.points)
    return null;
  const { boundary, basis } = activation;
  const spacing = (2 * boundary) / (size - 1);
  return {
    layer,
    channels,
    dictionary: Array.from({ length: size }, (_, index) => -boundary + index * spacing),
    spline: basis,
    alpha: Float32Array.from(values),
  };
}

/** The dictionary and the bandwidth that stand beside an α; null where they are fixed, and so not in the file. */
function kafKernels(
  { stored, byName }: NamedTensors,
  prefix: string,
  [channels, size]: readonly [number, number],
): KafKernels | null {
  const read = (quantity: string, count: number) => {
    const tensor = byName.get(`${prefix}${quantity}`);
    const values = tensor ? readValues(tensor.dtype, stored.read(tensor)) : null;
    return values?.length === count ? Float32Array.from(values) : null;
  };
  const dictionaries = read('dictionary', channels * size);
  const logGammas = read('logGamma', channels);
  return dictionaries && logGammas ? { dictionaries, gammas: logGammas.map(Math.exp) } : null;
}
