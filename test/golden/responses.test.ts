// Shifts of outputs and densities of inputs against NumPy and SciPy.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Pass } from '../../server/model/layer.ts';
import { beginHistograms } from '../../server/probe/histograms.ts';
import { beginResponses } from '../../server/probe/responses.ts';
import { densityBins, shiftBins } from '../../server/protocol/records.ts';
import { openContractRuntime, runtimeNames } from '../tensor/ops/runtimes.ts';
import { hashed } from './hashed.ts';
import { readGolden } from './readGolden.ts';

interface Golden {
  readonly shape: [number, number, number, number];
  readonly range: [low: number, high: number];
  readonly shift: Readonly<Record<'l2' | 'relative' | 'thesis' | 'ks' | 'exactKs' | 'low' | 'high', number>> & {
    readonly clean: readonly number[];
    readonly attacked: readonly number[];
  };
  /** Clean and attacked, by channel: below, the bins, above. */
  readonly densities: readonly [number[][], number[][]];
}

const golden = readGolden<Golden>('responses');
const [low, high] = golden.range;
const size = golden.shape.reduce((product, length) => product * length, 1);
const clean = Float32Array.from(hashed(1, size));
const noise = Float32Array.from(hashed(2, size));
const [strength, offset] = [Math.fround(0.4), Math.fround(0.1)];
const attacked = clean.map((value, index) => Math.fround(value + Math.fround(strength * noise[index]!)) + offset);

/** A layer that squares, whose curves would be drawn over the range. */
const squaring = {
  activations: [{ layer: 'square', channels: 3, dictionary: [low + 1, high - 1], gamma: 1, base: 'none' }] as const,
  forward: (x: tf.Tensor, pass: Pass) => {
    const y = tf.square(x);
    pass.seen?.('square', x, y);
    return tf.mean(y, [1, 2]) as unknown as tf.Tensor2D;
  },
};

describe.each(runtimeNames)('on %s, as NumPy and SciPy', (runtime) => {
  beforeAll(async () => {
    await openContractRuntime(runtime);
  });

  it('a layer’s shift by every measure, the histograms of its outputs and the densities of its inputs', () => {
    const pair = [tf.tensor(clean, golden.shape), tf.tensor(attacked, golden.shape)] as const;
    const before = tf.memory().numTensors;
    const layers = beginResponses(squaring, pair)();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([...pair]);
    expect(layers.map(({ layer, inputs }) => [layer, inputs !== undefined])).toEqual([
      ['square', true],
      ['logits', false],
    ]);
    const [{ outputs, inputs, ...measures }, logits] = layers as [(typeof layers)[0], (typeof layers)[0]];
    for (const name of ['l2', 'relative', 'thesis', 'ks'] as const) {
      // Float32 sums of 60 products.
      expect(Math.abs(measures[name] / golden.shift[name] - 1), name).toBeLessThan(1e-5);
    }
    // The mean of the squares is what the thesis takes of a layer, so that of the logits it takes the same.
    expect(logits.thesis).toBeCloseTo(golden.shift.thesis, 7);
    expect([outputs.low, outputs.high]).toEqual([golden.shift.low, golden.shift.high].map(Math.fround));
    expect([...outputs.clean]).toEqual(golden.shift.clean);
    expect([...outputs.attacked]).toEqual(golden.shift.attacked);
    expect(outputs.clean).toHaveLength(shiftBins);
    expect([inputs!.low, inputs!.high]).toEqual(golden.range);
    expect([...inputs!.clean]).toEqual(golden.densities[0].flat());
    expect([...inputs!.attacked]).toEqual(golden.densities[1].flat());
    expect(inputs!.clean).toHaveLength(3 * (densityBins + 2));
  });

  it('histograms of tensors that are one value, two, or not finite', () => {
    const tensors = [tf.fill([3, 2], -7), tf.tensor1d([1, 1, 2, 1]), tf.tensor1d([0, Number.NaN])];
    const { ranges, bins } = beginHistograms(tensors)();
    tf.dispose(tensors);
    expect([...ranges]).toEqual([-7, -7, 1, 2, Number.NaN, Number.NaN]);
    const rows = [0, 1, 2].map((row) => [...bins.subarray(32 * row, 32 * (row + 1))]);
    expect(rows[0]).toEqual([255, ...Array<number>(31).fill(0)]);
    expect(rows[1]).toEqual([255, ...Array<number>(30).fill(0), 85]);
    expect(rows[2]).toEqual(Array<number>(32).fill(0));
  });
});

it('the distance by bins is nearly that of the values themselves, and never above', () => {
  expect(golden.shift.ks).toBeLessThanOrEqual(golden.shift.exactKs);
  expect(golden.shift.ks).toBeGreaterThan(golden.shift.exactKs - 0.01);
});
