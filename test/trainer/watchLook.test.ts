// What a look of the watch finds, and what the watch remembers, on a network whose gradients are computed beside it.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../server/data/split.ts';
import { randomStreams } from '../../server/model/randomStreams.ts';
import type { Network } from '../../server/model/network.ts';
import type { WatchPlan } from '../../server/protocol/plan.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';
import { CollapseWatch } from '../../server/trainer/collapseWatch.ts';
import { curvedDataset, curvedNetwork, gradientAt, type LabelledSample } from './curvedNetwork.ts';
import { openCpu, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

const epsilon = 0.1;
/** Stands one step, which leads past the place where it falls, and no more. */
const brittle: LabelledSample = { x: [0.55, 0], label: 0 };
const sound: LabelledSample = { x: [0.9, 0.5], label: 0 };
const wrong: LabelledSample = { x: [0.8, 0.3], label: 2 };

function watchOf(
  dataset: Dataset,
  { network = curvedNetwork(), ...change }: Partial<WatchPlan> & { readonly network?: Network } = {},
): CollapseWatch {
  const plan = { everySteps: 1, samples: 3, steps: 10, gap: 0.1, onCollapse: 'tell', factor: 0.5, ...change } as const;
  return new CollapseWatch(tinyPlan, plan, { norm: 'linf', epsilon, stepSize: epsilon }, network, dataset);
}

/** Mean cosine of the gradients at samples and at points of the ball around them. */
function cosineOf(samples: readonly LabelledSample[], step: number): number {
  const key = { seed: tinyPlan.seed, stream: randomStreams.watch, counter: step };
  const shifts = uniformValues(2 * samples.length, -epsilon, epsilon, key);
  const cosines = samples.map(({ x, label }, index) => {
    const g = gradientAt(x, label);
    const h = gradientAt([x[0] + shifts[2 * index]!, x[1] + shifts[2 * index + 1]!], label);
    return (g[0] * h[0] + g[1] * h[1]) / (Math.hypot(...g) * Math.hypot(...h));
  });
  return cosines.reduce((sum, value) => sum + value) / cosines.length;
}

describe('a look', () => {
  it('has the shares of the first samples that withstand one step and many, and the cosine of their gradients', async () => {
    const samples = [brittle, sound, wrong, sound];
    const modes = new Set<string>();
    const network = curvedNetwork({ onLook: (_, { mode }) => modes.add(mode) });
    const watch = watchOf(curvedDataset(samples), { network });
    for (const step of [7, 8]) {
      const { record } = await watch.look(step);
      const cosine = cosineOf(samples.slice(0, 3), step);
      expect(record).toMatchObject({ type: 'watch', step, samples: 3, of: 'training' });
      expect(record.fgsm).toBeCloseTo(2 / 3, 12);
      expect(record.pgd).toBeCloseTo(1 / 3, 12);
      expect(record.cosine).toBeCloseTo(cosine, 5);
      expect(Math.abs(cosine)).toBeLessThan(0.999);
    }
    expect([...modes]).toEqual(['inference']);
  });

  it('is of all samples where there are fewer than the plan’s, and of a single one, too', async () => {
    const { record } = await watchOf(curvedDataset([brittle]), { samples: 5 }).look(2);
    expect(record).toMatchObject({ samples: 1, fgsm: 1, pgd: 0 });
    expect(record.cosine).toBeCloseTo(cosineOf([brittle], 2), 5);
  });

  it('finds the cosine 1 where no gradient is other than 0', async () => {
    const { record } = await watchOf(curvedDataset([brittle, sound]), { network: curvedNetwork({ scale: 0 }) }).look(1);
    expect(record.cosine).toBe(1);
  });

  it('tells a collapse once, and is sound with more than half of the best', async () => {
    const collapsing = watchOf(curvedDataset([brittle]));
    expect(await collapsing.look(1)).toMatchObject({ hasCollapsed: true, isSound: false });
    expect(await collapsing.look(2)).toMatchObject({ hasCollapsed: false, isSound: false });
    const half = watchOf(curvedDataset([sound, wrong]));
    for (const [best, isSound] of [
      [1, false],
      [0.9, true],
    ] as const) {
      half.memory = { ...half.memory, best };
      expect(await half.look(1)).toMatchObject({ isSound, record: { pgd: 0.5 } });
      expect(half.memory.best).toBe(best);
    }
  });

  it('leaves no tensor, of pictures or of a table', async () => {
    for (const columns of [null, { mean: [0.5, 0.5], std: [1, 2] }]) {
      const watch = watchOf(curvedDataset([brittle, sound], columns));
      await watch.look(1);
      const { numTensors } = tf.memory();
      await watch.look(2);
      expect(tf.memory().numTensors).toBe(numTensors);
    }
  });
});

describe('what a watch remembers', () => {
  const tensor = (value: number) => ({ shape: [1], values: Float32Array.of(value) });

  it('goes through a state, with and without weights to go back to', () => {
    const [first, second, third] = [0, 1, 2].map(() => watchOf(curvedDataset([brittle])));
    first!.memory = { best: 0.5, isCollapsed: true, rateFactor: 0.25 };
    expect([...first!.saved().get('watch/memory')!.values]).toEqual([0.5, 1, 0.25, -1]);
    second!.restore(first!.saved());
    expect([second!.memory, second!.good]).toEqual([first!.memory, null]);
    first!.good = new Map([['model/a', tensor(3)]]);
    first!.goodStep = 4;
    third!.restore(new Map([...first!.saved(), ['model/a', tensor(9)]]));
    expect([third!.memory, third!.goodStep, third!.good]).toEqual([first!.memory, 4, first!.good]);
  });

  it('begins anew with a state of a run that had none', () => {
    const watch = watchOf(curvedDataset([brittle]));
    const { memory } = watch;
    watch.restore(new Map([['model/a', tensor(1)]]));
    expect([watch.memory, watch.good]).toEqual([memory, null]);
    expect(memory).toEqual({ best: 0, isCollapsed: false, rateFactor: 1 });
    const saved = watch.saved();
    expect([...saved.keys()]).toEqual(['watch/memory']);
    expect([...saved.get('watch/memory')!.values]).toEqual([0, 0, 1, -1]);
  });
});
