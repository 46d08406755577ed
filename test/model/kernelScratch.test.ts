// What a layer's kernels are said to take beside tensors, next to what they ask the runtime for.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { kaf2dFloats, kernelKafFloats, mostGradientParts } from '../../server/model/kafScratch.ts';
import { scratchFloats, type ScratchOptions } from '../../server/model/kernelScratch.ts';
import type { Pass } from '../../server/model/layer.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { layOutNetwork } from '../../server/network/layout.ts';
import type { ActivationPlan, LayerPlan, ModelPlan } from '../../server/protocol/plan.ts';
import { releaseTape } from '../../server/tensor/releaseTape.ts';
import { gradientParts } from '../../server/tensor/wasm/kernels/cubics.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import type { WasmBackend } from '../../server/tensor/wasm/wasmBackend.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';

interface Trial extends ScratchOptions {
  readonly what: string;
  /** The last one is looked at. */
  readonly layers: readonly LayerPlan[];
  readonly sampleShape: readonly number[];
  /** So much of what is said is taken at least. */
  readonly least: number;
}

function trial(
  what: string,
  layers: LayerPlan | readonly LayerPlan[],
  [height, width, channels, batchSize]: readonly [number, number, number, number],
  [gradients, threads]: readonly ['all' | 'input', number],
  least: number,
): Trial {
  return {
    what,
    layers: [layers].flat(),
    sampleShape: [height, width, channels],
    batchSize,
    gradients,
    threads,
    least,
  };
}

function activation(text: string): LayerPlan {
  const { plans } = compileExperiment(`model: {activation: ${text}}`, { file: null, homeFolder: '/' });
  return { type: 'activation', activation: plans[0]!.model.activation };
}

function conv(size: number, channels: number, stride = 1): LayerPlan {
  return { type: 'conv', channels, size, stride, padding: 'same', bias: true, initializer: 'he-uniform' };
}

function dense(units: number | 'classes'): LayerPlan {
  return { type: 'dense', units, bias: true, initializer: 'glorot-uniform' };
}

const wide = [16, 16, 64, 32] as const;
const small = [4, 4, 16, 2] as const;
const trials: readonly Trial[] = [
  trial('batch-norm', { type: 'batch-norm' }, wide, ['all', 2], 0.94),
  trial('layer-norm', { type: 'layer-norm' }, [16, 16, 24, 8], ['all', 2], 1),
  trial('group-norm', { type: 'group-norm', groups: 4 }, [8, 8, 8, 4], ['input', 2], 1),
  trial('dense', [{ type: 'flatten' }, dense(300)], [10, 10, 3, 64], ['all', 2], 0.99),
  trial('conv 3×3', conv(3, 64), [8, 8, 128, 64], ['all', 1], 0.95),
  trial('conv 3×3', conv(3, 64), [8, 8, 128, 64], ['all', 3], 0.93),
  trial('conv 3×3', conv(3, 32), [8, 8, 8, 4], ['input', 4], 0.93),
  trial('conv 3×3', conv(3, 64), [8, 8, 128, 48], ['all', 1], 0.94),
  trial('conv 3×3', conv(3, 64), [8, 8, 64, 4], ['all', 1], 0.92),
  trial('conv 3×3 of 8 tiles', conv(3, 16), [5, 5, 16, 2], ['input', 1], 0.94),
  trial('conv 3×3 to many', conv(3, 2048), [8, 8, 8, 2], ['all', 1], 0.86),
  trial('conv 3×3 to many', conv(3, 2048), [8, 8, 8, 2], ['input', 1], 0.62),
  trial('conv 3×3, few', conv(3, 16), small, ['all', 1], 0),
  trial('conv 3×3, stride 2', conv(3, 64, 2), [8, 8, 128, 64], ['all', 1], 0.91),
  trial('conv 5×5', conv(5, 16), [8, 8, 8, 4], ['input', 1], 0.93),
  trial('conv 5×5', conv(5, 16), [32, 32, 3, 16], ['all', 4], 0.95),
  trial('conv 7×7', conv(7, 24), [8, 8, 128, 64], ['all', 1], 0.95),
  trial('conv 7×7', conv(7, 24), [8, 8, 128, 64], ['input', 1], 0.93),
  trial('conv 1×1', conv(1, 64), [8, 8, 128, 64], ['all', 1], 0),
  trial('relu', activation('relu'), small, ['all', 1], 0),
  trial('apl', activation('apl'), [32, 32, 64, 4], ['all', 2], 0.98),
  trial('apl', activation('apl'), [32, 32, 64, 4], ['input', 2], 0),
  trial('spline', activation('spline'), wide, ['all', 2], 1),
  trial('spline', activation('spline'), wide, ['input', 2], 1),
  trial('kaf', activation('kaf'), [8, 8, 128, 64], ['all', 1], 0.97),
  trial('kaf', activation('kaf'), [8, 8, 8, 4], ['all', 4], 0.88),
  trial('kaf', activation('{type: kaf, dictionary: 100}'), wide, ['input', 1], 0.99),
  trial('narrow kaf', activation('{type: kaf, gamma: 100000000}'), [32, 32, 16, 16], ['all', 1], 0.95),
  trial('narrow kaf', activation('{type: kaf, gamma: 100000000}'), wide, ['input', 1], 0),
  trial('kaf-free', activation('kaf-free'), [16, 16, 24, 8], ['all', 1], 0.94),
  trial('kaf-free', activation('kaf-free'), wide, ['input', 1], 0.81),
  trial('kaf-free', activation('kaf-free'), wide, ['all', 1], 0.7),
  trial('kaf-free, few', activation('kaf-free'), [8, 8, 8, 4], ['input', 8], 0.83),
  trial('kaf of ReLU', activation('{type: kaf, kernel: relu}'), [32, 32, 16, 16], ['all', 2], 0.79),
  trial('kaf of ReLU', activation('{type: kaf, kernel: relu}'), wide, ['input', 1], 0.75),
  trial('kaf of ReLU', activation('{type: kaf, kernel: relu, dictionary: 2}'), wide, ['input', 1], 0.55),
  trial(
    'narrow kaf of a kernel',
    activation('{type: kaf, kernel: rational-quadratic, gamma: 100000000}'),
    ...([small, ['all', 1], 0] as const),
  ),
  trial('multi-kaf', activation('multi-kaf'), [32, 32, 16, 16], ['all', 1], 0.93),
  trial('multi-kaf', activation('multi-kaf'), [8, 8, 128, 64], ['input', 3], 0.91),
  trial('kaf-2d', [conv(1, 16), activation('kaf-2d')], [32, 32, 3, 16], ['all', 1], 0.99),
  trial('kaf-2d', [conv(1, 16), activation('kaf-2d')], [32, 32, 3, 16], ['input', 3], 0.99),
  trial('kaf-2d', [conv(1, 16), activation('{type: kaf-2d, dictionary: 5}')], [8, 8, 3, 16], ['input', 8], 0.99),
  trial('maxout', [conv(1, 16), activation('maxout')], [8, 8, 3, 4], ['all', 1], 0),
];

/** The most float32 values that kernels ask for beside tensors, at once. */
function watchScratch(backend: WasmBackend): () => number {
  let [live, peak] = [0, 0];
  const own = backend.withScratch.bind(backend);
  backend.withScratch = <T>(sizes: readonly number[], use: (...addresses: number[]) => T): T => {
    const floats = sizes.reduce((sum, size) => sum + Math.ceil(size / 64) * 16, 0);
    live += floats;
    peak = Math.max(peak, live);
    try {
      return own(sizes, use);
    } finally {
      live -= floats;
    }
  };
  return () => peak;
}

function modelOf({ layers }: Trial): ModelPlan {
  const ending = [{ type: 'flatten' }, dense('classes')] as const;
  const relu: ActivationPlan = { type: 'relu' };
  return {
    ...{ network: { type: 'layers', layers: [...layers, ...ending] }, activation: relu, dropout: [] },
    ...{ denseL2: 0, convolutionL2: 0, normalization: null },
  };
}

const endsOf = ({ sampleShape }: Trial) => ({ sampleShape, nClasses: 2 });

async function take(one: Trial): Promise<number> {
  const { batchSize, gradients, threads } = one;
  const { backend } = await openWasmBackend(assetsFolder, { threads });
  const network = buildNetwork(modelOf(one), { ...endsOf(one), seed: 0 });
  const isAll = gradients === 'all';
  const variables = isAll ? network.parameters.slice(0, -2).map(({ variable }) => variable) : [];
  const pass: Pass = {
    ...{ mode: isAll ? 'training' : 'inference', key: null, gradients, differentiatesInput: true },
    batchStatistics: null,
  };
  const images = tf.randomUniform([batchSize, ...one.sampleShape]);
  const outputs = tf.onesLike(network.before(2, images, pass));
  const peak = watchScratch(backend);
  tf.valueAndGrads(() => {
    const y = network.before(2, images, pass);
    releaseTape();
    return y;
  })([...variables, images], outputs);
  return peak();
}

describe('scratch of kernels', () => {
  const taken: number[] = [];

  beforeAll(async () => {
    for (const one of trials) taken.push(await take(one));
  });

  it.each(trials.map((one, index) => ({ ...one, index })))(
    'of $what, gradients $gradients, $threads threads, is what is said at most, and no small part of it',
    ({ index, ...one }) => {
      const layout = layOutNetwork(modelOf(one), endsOf(one)).at(-3)!;
      const said = scratchFloats(layout, one);
      expect(taken[index]).toBeLessThanOrEqual(said);
      expect(taken[index]).toBeGreaterThanOrEqual(one.least * said);
    },
  );

  it('of sums over channels is in as many parts as their gradients are cut into', () => {
    const backend = { grainOf: (_: unknown, grain: number) => grain } as unknown as WasmBackend;
    const channels = [8, 16, 24, 40, 64, 128, 160, 176, 272, 1024];
    expect(channels.map(mostGradientParts)).toEqual(
      channels.map((count) => gradientParts(backend, 2 ** 20, count).length),
    );
  });

  it('of kernels that no grid holds is none: tfjs’s own run', () => {
    const narrow = { dictionary: 20, boundary: 3, gamma: 1e8, init: { type: 'normal', std: 0.3 } } as const;
    const at = { channels: 16, gradients: 'all', threads: 2 } as const;
    expect(kernelKafFloats({ type: 'kaf', ...narrow }, ['rational-quadratic'], at)).toBe(0);
    expect(kaf2dFloats({ type: 'kaf-2d', ...narrow }, at)).toBe(0);
  });
});
