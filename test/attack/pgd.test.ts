import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { evaluateAttack, type EvaluationCounts, type Progress } from '../../server/attack/evaluation.ts';
import { inputGradient } from '../../server/attack/inputGradient.ts';
import { crossEntropy } from '../../server/attack/losses.ts';
import { pgd } from '../../server/attack/pgd.ts';
import { countTrue, readCorrect } from '../../server/attack/predictions.ts';
import { makeBatch } from '../../server/data/batches.ts';
import type { Dataset } from '../../server/data/split.ts';
import type { Pass } from '../../server/model/layer.ts';
import type { Network } from '../../server/model/network.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import { evaluationPlanSchema } from '../../server/protocol/evaluationSchema.ts';
import type { PlanOfAttack } from '../../server/protocol/attackTable.ts';
import { Target } from '../../server/attack/target.ts';
import { Trial } from '../../server/attack/trial.ts';
import { randomStreams } from '../../server/model/randomStreams.ts';
import { uniform } from '../../server/tensor/ops/random.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { brightnessNetwork, evenImages } from './brightnessNetwork.ts';
import { run } from './runAttack.ts';
import { attackPlan } from './plans.ts';

const records = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'pgdRecords.json'), 'utf8')) as {
  progress: object[];
  counts: object;
};

beforeAll(openCpu);

let networks: Network[] = [];

function network(onLook?: (images: Float32Array, pass: Pass) => void): Network {
  const made = brightnessNetwork(onLook);
  networks.push(made);
  return made;
}

afterEach(() => {
  for (const made of networks) made.dispose();
  networks = [];
  expect(tf.memory().numTensors).toBe(0);
});

const settings = { epsilon: 0.1, stepSize: 0.02, steps: 10, restarts: 1, loss: 'cross-entropy' } as const;
const noSteps = 0 as number; // a plan has one at least; the start alone is what is looked at here

describe('one restart', () => {
  it('stays inside the ball and inside [0, 1] at every step, and ends on the ball’s side that raises the loss', async () => {
    const looks: Float32Array[] = [];
    const watched = network((images) => looks.push(images));
    const clean = [0.05, 0.95];
    const { counts } = await attack(watched, evenImages(clean), settings, () => (looks.length = 0));
    expect(counts).toEqual(Array(11).fill(2));
    expect(looks).toHaveLength(11);
    for (const look of looks) {
      look.forEach((value, index) => {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        // 8-bit brightness and float32 rounding
        expect(Math.abs(value - Math.round(255 * clean[Math.floor(index / 48)]!) / 255)).toBeLessThan(0.1 + 1e-6);
      });
    }
    // Ten steps of 0.02 reach the side from every start: 13/255 + 0.1 and 242/255 − 0.1.
    const last = looks.at(-1)!;
    expect(last[0]).toBeCloseTo(13 / 255 + 0.1, 6);
    expect(last[95]).toBeCloseTo(242 / 255 - 0.1, 6);
  });

  it('starts at random in the whole ball', async () => {
    const looks: Float32Array[] = [];
    const watched = network((images) => looks.push(images));
    await attack(
      watched,
      evenImages(Array<number>(20).fill(0.2)),
      { ...settings, steps: noSteps },
      () => (looks.length = 0),
    );
    const offsets = [...looks[0]!].map((value) => value - 51 / 255);
    const mean = offsets.reduce((sum, offset) => sum + offset, 0) / offsets.length;
    // Of 960 uniform values: the extremes within 2 % of the sides, the mean within four standard errors.
    expect(Math.max(...offsets)).toBeGreaterThan(0.098);
    expect(Math.min(...offsets)).toBeLessThan(-0.098);
    expect(Math.abs(mean)).toBeLessThan((4 * 0.1) / Math.sqrt(3 * 960));
  });

  it('fools exactly the images within reach of the border, and drops each at once', async () => {
    const looks: Float32Array[] = [];
    const watched = network((images) => looks.push(images));
    // Within 0.1 of 0.5: the first, second and last.
    const images = evenImages([0.45, 0.55, 0.35, 0.65, 0.42]);
    const { counts, rows, labels, clean } = await attack(watched, images, settings, () => (looks.length = 0));
    expect(counts[0]).toBe(5);
    expect(counts.at(-1)).toBe(2);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(looks.map(({ length }) => length / 48)).toEqual([5, ...counts.slice(0, -1)]);
    expect(rows).toEqual([2, 3]);
    expect(labels).toEqual([0, 1]);
    expect(clean[0]).toBeCloseTo(Math.round(255 * 0.35) / 255, 6);
  });

  it('draws an image’s start by its row in the batch, whoever else still stands', async () => {
    const looks: Float32Array[] = [];
    const watched = network((images) => looks.push(images));
    const means = [0.2, 0.2, 0.2];
    const start = { ...settings, steps: noSteps };
    await attack(watched, evenImages(means), start, () => (looks.length = 0));
    const [all] = looks;
    const { rows } = await attack(watched, evenImages(means, [1, 1, 0]), start, () => (looks.length = 0));
    expect(rows).toEqual([2]);
    expect(looks[0]).toEqual(all!.slice(96));
  });
});

describe('an evaluation by PGD', () => {
  it('says what version 0.1 said, to the image: its plans have no loss, which was cross-entropy', async () => {
    const means = Array.from({ length: 40 }, (_, index) => 0.5 + (index % 2 ? 1 : -1) * (0.002 + 0.0022 * index));
    const old = {
      attack: 'pgd',
      norm: 'linf',
      epsilon: 0.06,
      stepSize: 0.01,
      steps: 6,
      restarts: 3,
      samples: 40,
      batchSize: 7,
      protocol: 'worst-case',
    };
    const running = evaluateAttack(network(), evenImages(means), evaluationPlanSchema.parse(old) as AttackPlan, {
      ...{ seed: 11, signal: new AbortController().signal },
    });
    const progress: object[] = [];
    let next = await running.next();
    for (; !next.done; next = await running.next()) {
      const { restart, samples, robust } = next.value;
      progress.push({ restart, samples, robust: [...robust] });
    }
    expect(progress).toEqual(records.progress);
    expect(next.value).toMatchObject(records.counts);
  });

  const evaluation = attackPlan('pgd', { ...settings, restarts: 2, samples: 100, batchSize: 2 });

  it('attacks the network as it is used: in inference mode, without a random key, at every look', async () => {
    const passes: Pass[] = [];
    await evaluateAll(
      network((_, pass) => passes.push(pass)),
      evenImages([0.2, 0.8]),
      { ...evaluation, restarts: 1, steps: 2 },
    );
    const inference = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null };
    // The clean images, the start with a gradient, one step with one, and the last look without.
    expect(passes).toEqual([inference, inference, inference, inference]);
  });

  it('draws the starts of every batch and of every restart anew, each from a stream and a counter of its own', async () => {
    const looks: Float32Array[] = [];
    await evaluateAll(
      network((images) => looks.push(images)),
      evenImages([0.2, 0.2, 0.2, 0.2]),
      { ...evaluation, steps: noSteps },
    );
    // Of each batch: the clean images, then a start a restart.
    const starts = looks.filter((_, index) => index % 3 > 0).map((look) => [...look]);
    const expected = [0, 2].flatMap((counter) =>
      [0, 1].map((restart) => {
        const stream = randomStreams.evaluationAttack + restart;
        return tf.tidy(() => [
          ...tf.add(uniform([2, 48], -0.1, 0.1, { seed: 1, stream, counter }), Math.fround(51 / 255)).dataSync(),
        ]);
      }),
    );
    expect(starts).toHaveLength(4);
    // One rounding of numbers below 0.5 in float32.
    starts.forEach((start, at) => {
      start.forEach((value, index) => expect(value).toBeCloseTo(expected[at]![index]!, 6));
    });
    expect(new Set(starts.map((start) => start.join())).size).toBe(4);
  });

  it('hears at its next step that it is stopped, and leaves nothing behind', async () => {
    const controller = new AbortController();
    let nLooks = 0;
    const watched = network(() => {
      // Not at once: by whoever has the next turn.
      if (++nLooks === 4)
        setImmediate(() => {
          controller.abort();
        });
    });
    const { counts } = await evaluateAll(watched, evenImages([0.2, 0.8]), evaluation, controller.signal);
    expect(counts).toMatchObject({ samples: 0, clean: 0, robust: 0, passes: nothing, isPartial: true });
    expect(nLooks).toBeLessThanOrEqual(5);
  });

  it('counts an image that is wrong clean as neither clean nor robust, though the attack could put it right', async () => {
    const { counts } = await evaluateAll(network(), evenImages([0.45, 0.2, 0.8], [1, 0, 1]), evaluation);
    expect(counts).toMatchObject({ samples: 3, clean: 2, robust: 2, isPartial: false, thesis: null });
    expect([...counts.outcomes]).toEqual([0, 2, 2]);
  });

  it('reports counts that add up over batches, by restart and step', async () => {
    const { counts, progress } = await evaluateAll(network(), evenImages([0.45, 0.2, 0.8, 0.41, 0.3]), evaluation);
    expect(counts).toMatchObject({ samples: 5, clean: 5, robust: 3, isPartial: false });
    expect(progress.map(({ restart, samples }) => [restart, samples])).toEqual([
      [0, 2],
      [1, 2],
      [0, 4],
      [1, 4],
      [0, 5],
      [1, 5],
    ]);
    expect(progress.map(({ robust }) => robust.at(-1))).toEqual([1, 1, 2, 2, 3, 3]);
    expect(progress.every(({ robust }) => robust.length === 11)).toBe(true);
  });

  it('keeps each image’s worst restart: what one restart fools stays fooled, and more restarts fool more', async () => {
    // Starts alone (no step), so close to the border that each restart fools some.
    const close = evenImages(Array<number>(40).fill(128 / 255));
    const starts = { ...evaluation, steps: noSteps, restarts: 6, batchSize: 40 };
    const { counts, progress } = await evaluateAll(network(), close, starts);
    const standing = progress.map(({ robust }) => robust[0]!);
    expect(standing).toEqual([...standing].sort((a, b) => b - a));
    expect(standing[0]).toBeLessThan(40);
    expect(counts.robust).toBe(standing.at(-1));
    expect(counts.robust).toBeLessThan(standing[0]!);
  });

  it('attacks no more than the first so many images', async () => {
    const { counts } = await evaluateAll(network(), evenImages([0.2, 0.45, 0.8]), { ...evaluation, samples: 1 });
    expect(counts).toMatchObject({ samples: 1, robust: 1 });
  });

  it('ends at once when it is stopped before the first step', async () => {
    const counts = await evaluateAll(network(), evenImages([0.2, 0.8]), evaluation, AbortSignal.abort());
    expect(counts).toMatchObject({ counts: { samples: 0, clean: 0, robust: 0, passes: nothing, isPartial: true } });
    expect(counts.progress).toEqual([]);
  });
});

describe('the loss of PGD', () => {
  const given = { epsilon: 0.08, steps: 10, restarts: 1, stepSize: 0.02, samples: 17 };

  it('is by default one that no scale of the logits hides from: cross-entropy finds nothing where they are saturated', async () => {
    const robust = async (scale: number, more: object) => {
      const { counts } = await run(attackPlan('pgd', { ...given, ...more }), { scale });
      expect(counts.clean).toBe(15);
      return counts.robust;
    };
    const sound = await robust(1, {});
    expect(sound).toBeLessThan(10);
    expect(await robust(10_000, {})).toBe(sound);
    expect(await robust(10_000, { loss: 'dlr' })).toBeLessThan(10);
    expect(await robust(10_000, { loss: 'cross-entropy' })).toBeGreaterThan(sound);
  });

  it.each(['next', 'least-likely', 'random'] as const)('towards a target (%s) fools too', async (target) => {
    const { counts } = await run(attackPlan('pgd', { ...given, epsilon: 0.2, target }));
    expect(counts.robust).toBeLessThan(counts.clean);
    const { counts: first } = await run(attackPlan('pgd', { ...given, epsilon: 0.2, target, loss: 'dlr' }));
    expect(first.robust).toBeLessThan(first.clean);
  });
});

describe('momentum', () => {
  it('adds the last directions, each of length 1, in their share', async () => {
    const looks: Float32Array[] = [];
    const watched = brightnessNetwork((images) => looks.push(images));
    networks.push(watched);
    // The gradient's sign never changes here: with momentum or without, the steps are the same.
    const steps = async (momentum: number) => {
      await attack(watched, evenImages([0.2]), { ...settings, momentum }, () => (looks.length = 0));
      return looks.map((look) => look[0]);
    };
    expect(await steps(0.9)).toEqual(await steps(0));
  });
});

describe('inputGradient', () => {
  it('is that of the summed cross-entropy', async () => {
    const { images, labels } = makeBatch(await evenImages([0.5, 0.6]).test.read(Uint32Array.of(0, 1)), [4, 4, 3]);
    const { gradient, logits, losses } = inputGradient(network(), images, crossEntropy(labels.dataSync<'int32'>()), {
      mode: 'inference',
      key: null,
    });
    // d loss/dx = Σₖ (pₖ − yₖ)·slopeₖ, slopes ∓20/48; with d = 20·(mean − 0.5), p₁ = σ(2d).
    const expected = [128, 153].map((brightness, image) => {
      const bright = 1 / (1 + Math.exp(-40 * (brightness / 255 - 0.5)));
      return ((bright - (image === 0 ? 0 : 1)) * 40) / 48;
    });
    const values = gradient.dataSync();
    expect(values[0]).toBeCloseTo(expected[0]!, 5);
    expect(values[95]).toBeCloseTo(expected[1]!, 5);
    tf.dispose([images, labels, gradient, logits, losses]);
  });
});

describe('readCorrect', () => {
  it('takes the first of equal logits, and no row with NaN', () => {
    const logits = tf.tensor2d([1, 1, 0, 2, 3, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], [4, 2]);
    expect(readCorrect(logits, Int32Array.of(0, 1, 0, 1))).toEqual([true, true, false, true]);
    expect(readCorrect(logits, Int32Array.of(1, 0, 1, 0))).toEqual([false, false, false, false]);
    logits.dispose();
    const first = tf.tensor2d([Number.NaN, 0], [1, 2]);
    expect(readCorrect(first, Int32Array.of(0))).toEqual([false]);
    first.dispose();
  });

  it('compares every logit of a row with the best before it', () => {
    const logits = tf.tensor2d([1, 2, 3, 1, 3, 2, 3, 1, 2, 9, 9, 9], [4, 3]);
    expect(readCorrect(logits, Int32Array.of(2, 1, 0, 0))).toEqual([true, true, true, true]);
    logits.dispose();
  });
});

describe('countTrue', () => {
  it('counts the flags that are set', () => {
    expect([[], [false], [true], [true, false, true, true]].map(countTrue)).toEqual([0, 0, 1, 3]);
  });
});

const nothing = { forward: 0, backward: 0 };

/** One restart on all images, and who stands after it. @param onBegin after the look at the clean images */
async function attack(
  of: Network,
  { test }: Dataset,
  given: Partial<PlanOfAttack<'pgd'>>,
  onBegin = (): unknown => undefined,
) {
  const all = Uint32Array.from({ length: test.nSamples }, (_, index) => index);
  const samples = await test.read(all);
  const { images, labels } = makeBatch(samples, [4, 4, 3]);
  const target = new Target(of, { nClasses: 2, shape: [4, 4, 3], passes: nothing });
  const trial = new Trial({ target, images, labels: samples.labels, seed: 1, first: 3, bounds: [0, 1] });
  onBegin();
  trial.begin(0);
  const counts: number[] = [];
  for (const _ of pgd(trial, attackPlan('pgd', given), 0)) counts.push(trial.size);
  const found = { counts, rows: [...trial.rows], labels: [...trial.labels], clean: trial.clean.dataSync().slice() };
  trial.dispose();
  tf.dispose([images, labels]);
  return found;
}

async function evaluateAll(
  of: Network,
  dataset: Dataset,
  evaluation: PlanOfAttack<'pgd'>,
  signal = new AbortController().signal,
): Promise<{ counts: EvaluationCounts; progress: Progress[] }> {
  const running = evaluateAttack(of, dataset, evaluation, { seed: 1, signal });
  const progress: Progress[] = [];
  for (;;) {
    const { value, done } = await running.next();
    if (done) return { counts: value, progress };
    progress.push(value);
  }
}
