// The sources for CUDA: their arithmetic beside float64 references, compiled for the processor, and that NVRTC compiles them. No GPU runs
// them here.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, activateGradients } from '../../../server/formula/evaluate.ts';
import { formulaOf } from '../../../server/formula/formula.ts';
import { kaf, kafGradients, uniformDictionary } from '../../../server/tensor/reference/kaf.ts';
import { addonFiles, openAddon } from '../../../server/tensor/python/openAddon.ts';
import { compileCuda } from '../../../server/tensor/torch/cuda/compileCuda.ts';
import { formulaSource } from '../../../server/tensor/torch/cuda/formulaSource.ts';
import { elementsPerThread, kafSource } from '../../../server/tensor/torch/cuda/kafSource.ts';
import { rowsPerPart, sumsPerThread } from '../../../server/tensor/torch/cuda/partialSums.ts';
import { literal } from '../../../server/tensor/torch/cuda/printCuda.ts';
import type { Binding } from '../../../server/tensor/torch/torch.ts';
import { expectClose } from '../expectClose.ts';
import { float64, rounded, scatter } from '../ops/contract.ts';
import { assetsFolder } from '../wasm/builds.ts';
import { buildOnHost, type Computed, type CudaSource, type Given } from './cudaOnHost.ts';

const kafs = [2, 20, elementsPerThread, 2 * elementsPerThread + 1].flatMap((length) =>
  (['none', 'swish'] as const).map((base) => ({ length, base, boundary: 3, gamma: (length - 1) ** 2 / 216 })),
);

/** Between them every operation of the language. */
const formulas = [
  { formula: 'max(x, -100) * tanh(softplus(x))', parameters: [] },
  { formula: 'where(x > 0, x, alpha * expm1(x))', parameters: ['alpha'] },
  { formula: '0.5 * max(x, -40) * erfc(-0.7071067811865476 * x) + erf(x / 3)', parameters: [] },
  { formula: 'where(x <= 0, 0, x - log1p(min(beta * x, 3e38)) / beta)', parameters: ['beta'] },
  { formula: 'a * x * sigmoid(b * x) + (1 - a) * abs(x) + sin(b * x) * cos(a * x)', parameters: ['a', 'b'] },
  { formula: 'sign(x) * sqrt(abs(x) + 1) + log(x^2 + a) - abs(x)^1.5 * exp(-abs(x))', parameters: ['a'] },
].map((text) => formulaOf({ ...text, constants: {} }));

const sources: readonly CudaSource[] = [
  ...kafs.map(({ length, ...options }) => ({
    source: kafSource(length, options),
    width: length,
    blocksInY: Math.ceil(length / elementsPerThread),
  })),
  ...formulas.map((formula) => ({
    source: formulaSource(formula),
    width: formula.text.parameters.length,
    blocksInY: 1,
  })),
];

let folder: string;
let compute: (index: number, given: Given) => Computed;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-cuda-'));
  compute = buildOnHost(folder, sources);
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** One, a part with a tail, parts of parts of parts. */
const shapes = [
  [1, 1],
  [rowsPerPart + 1, 3],
  [rowsPerPart * sumsPerThread + rowsPerPart + 7, 2],
] as const;

function given(rows: number, channels: number, width: number): Given {
  const positive = scatter(channels * width, 0.5, 3).map((value) => value + 0.75);
  return { x: scatter(rows * channels, 4), dy: scatter(rows * channels, 1, 1), trained: positive, channels };
}

describe('CUDA sources, compiled for the processor', () => {
  it.each(kafs)('of KAFs agree with the reference in values and gradients: $length, $base', (options) => {
    const index = kafs.indexOf(options);
    for (const [rows, channels] of shapes) {
      const { x, dy, trained } = given(rows, channels, options.length);
      const alpha = trained.map((value, i) => (i % 2 === 0 ? value : -value));
      const reference = { ...options, channels, dictionary: uniformDictionary(options.length, options.boundary) };
      const { y, dx, dtrained } = compute(index, { x, dy, trained: alpha, channels });
      const expected = kafGradients(float64(dy), float64(x), float64(alpha), reference);
      const scale = options.length;
      expectClose(y, rounded(kaf(float64(x), float64(alpha), reference)), { absolute: 1e-6 * scale, relative: 1e-5 });
      expectClose(dx, rounded(expected.dx), { absolute: 2e-6 * scale, relative: 1e-5 });
      // Sums of as many terms as rows, in float32.
      expectClose(dtrained, rounded(expected.dalpha), { absolute: 1e-6 * Math.sqrt(rows), relative: 1e-5 });
    }
  });

  it.each(formulas.map(({ text }) => text.formula))('of formulas agree with the reference: %s', (text) => {
    const index = formulas.findIndex((one) => one.text.formula === text);
    const formula = formulas[index]!;
    const { parameters } = formula.text;
    for (const [rows, channels] of shapes) {
      const one = given(rows, channels, parameters.length);
      const { x, dy, trained } = one;
      const ofChannel = (channel: number) =>
        trained.subarray(channel * parameters.length, (channel + 1) * parameters.length);
      const own = Array.from({ length: channels }, (_, channel) => ofChannel(channel));
      const { y, dx, dtrained } = compute(kafs.length + index, one);
      const expected = activateGradients(formula, dy, x, own);
      expectClose(y, rounded(activate(formula, x, own)), { absolute: 2e-6, relative: 1e-5 });
      expectClose(dx, rounded(expected.dx), { absolute: 2e-6, relative: 1e-5 });
      const sums = Float32Array.from(expected.dcoefficients.flatMap((row) => [...row]));
      expectClose(dtrained, sums, { absolute: 4e-6 * Math.sqrt(rows), relative: 1e-5 });
    }
  });

  it('keep NaN, take the limits at ±Inf, and denormals', () => {
    const x = Float32Array.of(Number.NaN, Infinity, -Infinity, 1e-40, 1e38, -1e38);
    const dy = new Float32Array(x.length).fill(1);
    const trained = scatter(20, 1);
    const at = kafs.findIndex(({ length, base }) => length === 20 && base === 'swish');
    const { y, dx } = compute(at, { x, dy, trained, channels: 1 });
    expect(Array.from(y.slice(0, 3), (value) => value + 0)).toEqual([Number.NaN, Infinity, 0]);
    expect([...dx.slice(0, 3)]).toEqual([Number.NaN, 1, 0]);
    expect([y[4], y[5]]).toEqual([Math.fround(1e38), 0]);
    expect(y[3]).toBe(compute(at, { x: Float32Array.of(0), dy: Float32Array.of(1), trained, channels: 1 }).y[0]);
    const mish = compute(kafs.length, { x, dy, trained: new Float32Array(0), channels: 1 });
    expect(Array.from(mish.y.slice(0, 3), (value) => value + 0)).toEqual([Number.NaN, Infinity, 0]);
    expect(mish.y[3]).toBeCloseTo(6e-41, 41);
  });

  it('pass nothing back where the slope is 0, not even an infinity', () => {
    const one = { x: Float32Array.of(-1), dy: Float32Array.of(Infinity), trained: Float32Array.of(0), channels: 1 };
    const { dx, dtrained } = compute(kafs.length + 1, one);
    expect([dx[0], dtrained[0]]).toEqual([0, -Infinity]);
  });
});

describe('NVRTC', () => {
  const packages = process.env['KAFSCOPE_TORCH']!;
  const compile = (source: string) => {
    const binding = openAddon(addonFiles(assetsFolder, 'torch', 'PyTorch', ['torch'])[0]!) as Binding;
    return compileCuda(binding, path.join(packages, 'nvidia/cu13/lib'), source, 'compute_80');
  };

  it('compiles every source', () => {
    for (const { source } of sources) {
      const ptx = compile(source);
      for (const kernel of ['forward', 'backward', 'addParts']) expect(ptx).toContain(`.visible .entry ${kernel}(`);
      // Division and roots as float32 has them.
      expect(ptx).not.toMatch(/div\.approx|sqrt\.approx/);
    }
  });

  it('says what is wrong', () => {
    expect(() => compile('extern "C" __global__ void broken() { nothing(); }')).toThrow(
      /kafscope\.cu\(1\): error: .*nothing/,
    );
    expect(() => compile('')).not.toThrow();
  });
});

describe('a float32 literal', () => {
  it('is the number to the bit', () => {
    for (const value of [0, -0, 1, -2.5, 0.1, 1e-40, 3.4e38, 16777217]) {
      const text = literal(value);
      expect(text).toMatch(/f$/);
      expect(Object.is(Math.fround(Number.parseFloat(text)), Math.fround(value))).toBe(true);
    }
    expect(() => literal(Infinity)).toThrow('no float32 literal');
  });
});
