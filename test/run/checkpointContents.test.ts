// What the inspector is told of a file, ours or another program's.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { KafContents } from '../../server/protocol/checkpoint.ts';
import { inspectCheckpoint } from '../../server/run/checkpointContents.ts';
import { readCheckpoint, writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { SafetensorsFile, writeSafetensors } from '../../server/run/safetensors.ts';
import { inspectCommand } from '../../server/terminal/inspectCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import type { ActivationPlan, SplinePlan } from '../../server/protocol/plan.ts';
import { readValues } from '../../server/run/tensorValues.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { temporaryFolder } from './scriptedRun.ts';

const golden = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'golden/safetensorsFile.json'), 'utf8')) as {
  file: string;
  values: Record<string, number[]>;
};

function write(
  tensors: Record<string, { shape: number[]; values: number[] }>,
  metadata: Record<string, string> = {},
): string {
  const file = path.join(temporaryFolder(), 'x.safetensors');
  const map = Object.entries(tensors).map(
    ([name, { shape, values }]) => [name, { shape, values: Float32Array.from(values) }] as const,
  );
  writeSafetensors(file, new Map(map), metadata);
  return file;
}

describe('inspectCheckpoint', () => {
  it('reads every dtype as the safetensors library wrote it', async () => {
    const file = path.join(temporaryFolder(), 'golden.safetensors');
    fs.writeFileSync(file, Buffer.from(golden.file, 'base64'));
    const contents = await inspectCheckpoint(file);
    expect(contents.origin).toBeNull();
    expect(contents.metadata).toEqual({ made: 'by safetensors' });
    expect(contents.tensors.map(({ name }) => name).sort()).toEqual(Object.keys(golden.values).sort());
    const stored = new SafetensorsFile(file);
    for (const tensor of stored.tensors) {
      expect([...Array.from(readValues(tensor.dtype, stored.read(tensor)))], tensor.name).toEqual(
        golden.values[tensor.name],
      );
    }
    stored.close();
  });

  it('gives statistics of the finite values and counts the others', async () => {
    const values = [1, 2, Number.NaN, 3, Infinity, -2, -Infinity];
    const { tensors } = await inspectCheckpoint(write({ 'model/x': { shape: [7], values } }));
    const { l2, min, max, mean, std, nonFinite, histogram, group } = tensors[0]!;
    expect({ min, max, mean, nonFinite, group }).toEqual({ min: -2, max: 3, mean: 1, nonFinite: 3, group: 'model' });
    expect(l2).toBeCloseTo(Math.sqrt(18), 12);
    expect(std).toBeCloseTo(Math.sqrt(14 / 4), 12);
    expect(histogram.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect([histogram[0], histogram.at(-1)]).toEqual([1, 1]);
  });

  it('has an answer for tensors of one value, of none, and of none that is finite', async () => {
    const file = write({
      one: { shape: [], values: [4] },
      none: { shape: [0], values: [] },
      broken: { shape: [2], values: [Number.NaN, Infinity] },
    });
    const { tensors } = await inspectCheckpoint(file);
    expect(tensors[0]).toMatchObject({ min: 4, max: 4, mean: 4, std: 0, l2: 4, group: 'other' });
    expect(tensors[0]!.histogram[0]).toBe(1);
    expect(tensors[1]).toMatchObject({ values: 0, nonFinite: 0, mean: Number.NaN });
    expect(tensors[2]).toMatchObject({ values: 2, nonFinite: 2, min: Number.NaN });
    for (const { histogram } of tensors.slice(1)) expect(histogram).toEqual(new Array(40).fill(0));
  });

  it('counts values in forty bins of equal width, from the least to the greatest', async () => {
    // A width of one: what lies on an edge belongs above it, the greatest to the last.
    const { tensors } = await inspectCheckpoint(write({ x: { shape: [6], values: [0, 0.5, 1, 1.25, 39, 40] } }));
    const expected = new Array<number>(40).fill(0);
    expected[0] = 2;
    expected[1] = 2;
    expected[39] = 2;
    expect(tensors[0]!.histogram).toEqual(expected);
  });

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
    ]);
    writeCheckpoint(file, { step: 0, epoch: 0, tensors }, { plan, runId: 'a-run', versions: {} });
    const { activations, ...contents } = await inspectCheckpoint(file);
    expect(activations).toMatchObject([{ layer: 'kaf1', base: 'swish' }]);
    expect(contents).not.toHaveProperty('omittedTensors');
    expect(readCheckpoint(file).state.step).toBe(0);
  });

  it('leaves no file open', async () => {
    const file = write({ x: { shape: [1], values: [1] } });
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    try {
      await inspectCheckpoint(file);
      expect(closed.mock.calls).toEqual([[opened.mock.results[0]!.value]]);
    } finally {
      opened.mockRestore();
      closed.mockRestore();
    }
  });

  it('finds the dictionary and the bandwidth of each channel where they are trained', async () => {
    const { activations } = await inspectCheckpoint(
      write({
        'model/kaf1.alpha': { shape: [1, 2], values: [1, 2] },
        'model/kaf1.dictionary': { shape: [1, 2], values: [-0.5, 2] },
        'model/kaf1.logGamma': { shape: [1], values: [Math.log(2)] },
      }),
    );
    expect(activations).toHaveLength(1);
    const { dictionaries, gammas } = (activations[0] as KafContents).kernels!;
    expect([...dictionaries]).toEqual([-0.5, 2]);
    expect(gammas[0]).toBeCloseTo(2, 6); // log 2 is rounded to float32, and so is its exponential
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

  it("takes another program's points for a tensor like any other", async () => {
    const { activations } = await inspectCheckpoint(
      write({ 'model/spline1.points': { shape: [1, 5], values: [1, 2, 3, 4, 5] } }),
    );
    expect(activations).toEqual([]);
  });

  it("takes another program's alpha for KAF coefficients on the usual dictionary", async () => {
    const { activations } = await inspectCheckpoint(
      write({ 'net.kaf2.alpha': { shape: [1, 3], values: [1, 2, 3] }, 'net.alpha': { shape: [3], values: [1, 2, 3] } }),
    );
    expect(activations).toHaveLength(1);
    expect(activations[0]).toMatchObject({ layer: 'net.kaf2', channels: 1, dictionary: [-3, 0, 3], gamma: 1 / 54 });
  });

  it('shows a tensor whose bytes are not those written as damaged, beside the others', async () => {
    const file = write({ x: { shape: [1], values: [1] }, y: { shape: [1], values: [2] } });
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(file, bytes);
    const { tensors } = await inspectCheckpoint(file);
    expect(tensors.map(({ name, isDamaged }) => [name, isDamaged])).toEqual([
      ['x', undefined],
      ['y', true],
    ]);
    let written = '';
    const output = { write: (text: string) => (written += text) };
    expect(await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }))).toBe(1);
    expect(written).toContain('tensor "y" is damaged: its bytes do not match');
  });

  it('leaves out what follows the first ten thousand tensors, and says how many', async () => {
    const empty = { shape: [0], values: [] };
    const file = write(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`t${String(index)}`, empty])));
    const { tensors, omittedTensors } = await inspectCheckpoint(file);
    expect([tensors.length, omittedTensors]).toEqual([10_000, 1]);
  });

  it('refuses a damaged file', async () => {
    const file = write({ x: { shape: [2], values: [1, 2] } });
    fs.truncateSync(file, fs.statSync(file).size - 1);
    await expect(inspectCheckpoint(file)).rejects.toThrow('it is cut off');
  });
});
