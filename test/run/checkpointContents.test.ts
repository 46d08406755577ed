// What the inspector is told of a file, ours or another program's.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { encode } from '../../server/protocol/codec.ts';
import { maxMessageBytes } from '../../server/protocol/messages.ts';
import type { KafContents } from '../../server/protocol/checkpoint.ts';
import { inspectCheckpoint } from '../../server/run/checkpointContents.ts';
import { readCheckpoint, writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { SafetensorsFile, writeSafetensors } from '../../server/run/safetensors.ts';
import { inspectCommand } from '../../server/terminal/inspectCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import type { ActivationPlan, KafPlan, SplinePlan, Kaf2dPlan } from '../../server/protocol/plan.ts';
import { readValues } from '../../server/run/tensorValues.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { temporaryFolder } from './scriptedRun.ts';

const golden = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'golden/safetensorsFile.json'), 'utf8')) as {
  file: string;
  values: Record<string, number[]>;
};

function write(
  tensors: Record<string, { shape: number[]; values: ArrayLike<number> }>,
  metadata: Record<string, string> = {},
): string {
  const file = path.join(temporaryFolder(), 'x.safetensors');
  const map = Object.entries(tensors).map(
    ([name, { shape, values }]) => [name, { shape, values: Float32Array.from(values) }] as const,
  );
  writeSafetensors(file, new Map(map), metadata);
  return file;
}

/** A file of any header, put together by hand. */
function writeRaw(header: object | string, data: Buffer = Buffer.alloc(0)): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = path.join(temporaryFolder(), 'x.safetensors');
  fs.writeFileSync(file, Buffer.concat([length, json, data]));
  return file;
}

/** What the command line writes of a file for people. */
async function linesOf(file: string): Promise<string[]> {
  let written = '';
  const output = { write: (text: string) => (written += text) };
  await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }));
  return written.trimEnd().split('\n');
}

const empty = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };

/** Zeros in the place of a KAF's coefficients, with a dictionary and a bandwidth of each channel's own. */
function zeroKaf(name: string, [channels, size]: readonly [number, number], begin: number) {
  const at = [begin, begin + channels * size, begin + 2 * channels * size, begin + 2 * channels * size + channels];
  const entry = (shape: number[], part: number) => ({ dtype: 'U8', shape, data_offsets: [at[part], at[part + 1]] });
  return {
    entries: {
      [`${name}.alpha`]: entry([channels, size], 0),
      [`${name}.dictionary`]: entry([channels, size], 1),
      [`${name}.logGamma`]: entry([channels], 2),
    },
    end: at[3]!,
  };
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

  it('tells on a terminal of dictionaries of any size', async () => {
    const values = Float32Array.from({ length: 400 * 500 }, (_, index) => index / 1000);
    const lines = await linesOf(
      write({
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
    const activation: Kaf2dPlan = { type: 'kaf-2d', dictionary: 2, boundary: 4, gamma: 0.5, init };
    const values = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
    const tensors = new Map([
      ['model/kaf2d1.alpha', { shape: [2, 4], values }],
      // Of another dictionary than the plan's.
      ['model/kaf2d2.alpha', { shape: [2, 2], values: values.subarray(4) }],
    ]);
    const origin = { plan: { ...plan, model: { ...plan.model, activation } }, runId: 'a-run', versions: {} };
    writeCheckpoint(file, { ...scriptedState(3, 1), tensors }, origin);
    const { activations } = await inspectCheckpoint(file);
    expect(activations).toEqual([{ layer: 'kaf2d1', channels: 2, axis: [-4, 4], gamma: 0.5, alpha: values }]);
    let written = '';
    const output = { write: (text: string) => (written += text) };
    expect(await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }))).toBe(0);
    expect(written).toContain('\n2D-KAF kaf2d1: 2 pairs, 2² elements in [-4, 4]², γ 0.5\n');
  });

  it("takes another program's points for a tensor like any other", async () => {
    const { activations } = await inspectCheckpoint(
      write({ 'model/spline1.points': { shape: [1, 5], values: [1, 2, 3, 4, 5] } }),
    );
    expect(activations).toEqual([]);
  });

  it("draws another program's KAFs by the dictionary and the bandwidth beside them, and takes no other alpha for one", async () => {
    const alpha = [1, 2, 3, 4, 5, 6];
    const { activations } = await inspectCheckpoint(
      write({
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

  it('lists tensors of types whose values are not read beside those that are, and says of which they are', async () => {
    const entries = {
      x: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] },
      z: { dtype: 'C64', shape: [1], data_offsets: [2, 10] },
    };
    const json = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const file = path.join(temporaryFolder(), 'mixed.safetensors');
    fs.writeFileSync(file, Buffer.concat([length, json, Buffer.from([0x38, 0xb8]), Buffer.alloc(8)]));
    const { tensors } = await inspectCheckpoint(file);
    expect(tensors).toMatchObject([
      { name: 'x', dtype: 'F8_E4M3', values: 2, min: -1, max: 1, mean: 0 },
      { name: 'z', dtype: 'C64', values: 1, l2: Number.NaN, nonFinite: 0, histogram: [], isUnread: true },
    ]);
    expect(await linesOf(file)).toContain('no figures of C64, whose values are not read');
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

  it('reads a tensor of any size in parts, with the figures and the digest of all of it', async () => {
    const values = Float32Array.from({ length: 1_500_000 }, (_, index) => Math.sin(index));
    const file = write({ whole: { shape: [1_500_000], values }, damaged: { shape: [1500, 1000], values } });
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(file, bytes);
    const read = vi.spyOn(fs, 'readSync');
    const { tensors } = await inspectCheckpoint(file);
    const lengths = read.mock.calls.map((call) => (call as unknown[])[3] as number);
    read.mockRestore();
    expect(Math.max(...lengths)).toBe(4 * 2 ** 20);
    expect(tensors.map(({ isDamaged }) => isDamaged)).toEqual([undefined, true]);
    const { values: count, mean, histogram } = tensors[0]!;
    expect([count, mean]).toEqual([1_500_000, values.reduce((sum, value) => sum + value, 0) / values.length]);
    expect(histogram.reduce((sum, each) => sum + each, 0)).toBe(1_500_000);
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

  it('leaves out what follows the first ten thousand tensors, and says how many', async () => {
    const file = writeRaw(
      Object.fromEntries(Array.from({ length: 10_003 }, (_, index) => [`t${String(index)}`, empty])),
    );
    const { tensors, omittedTensors } = await inspectCheckpoint(file);
    expect([tensors.length, tensors.at(-1)!.name, omittedTensors]).toEqual([10_000, 't9999', 3]);
    const lines = await linesOf(file);
    expect(lines[0]).toContain('· 10003 tensors');
    expect(lines.at(-1)).toBe('… and 3 more tensors, which were not read');
  });

  it('leaves out tensors whose name and shape are too long to show, and says how many', async () => {
    const zeros = (rank: number) => ({ ...empty, shape: new Array<number>(rank).fill(0) });
    const file = writeRaw({
      ['ä'.repeat(496)]: zeros(0 + 1),
      ['ä'.repeat(495)]: zeros(1),
      b: zeros(111),
      bb: zeros(111),
      last: zeros(1),
    });
    const { tensors, omittedTensors } = await inspectCheckpoint(file);
    expect(tensors.map(({ name }) => name.length)).toEqual([495, 1, 4]);
    expect(omittedTensors).toBe(2);
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
    // The last but one would be more than is left.
    expect(activations.map(({ layer }) => layer)).toEqual(['4096x2', '2x1024', '1000x900', '1x900']);
    expect(omittedActivations).toBe(3);
    expect((await linesOf(file)).at(-1)).toBe('… and curves of 3 tensors, which are too many to read');
  });

  it('leaves out metadata that is too long to show, and says how many entries', async () => {
    const long = 'x'.repeat(600_000);
    const json = `{"__metadata__":{"a":"${long}","b":"${long}","__proto__":"c","d":"e"}}`;
    const { metadata, omittedMetadata } = await inspectCheckpoint(writeRaw(json));
    expect([Object.keys(metadata), omittedMetadata]).toEqual([['a', 'd'], 2]);
  });

  it('gives an answer that can be sent, however long all in the file is', async () => {
    const named = (prefix: string) =>
      Array.from({ length: 10_001 }, (_, index) => [`${prefix.repeat(300)}${String(index)}`, empty] as const);
    let end = 0;
    const kafs = ['a', 'b', 'c'].map((name) => {
      const kaf = zeroKaf(name, [1000, 900], end);
      end = kaf.end;
      return kaf.entries;
    });
    const header = {
      __metadata__: Object.fromEntries(Array.from({ length: 100 }, (_, key) => [String(key), 'x'.repeat(100_000)])),
      ...(Object.assign({}, ...kafs) as object),
      ...Object.fromEntries([...named('€'), ...named('𝒙')]),
    };
    const contents = await inspectCheckpoint(writeRaw(header, Buffer.alloc(end)));
    const { omittedTensors, omittedActivations, omittedMetadata } = contents;
    expect([contents.tensors.length, omittedTensors, omittedActivations, omittedMetadata]).toEqual([
      ...[10_000, 10_011, 2, 90],
    ]);
    expect(encode(contents).byteLength).toBeLessThan(maxMessageBytes / 2);
  });

  it('refuses a damaged file', async () => {
    const file = write({ x: { shape: [2], values: [1, 2] } });
    fs.truncateSync(file, fs.statSync(file).size - 1);
    await expect(inspectCheckpoint(file)).rejects.toThrow('it is cut off');
  });
});
