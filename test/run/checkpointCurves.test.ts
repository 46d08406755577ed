// The curves and surfaces that are found in a file, ours or another program's, and what the command line says of them.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KafContents } from '../../server/protocol/checkpoint.ts';
import type { ActivationPlan, Kaf2dPlan, KafPlan, SplinePlan } from '../../server/protocol/plan.ts';
import { inspectCheckpoint } from '../../server/run/checkpointContents.ts';
import { readCheckpoint, writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { inspectCommand } from '../../server/terminal/inspectCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { linesOf, writeRaw, writeTensors, zeroKaf } from './checkpointFiles.ts';
import { temporaryFolder } from './scriptedRun.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';

describe('an inspection', () => {
  it('finds the KAF curves by the plan of our own file', async () => {
    const file = path.join(temporaryFolder(), 'ours.safetensors');
    const plan = scriptedPlan('steps');
    writeCheckpoint(file, scriptedState(3, 1), { plan, runId: 'a-run', versions: { kafscope: '1' } });
    const { origin, activations, tensors } = await inspectCheckpoint(file);
    expect(origin).toEqual({ runId: 'a-run', step: 3, epoch: 1, plan, versions: { kafscope: '1' } });
    expect(activations).toEqual([
      {
        layer: 'kaf1',
        channels: 2,
        dictionary: [-3, -1.5, 0, 1.5, 3],
        gamma: 1,
        base: 'none',
        alpha: scriptedState(3, 1).tensors.get('model/kaf1.alpha')!.values,
      },
    ]);
    expect(tensors.map(({ group }) => group)).toEqual(['model', 'optimizer']);
  });

  it('finds the curves of averaged weights beside those as they were trained', async () => {
    const file = path.join(temporaryFolder(), 'averaged.safetensors');
    const state = scriptedState(3, 1);
    const own = state.tensors.get('model/kaf1.alpha')!;
    const values = own.values.map((value) => value / 2);
    const tensors = new Map([...state.tensors, ['average/kaf1.alpha', { ...own, values }] as const]);
    writeCheckpoint(file, { ...state, tensors }, { plan: scriptedPlan('steps'), runId: 'a-run', versions: {} });
    const { activations } = await inspectCheckpoint(file);
    expect(activations.map(({ layer, weights, alpha }) => [layer, weights, alpha])).toEqual([
      ['kaf1', undefined, own.values],
      ['kaf1', 'average', values],
    ]);
  });

  it('takes for a KAF of our own file only what has the dictionary of its plan, with the base of its kind', async () => {
    const { model, ...rest } = scriptedPlan('steps');
    const activation: ActivationPlan = {
      ...({ type: 'residual-kaf', dictionary: 5, boundary: 3, gamma: 1 } as const),
      init: { type: 'normal', std: 0.3 },
    };
    const plan = { ...rest, model: { ...model, activation } };
    const file = path.join(temporaryFolder(), 'ours.safetensors');
    const tensors = new Map([
      ['model/kaf1.alpha', { shape: [2, 5], values: new Float32Array(10) }],
      ['model/kaf2.alpha', { shape: [2, 4], values: new Float32Array(8) }],
      ['model/kaf3.points', { shape: [2, 5], values: new Float32Array(10) }],
      ['model/kaf4.coefficients', { shape: [2, 5], values: new Float32Array(10) }],
    ]);
    writeCheckpoint(file, { step: 0, epoch: 0, tensors }, { plan, runId: 'a-run', versions: {} });
    const { activations, ...contents } = await inspectCheckpoint(file);
    expect(activations).toMatchObject([{ layer: 'kaf1', base: 'swish' }]);
    expect(contents).not.toHaveProperty('omittedTensors');
    expect(readCheckpoint(file).state.step).toBe(0);
  });

  it('finds the dictionary and the bandwidth of each channel where they are trained', async () => {
    const { activations } = await inspectCheckpoint(
      writeTensors({
        'model/kaf1.alpha': { shape: [2, 2], values: [1, 2, 3, 4] },
        'model/kaf1.dictionary': { shape: [2, 2], values: [-0.5, 2, -3, 4] },
        'model/kaf1.logGamma': { shape: [2], values: [Math.log(2), 0] },
      }),
    );
    expect(activations).toHaveLength(1);
    const { dictionary, gamma, kernels } = activations[0] as KafContents;
    expect([...kernels!.dictionaries]).toEqual([-0.5, 2, -3, 4]);
    expect(kernels!.gammas[0]).toBeCloseTo(2, 6); // log 2 is rounded to float32, and so is its exponential
    expect(kernels!.gammas[1]).toBe(1);
    // Those of the first channel where one alone is shown.
    expect([dictionary, gamma]).toEqual([[-0.5, 2], kernels!.gammas[0]]);
  });

  it('tells on a terminal of dictionaries of any size', async () => {
    const values = Float32Array.from({ length: 400 * 500 }, (_, index) => index / 1000);
    const lines = await linesOf(
      writeTensors({
        'model/kaf1.alpha': { shape: [400, 500], values },
        'model/kaf1.dictionary': { shape: [400, 500], values },
        'model/kaf1.logGamma': {
          shape: [400],
          values: Array.from({ length: 400 }, (_, index) => (index === 7 ? 1 : 0)),
        },
      }),
    );
    expect(lines.at(-1)).toBe(
      'KAF kaf1: 400 channels, 500 elements of each channel’s own in [0, 200], γ 1 … 2.718, base none',
    );
  });

  it('weighs the kernels of a multi-KAF by the weights beside, and names them on a terminal', async () => {
    const file = path.join(temporaryFolder(), 'multi.safetensors');
    const plan = scriptedPlan('steps');
    const activation = {
      ...{ type: 'multi-kaf', kernels: ['relu', 'gaussian'], dictionary: 2, boundary: 4, gamma: 0.5 },
      init: { type: 'normal', std: 0.3 },
    } as KafPlan;
    const tensors = new Map([
      ['model/kaf1.alpha', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }],
      ['model/kaf1.mixture', { shape: [2, 2], values: Float32Array.of(1, 10, -1, 0) }],
    ]);
    const origin = { plan: { ...plan, model: { ...plan.model, activation } }, runId: 'a-run', versions: {} };
    writeCheckpoint(file, { ...scriptedState(3, 1), tensors }, origin);
    const { activations } = await inspectCheckpoint(file);
    const layer = { layer: 'kaf1', channels: 2, dictionary: [-4, 4], gamma: 0.5, base: 'none' };
    const kernelNames = ['relu', 'gaussian'];
    expect(activations).toEqual([{ ...layer, kernelNames, alpha: Float32Array.of(1, 2, 10, 20, -3, -4, 0, 0) }]);
    expect((await linesOf(file)).at(-1)).toBe(
      'KAF kaf1: 2 channels, 2 elements in [-4, 4], relu + gaussian kernels, γ 0.5, base none',
    );
    tensors.delete('model/kaf1.mixture');
    writeCheckpoint(file, { ...scriptedState(3, 1), tensors }, origin);
    const [unweighed] = (await inspectCheckpoint(file)).activations;
    expect(unweighed).toEqual({ ...layer, kernelNames, alpha: new Float32Array(8).fill(Number.NaN) });
  });

  it('leaves out the curves of a multi-KAF that are too many with its kernels', async () => {
    const file = path.join(temporaryFolder(), 'multi.safetensors');
    const plan = scriptedPlan('steps');
    const activation = {
      ...{ type: 'multi-kaf', kernels: ['relu', 'gaussian'], dictionary: 256, boundary: 4, gamma: 0.5 },
      init: { type: 'normal', std: 0.3 },
    } as KafPlan;
    const origin = { plan: { ...plan, model: { ...plan.model, activation } }, runId: 'a-run', versions: {} };
    const kaf = (channels: number) => ({ shape: [channels, 256], values: new Float32Array(channels * 256) });
    const tensors = new Map([
      ['model/kaf1.alpha', kaf(2000)],
      ['model/kaf2.alpha', kaf(1000)],
    ]);
    writeCheckpoint(file, { ...scriptedState(3, 1), tensors }, origin);
    const { activations, omittedActivations } = await inspectCheckpoint(file);
    expect([activations.map(({ layer }) => layer), omittedActivations]).toEqual([['kaf2'], 1]);
  });

  it('finds the curves of formulas by the plan of our own file, and tells of them on a terminal', async () => {
    const file = path.join(temporaryFolder(), 'formula.safetensors');
    const plan = scriptedPlan('steps');
    const parameter = (name: string) => ({ name, start: 1, min: null, max: null });
    const activation: ActivationPlan = {
      ...{ type: 'formula', formula: 'a * x + b', parameters: [parameter('a'), parameter('b')] },
    };
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const tensors = new Map([
      ['model/formula1.coefficients', { shape: [3, 2], values }],
      // Of another count of parameters, and of other names.
      ['model/formula2.coefficients', { shape: [2, 3], values }],
      ['model/formula3.alpha', { shape: [3, 2], values }],
      ['model/formula4.points', { shape: [3, 2], values }],
    ]);
    const origin = { plan: { ...plan, model: { ...plan.model, activation } }, runId: 'a-run', versions: {} };
    writeCheckpoint(file, { ...scriptedState(3, 1), tensors }, origin);
    const { activations } = await inspectCheckpoint(file);
    const formula = { formula: 'a * x + b', parameters: ['a', 'b'] };
    expect(activations).toEqual([{ layer: 'formula1', channels: 3, formula, alpha: values }]);
    expect((await linesOf(file)).at(-1)).toBe('formula formula1: 3 channels, a * x + b, a in [1, 5], b in [2, 6]');
  });

  it('finds the curves of splines by the plan of our own file, and tells of them on a terminal', async () => {
    const file = path.join(temporaryFolder(), 'spline.safetensors');
    const plan = scriptedPlan('steps');
    const activation = {
      ...{ type: 'spline', points: 5, boundary: 4, basis: 'b-spline', start: 'tanh', noise: 0 },
    } as SplinePlan;
    const values = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const state = { ...scriptedState(3, 1), tensors: new Map([['model/spline1.points', { shape: [2, 5], values }]]) };
    const origin = { plan: { ...plan, model: { ...plan.model, activation } }, runId: 'a-run', versions: {} };
    writeCheckpoint(file, state, origin);
    const { activations } = await inspectCheckpoint(file);
    expect(activations).toEqual([
      { layer: 'spline1', channels: 2, dictionary: [-4, -2, 0, 2, 4], spline: 'b-spline', alpha: values },
    ]);
    let written = '';
    const output = { write: (text: string) => (written += text) };
    expect(await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }))).toBe(0);
    expect(written).toContain('\nspline spline1: 2 channels, 5 points on [-4, 4], b-spline\n');
  });

  it('finds the surfaces of two-dimensional KAFs by the plan of our own file, and tells of them on a terminal', async () => {
    const file = path.join(temporaryFolder(), 'surface.safetensors');
    const plan = scriptedPlan('steps');
    const init = { type: 'normal', std: 1 } as const;
    const activation: Kaf2dPlan = { type: 'kaf-2d', dictionary: 3, boundary: 4, gamma: 0.5, init };
    const values = Float32Array.from({ length: 18 }, (_, index) => index);
    const tensors = new Map([
      ['model/kaf2d1.alpha', { shape: [2, 9], values }],
      // Of another dictionary than the plan's.
      ['model/kaf2d2.alpha', { shape: [3, 6], values }],
    ]);
    const origin = { plan: { ...plan, model: { ...plan.model, activation } }, runId: 'a-run', versions: {} };
    writeCheckpoint(file, { ...scriptedState(3, 1), tensors }, origin);
    const { activations } = await inspectCheckpoint(file);
    expect(activations).toEqual([{ layer: 'kaf2d1', channels: 2, axis: [-4, 0, 4], gamma: 0.5, alpha: values }]);
    let written = '';
    const output = { write: (text: string) => (written += text) };
    expect(await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }))).toBe(0);
    expect(written).toContain('\n2D-KAF kaf2d1: 2 pairs, 3² elements in [-4, 4]², γ 0.5\n');
  });

  it("takes another program's points for a tensor like any other", async () => {
    const { activations } = await inspectCheckpoint(
      writeTensors({ 'model/spline1.points': { shape: [1, 5], values: [1, 2, 3, 4, 5] } }),
    );
    expect(activations).toEqual([]);
  });

  it("draws another program's KAFs by the dictionary and the bandwidth beside them, and takes no other alpha for one", async () => {
    const alpha = [1, 2, 3, 4, 5, 6];
    const { activations } = await inspectCheckpoint(
      writeTensors({
        ...{
          'net.kaf2.alpha': { shape: [1, 3], values: [1, 2, 3] },
          'net.kaf2.dict': { shape: [3], values: [-4, 0, 4] },
        },
        ...{
          'conv.alpha': { shape: [1, 2, 1, 1, 3], values: alpha },
          'conv.dict': { shape: [1, 3], values: [-1, 0, 1] },
        },
        'conv.gamma': { shape: [1], values: [0.125] },
        ...{ 'lora.alpha': { shape: [2, 3], values: alpha }, 'net.alpha': { shape: [3], values: [1, 2, 3] } },
        ...{ 'falls.alpha': { shape: [2, 3], values: alpha }, 'falls.dict': { shape: [3], values: [1, 0, -1] } },
        ...{ 'flat.alpha': { shape: [2, 3], values: alpha }, 'flat.dict': { shape: [3], values: [0, 0, 1] } },
        ...{ 'one.alpha': { shape: [2, 1], values: [1, 2] }, 'one.dict': { shape: [1], values: [0] } },
        ...{ 'long.alpha': { shape: [2, 3], values: alpha }, 'long.dict': { shape: [4], values: [0, 1, 2, 3] } },
        ...{ 'torn.alpha': { shape: [2, 3], values: alpha }, 'torn.dict': { shape: [3], values: [0, Number.NaN, 1] } },
      }),
    );
    expect(activations).toEqual([
      {
        ...{ layer: 'net.kaf2', channels: 1, dictionary: [-4, 0, 4], gamma: 1 / 96, base: 'none' },
        alpha: Float32Array.of(1, 2, 3),
      },
      {
        ...{ layer: 'conv', channels: 2, dictionary: [-1, 0, 1], gamma: 0.125, base: 'none' },
        alpha: Float32Array.from(alpha),
      },
    ]);
  });

  it('reads curves in parts too', async () => {
    const values = Float64Array.from({ length: 900_000 }, (_, index) => index);
    const dictionary = Uint16Array.from({ length: 900 }, (_, index) => index);
    const header = {
      'a.alpha': { dtype: 'F64', shape: [1000, 900], data_offsets: [0, 7_200_000] },
      'a.dict': { dtype: 'U16', shape: [900], data_offsets: [7_200_000, 7_201_800] },
    };
    const { activations } = await inspectCheckpoint(
      writeRaw(header, Buffer.concat([Buffer.from(values.buffer), Buffer.from(dictionary.buffer)])),
    );
    expect(activations.map(({ alpha }) => alpha)).toEqual([Float32Array.from(values)]);
  });

  it('leaves out curves that are too many to send or to draw, and says of how many tensors', async () => {
    const shapes = [
      [4096, 2],
      [4097, 2],
      [2, 1024],
      [2, 1025],
      [1000, 900],
      [100, 900],
      [1, 900],
      // One value more than is left, then all that is.
      [2391, 35],
      [360, 235],
      [1, 2],
    ] as const;
    let end = 0;
    const header: Record<string, object> = {};
    for (const [channels, size] of shapes) {
      const kaf = zeroKaf(`${String(channels)}x${String(size)}`, [channels, size], end);
      Object.assign(header, kaf.entries);
      end = kaf.end;
    }
    const file = writeRaw(header, Buffer.alloc(end));
    const { activations, omittedActivations, tensors } = await inspectCheckpoint(file);
    expect(tensors).toHaveLength(3 * shapes.length);
    expect(activations.map(({ layer }) => layer)).toEqual(['4096x2', '2x1024', '1000x900', '1x900', '360x235']);
    expect(omittedActivations).toBe(5);
    expect((await linesOf(file)).at(-1)).toBe('… and curves of 5 tensors, which are too many to read');
  });
});
