// Threads of the wasm runtime: that every call runs once, that failures come back, and that a training step's kernels give the
// same bits on any number of them.
import * as tf from '@tensorflow/tfjs-core';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { activationFunction, type FormulaActivation } from '../../../../server/formula/activationFunction.ts';
import { openRuntime } from '../../../../server/tensor/runtime.ts';
import { openWasmBackend } from '../../../../server/tensor/wasm/openWasmBackend.ts';
import { kernelNames } from '../../../../server/tensor/wasm/loadKernels.ts';
import type { Cuts } from '../../../../server/tensor/wasm/threads/cuts.ts';
import type { WasmBackend } from '../../../../server/tensor/wasm/wasmBackend.ts';
import { assetsFolder, noise, runKernel } from '../builds.ts';
import { watchJobs } from '../watchJobs.ts';

const counts = [1, 2, 3, 4];

async function open(threads: number, cuts: Cuts = 'worthwhile'): Promise<WasmBackend> {
  return (await openWasmBackend(assetsFolder, { threads, cuts })).backend;
}

afterEach(async () => {
  await openRuntime('cpu', { assetsFolder });
});

describe('threads', () => {
  it.each(counts)('run every call once: %i', async (threads) => {
    const backend = await open(threads);
    const n = 5000;
    backend.withScratch([n * 4, n * 4], (from, to) => {
      const x = backend.floats(from!, n);
      const y = backend.floats(to!, n);
      for (let repetition = 1; repetition <= 200; repetition++) {
        // Adds 1 to each element in place: what runs twice or never shows.
        x.fill(1);
        y.fill(repetition);
        // As many calls as a job takes, and more.
        const calls = Array.from({ length: n }, (_, i) => [0, to! + i * 4, from! + i * 4, to! + i * 4, 1, 1, 0, 1]);
        backend.run('binary', calls.slice(0, repetition % 50 === 0 ? n : repetition));
        const isDone = (index: number) => index < (repetition % 50 === 0 ? n : repetition);
        expect(y.every((value, index) => value === repetition + (isDone(index) ? 1 : 0))).toBe(true);
      }
    });
  });

  it('see memory that was grown after they started', async () => {
    const backend = await open(3);
    const sizeBytes = 2 * backend.pool.capacityBytes;
    const address = backend.pool.allocate(sizeBytes);
    const length = sizeBytes / 4;
    for (let repetition = 0; repetition < 20; repetition++) {
      backend.floats(address, length).fill(-1);
      // memory.fill in a kernel checks its bounds against the size of the memory.
      const half = length / 2;
      const pieces = Array.from({ length: 64 }, (_, i) => [i * (half / 64), (i + 1) * (half / 64)] as const);
      backend.run(
        'maxPoolGradient',
        pieces.map(([first, last]) => [
          address,
          address,
          1,
          1,
          1,
          address + half * 4,
          0,
          0,
          1,
          1,
          1,
          1,
          0,
          0,
          first,
          last,
        ]),
      );
      expect(backend.floats(address + half * 4, half).every((value) => value === 0)).toBe(true);
    }
    backend.pool.free(address);
  });

  it('have scratch of their own', async () => {
    await open(4);
    const x = tf.ones([300_000]);
    const key = { seed: 1, stream: 2, counter: 3 };
    const [expected] = runKernel('KafscopeDropout', { x }, { rate: 0.5, key });
    const values = expected!.dataSync().slice();
    for (let repetition = 0; repetition < 10; repetition++) {
      const [again] = runKernel('KafscopeDropout', { x }, { rate: 0.5, key });
      expect(again!.dataSync()).toEqual(values);
      again!.dispose();
    }
    tf.dispose([x, expected!]);
  });

  it('bring back a failure, whichever thread it was on, and go on', async () => {
    const backend = await open(2);
    const outOfBounds = 0xffff_fff0;
    const calls = Array.from({ length: 8 }, () => [0, outOfBounds, outOfBounds, 0, 0, 4]);
    for (let repetition = 0; repetition < 5; repetition++) {
      expect(() => {
        backend.run('unary', calls);
      }).toThrow(/memory access out of bounds|a kernel failed on another thread/);
    }
    expect(tf.tidy(() => tf.sum(tf.ones([200_000])).dataSync()[0])).toBe(200_000);
  });

  it('that can not start are named', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-threads-'));
    for (const file of ['kernels.wasm', 'kernels.relaxed.wasm']) {
      fs.copyFileSync(path.join(assetsFolder, file), path.join(folder, file));
    }
    await expect(openRuntime('wasm', { assetsFolder: folder, threads: 2 })).rejects.toThrow(/kernelThread\.cjs/);
    expect((await openRuntime('wasm', { assetsFolder: folder, threads: 1 })).device).toContain('1 thread ·');
    fs.rmSync(folder, { recursive: true });
  });

  it('use no processor time when idle, and keep no process alive', async () => {
    const script = `
      const { openWasmBackend } = await import(${JSON.stringify(new URL('../../../../server/tensor/wasm/openWasmBackend.ts', import.meta.url).href)});
      const { backend } = await openWasmBackend(${JSON.stringify(assetsFolder)}, { threads: 4 });
      const tf = await import('@tensorflow/tfjs-core');
      tf.square(tf.ones([300_000])).dispose();
      // By the processor's time, not the clock's: while this thread works off half a second, one that looks without sleeping
      // gets about as much, however busy the machine is.
      const total = () => { const { user, system } = process.cpuUsage(); return user + system; };
      const own = () => { const { user, system } = process.threadCpuUsage(); return user + system; };
      const before = { total: total(), own: own() };
      while (own() - before.own < 500_000);
      const others = total() - before.total - (own() - before.own);
      process.stdout.write(String(others / 1000));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: path.dirname(assetsFolder),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    expect(printed).not.toBe('');
    // Three threads that look without sleeping use 1,500 ms on enough cores, one of them 500; the compiler's threads use a little.
    expect(Number(printed)).toBeLessThan(150);
  });
});

describe('any number of threads gives the same bits:', () => {
  const key = { seed: 5, stream: 1, counter: 9 };
  const kaf = { boundary: 3, gamma: 1.6713, base: 'swish', gradients: 'all' };
  const convolution = { strides: 1, pad: 'same', dataFormat: 'NHWC' };
  const pool = { filterSize: 3, strides: 2, pad: 'same' };
  const freeKafCoefficients = () => ({
    alpha: noise([21, 20]),
    dictionary: noise([21, 20], { seed: 5, scale: 3 }),
    logGamma: noise([21], { seed: 6 }),
  });
  const plans = (['swish', 'gelu', 'mish', 'tanh', 'hard-swish', 'selu'] as const).map((type) => ({ type }));
  const formulas = [...plans, { type: 'softplus', a: 1.3 } as const, { type: 'elu', alpha: 1.3 } as const];
  const formulaKernels = (plan: FormulaActivation): [string, () => tf.Tensor[]][] => {
    const { formula } = activationFunction(plan);
    const x = () => noise([100_003], { scale: 4 });
    return [
      [`KafscopeFormula, ${plan.type}`, () => runKernel('KafscopeFormula', { x: x() }, { formula })],
      [
        `KafscopeFormulaGrad, ${plan.type}`,
        () => runKernel('KafscopeFormulaGrad', { dy: noise([100_003], { seed: 2 }), x: x() }, { formula }),
      ],
    ];
  };
  const apl = { formula: activationFunction({ type: 'apl', hinges: 3, reach: 1 }).formula, gradients: 'all' };
  const winners = { count: 100, nLanes: 1, isExact: true };
  const mixedKaf = { ...kaf, kernels: ['gaussian', 'relu'] };
  const kernels: Record<string, () => tf.Tensor[]> = {
    KafscopeKaf: () => runKernel('KafscopeKaf', { x: noise([3001, 21], { scale: 4 }), alpha: noise([21, 20]) }, kaf),
    KafscopeKafGrad: () =>
      runKernel(
        'KafscopeKafGrad',
        { dy: noise([3001, 21]), x: noise([3001, 21], { seed: 2, scale: 4 }), alpha: noise([21, 20]) },
        kaf,
      ),
    KafscopeBatchNormKaf: () => runKernel('KafscopeBatchNormKaf', normalizedKafInputs(), { ...kaf, epsilon: 1e-3 }),
    KafscopeBatchNormKafGrad: () => {
      const inputs = normalizedKafInputs();
      const [y, mean, variance, scale, shift] = runKernel('KafscopeBatchNormKaf', inputs, { ...kaf, epsilon: 1e-3 });
      const { x, gamma, alpha } = inputs;
      const figures = { mean: mean!, variance: variance!, scale: scale!, shift: shift! };
      const given = { dy: noise(y!.shape, { seed: 5 }), x, gamma, alpha, ...figures };
      return (['all', 'input'] as const).flatMap((gradients) =>
        runKernel('KafscopeBatchNormKafGrad', given, { ...kaf, gradients, epsilon: 1e-3 }),
      );
    },
    KafscopeKaf2d: () => runKernel('KafscopeKaf2d', { x: noise([501, 22], { scale: 4 }), alpha: noise([11, 25]) }, kaf),
    KafscopeKaf2dGrad: () =>
      runKernel(
        'KafscopeKaf2dGrad',
        { dy: noise([501, 11]), x: noise([501, 22], { seed: 2, scale: 4 }), alpha: noise([11, 25]) },
        kaf,
      ),
    KafscopeKernelKaf: () =>
      runKernel('KafscopeKernelKaf', { x: noise([3001, 21], { scale: 9 }), alpha: noise([21, 40]) }, mixedKaf),
    KafscopeKernelKafGrad: () =>
      runKernel(
        'KafscopeKernelKafGrad',
        { dy: noise([3001, 21]), x: noise([3001, 21], { seed: 2, scale: 9 }), alpha: noise([21, 40]) },
        mixedKaf,
      ),
    KafscopeFreeKaf: () =>
      runKernel('KafscopeFreeKaf', { x: noise([3001, 21], { scale: 4 }), ...freeKafCoefficients() }, kaf),
    KafscopeFreeKafGrad: () =>
      runKernel(
        'KafscopeFreeKafGrad',
        { dy: noise([3001, 21]), x: noise([3001, 21], { seed: 2, scale: 4 }), ...freeKafCoefficients() },
        kaf,
      ),
    'KafscopeFreeKaf, many rows': () =>
      runKernel('KafscopeFreeKaf', { x: noise([20_011, 21], { scale: 4 }), ...freeKafCoefficients() }, kaf),
    'KafscopeFreeKafGrad, many rows': () =>
      runKernel(
        'KafscopeFreeKafGrad',
        { dy: noise([20_011, 21]), x: noise([20_011, 21], { seed: 2, scale: 4 }), ...freeKafCoefficients() },
        kaf,
      ),
    KafscopeTrainedFormula: () =>
      runKernel('KafscopeTrainedFormula', { x: noise([20_011, 33]), coefficients: noise([33, 6], { seed: 2 }) }, apl),
    KafscopeTrainedFormulaGrad: () =>
      runKernel(
        'KafscopeTrainedFormulaGrad',
        { dy: noise([20_011, 33]), x: noise([20_011, 33], { seed: 4 }), coefficients: noise([33, 6], { seed: 2 }) },
        apl,
      ),
    KafscopeSpline: () =>
      runKernel(
        'KafscopeSpline',
        { x: noise([20_011, 33], { scale: 4 }), points: noise([33, 21], { seed: 2 }) },
        { boundary: 3, basis: 'catmull-rom', gradients: 'all' },
      ),
    KafscopeSplineGrad: () =>
      runKernel(
        'KafscopeSplineGrad',
        {
          ...{ dy: noise([20_011, 33]), x: noise([20_011, 33], { seed: 4, scale: 4 }) },
          points: noise([33, 21], { seed: 2 }),
        },
        { boundary: 3, basis: 'catmull-rom', gradients: 'all' },
      ),
    KafscopeMaxout: () => runKernel('KafscopeMaxout', { x: noise([20_011, 33]) }, { maps: 3 }),
    KafscopeMaxoutGrad: () =>
      runKernel('KafscopeMaxoutGrad', { dy: noise([20_011, 11]), x: noise([20_011, 33], { seed: 2 }) }, { maps: 3 }),
    KafscopeKWinners: () => runKernel('KafscopeKWinners', { x: noise([37, 1031]) }, winners),
    KafscopeKWinnersGrad: () =>
      runKernel(
        'KafscopeKWinnersGrad',
        {
          ...{ dy: noise([37, 1031]), x: noise([37, 1031], { seed: 2 }), thresholds: noise([37], { seed: 3 }) },
          quotas: tf.zeros([37], 'int32'),
        },
        winners,
      ),
    'KafscopeKWinners, of each channel': () =>
      runKernel('KafscopeKWinners', { x: noise([37, 64, 17]) }, { ...winners, count: 5, nLanes: 17 }),
    KafscopeHistogram: () =>
      runKernel('KafscopeHistogram', { x: noise([300_001]) }, { low: -0.5, high: 0.75, nBins: 100 }),
    KafscopeCropAndFlip: () =>
      runKernel('KafscopeCropAndFlip', { images: noise([37, 9, 8, 3]) }, { pad: 2, flip: true, key }),
    KafscopeBatchNorm: () =>
      runKernel(
        'KafscopeBatchNorm',
        { x: noise([20_011, 33]), gamma: noise([33], { seed: 2 }), beta: noise([33], { seed: 3 }) },
        { epsilon: 1e-3 },
      ),
    KafscopeBatchNormGrad: () =>
      runKernel(
        'KafscopeBatchNormGrad',
        {
          ...{ dy: noise([20_011, 33]), x: noise([20_011, 33], { seed: 4 }), gamma: noise([33], { seed: 2 }) },
          ...{ mean: noise([33], { seed: 3 }), variance: tf.ones([33]) },
        },
        { epsilon: 1e-3 },
      ),
    'Sum over rows': () => [tf.sum(noise([40_003, 17]), 0)],
    'Sum over columns': () => [tf.sum(noise([4003, 170]), 1)],
    Max: () => [tf.max(noise([4003, 170]), 1)],
    BatchMatMul: () => [tf.matMul(noise([517, 131]), noise([131, 67], { seed: 2 }))],
    'BatchMatMul, transposed': () => [tf.matMul(noise([1031, 517]), noise([67, 1031], { seed: 2 }), true, true)],
    Conv2D: () => [
      tf.conv2d(noise([9, 13, 11, 33]) as tf.Tensor4D, noise([3, 3, 33, 41], { seed: 2 }) as tf.Tensor4D, 1, 'same'),
    ],
    'Conv2D, one image': () => [
      tf.conv2d(noise([1, 33, 31, 9]) as tf.Tensor4D, noise([3, 3, 9, 17], { seed: 2 }) as tf.Tensor4D, 1, 'valid'),
    ],
    Conv2DBackpropInput: () =>
      runKernel(
        tf.Conv2DBackpropInput,
        { dy: noise([9, 13, 11, 33]), filter: noise([3, 3, 9, 33], { seed: 2 }) },
        { ...convolution, inputShape: [9, 13, 11, 9] },
      ),
    Conv2DBackpropFilter: () =>
      runKernel(
        tf.Conv2DBackpropFilter,
        { x: noise([90, 13, 11, 9]), dy: noise([90, 13, 11, 33], { seed: 2 }) },
        { ...convolution, filterShape: [3, 3, 9, 33] },
      ),
    'Conv2D, stride 2': () => [
      tf.conv2d(noise([9, 13, 11, 9]) as tf.Tensor4D, noise([3, 3, 9, 17], { seed: 2 }) as tf.Tensor4D, 2, 'same'),
    ],
    'Conv2DBackpropInput, stride 2': () =>
      runKernel(
        tf.Conv2DBackpropInput,
        { dy: noise([9, 7, 6, 17]), filter: noise([3, 3, 9, 17], { seed: 2 }) },
        { ...convolution, strides: 2, inputShape: [9, 13, 11, 9] },
      ),
    'Conv2DBackpropFilter, stride 2': () =>
      runKernel(
        tf.Conv2DBackpropFilter,
        { x: noise([9, 13, 11, 33]), dy: noise([9, 7, 6, 17], { seed: 2 }) },
        { ...convolution, strides: 2, filterShape: [3, 3, 33, 17] },
      ),
    MaxPool: () => runKernel(tf.MaxPool, { x: noise([9, 31, 31, 19]) }, pool),
    MaxPoolGrad: () =>
      runKernel(tf.MaxPoolGrad, { dy: noise([9, 16, 16, 19], { seed: 2 }), input: noise([9, 31, 31, 19]) }, pool),
    AvgPool: () => runKernel(tf.AvgPool, { x: noise([9, 31, 31, 19]) }, pool),
    AvgPoolGrad: () =>
      runKernel(tf.AvgPoolGrad, { dy: noise([9, 16, 16, 19], { seed: 2 }), input: noise([9, 31, 31, 19]) }, pool),
    Add: () => [tf.add(noise([300_001]), noise([300_001], { seed: 2 }))],
    'Add, broadcast': () => [tf.add(noise([9001, 37]), noise([37], { seed: 2 }))],
    'Add, broadcast from one': () => [tf.add(noise([300_001]), 0.3)],
    'Multiply, broadcast inside': () => [tf.mul(noise([31, 999, 11]), noise([31, 1, 11], { seed: 2 }))],
    AddN: () => [tf.addN([noise([100_003]), noise([100_003], { seed: 2 }), noise([100_003], { seed: 3 })])],
    Square: () => [tf.square(noise([100_003]))],
    ClipByValue: () => [tf.clipByValue(noise([100_003]), -0.5, 0.25)],
    ...Object.fromEntries(formulas.flatMap((plan) => formulaKernels(plan))),
    Concat: () => [tf.concat([noise([20_011, 7]), noise([20_011, 5], { seed: 2 })], 1)],
    SplitV: () => tf.split(noise([20_011, 12]), [7, 5], 1),
    KafscopeGroupNorm: () =>
      runKernel(
        'KafscopeGroupNorm',
        { x: noise([37, 100, 12]), gamma: noise([12], { seed: 2 }), beta: noise([12], { seed: 3 }) },
        { groups: 3, epsilon: 1e-5 },
      ),
    KafscopeUniform: () => runKernel('KafscopeUniform', {}, { shape: [100_003], low: -1, high: 2, key }),
    KafscopeDropout: () => runKernel('KafscopeDropout', { x: noise([100_003]) }, { rate: 0.3, key }),
    KafscopeNorms: () => runKernel('KafscopeNorms', [noise([200_003]), noise([5]), noise([65_536])] as never),
    KafscopeAttackStep: () =>
      runKernel(
        'KafscopeAttackStep',
        { x: noise([100_003]), clean: noise([100_003], { seed: 2 }), gradient: noise([100_003], { seed: 3 }) },
        { stepSize: 0.1, epsilon: 0.2 },
      ),
    KafscopeSgdUpdate: () => {
      const [parameter, velocity] = [noise([20_011]), noise([20_011], { seed: 2 })];
      runKernel(
        'KafscopeSgdUpdate',
        { parameter, velocity, gradient: noise([20_011], { seed: 4 }) },
        { at: { learningRate: 0.1 }, momentum: 0.9, weightDecay: 1e-4 },
      );
      return [parameter, velocity];
    },
    KafscopeAdamUpdate: () => {
      const [parameter, firstMoment] = [noise([20_011]), noise([20_011], { seed: 2 })];
      const secondMoment = tf.square(noise([20_011], { seed: 3 }));
      runKernel(
        'KafscopeAdamUpdate',
        { parameter, gradient: noise([20_011], { seed: 4 }), firstMoment, secondMoment },
        { at: { step: 3, learningRate: 0.1 }, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 1e-4 },
      );
      return [parameter, firstMoment, secondMoment];
    },
  };

  function normalizedKafInputs() {
    return {
      x: noise([3001, 21], { scale: 4 }),
      gamma: noise([21], { seed: 2 }),
      beta: noise([21], { seed: 3 }),
      alpha: noise([21, 20], { seed: 4 }),
    };
  }

  /** What sums up gives other bits where its parts are others, so each way to cut is compared with itself. */
  const ways = { worthwhile: [1, 2, 3, 4], finest: [1, 2, 4] } as const;
  /** By kernel: the bits of its outputs for each number of threads. */
  const bits = { worthwhile: new Map<string, Uint32Array[][]>(), finest: new Map<string, Uint32Array[][]>() };
  const splitKernels = new Set<string>();

  beforeAll(async () => {
    for (const cuts of ['worthwhile', 'finest'] as const) {
      for (const threads of ways[cuts]) {
        const jobs = watchJobs((await open(threads, cuts)).threads);
        for (const [name, run] of Object.entries(kernels)) {
          tf.engine().startScope();
          const outputs = run().map((tensor) => new Uint32Array(tensor.dataSync().slice().buffer));
          tf.engine().endScope();
          bits[cuts].set(name, [...(bits[cuts].get(name) ?? []), outputs]);
        }
        for (const [kernel, { split }] of Object.entries(jobs)) if (split > 0) splitKernels.add(kernel);
      }
    }
  });

  it.each(Object.keys(kernels))('%s', (name) => {
    for (const cuts of ['worthwhile', 'finest'] as const) {
      const results = bits[cuts].get(name)!;
      expect(results).toHaveLength(ways[cuts].length);
      for (const result of results.slice(1)) expect(result).toEqual(results[0]);
    }
  });

  it('and all kernels were really split, but those that the asking thread runs itself', () => {
    expect(kernelNames.filter((kernel) => !splitKernels.has(kernel))).toEqual([
      ...['packMatrix', 'packFilter', 'packTurnedFilter', 'multiplySample', 'constantsEnd'],
      ...['winogradFilterBytes', 'winogradFilterScratchBytes', 'winogradScratchBytes', 'winogradSumsBytes'],
      ...['winogradGradientScratchBytes', 'winogradFilterGradientScratchBytes'],
    ]);
  });
});
