// What every attack owes, whichever it is: images that fool lie in the ball and in [0, 1] and do fool; who fell is attacked no
// more; the same plan says the same, also where it was interrupted; nothing is left behind.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EvaluationsFold } from '../../server/attack/evaluationState.ts';
import { mergeParts } from '../../server/attack/parts.ts';
import type { Fooled } from '../../server/attack/trial.ts';
import { attackNames, type AttackName } from '../../server/protocol/attackTable.ts';
import { measuresDistances, stagesOf, type AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { nSamples, run, runParts } from './runAttack.ts';
import { smallDataset, smallNetwork, smallShape } from './smallNetwork.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

const batchSize = 6;
/** So that some fall and some stand. */
const epsilons = { linf: 0.06, l2: 0.35 } as const;
/** Settings that make an attack short; the smallest attack is as much an attack. */
const short: { readonly [A in AttackName]: object } = {
  pgd: { steps: 6, restarts: 2 },
  fgsm: {},
  noise: { draws: 40 },
  transfer: { from: 'another', steps: 6, restarts: 2, judged: 'all' },
  'apgd-ce': { steps: 12, restarts: 2 },
  'apgd-dlr': { steps: 12 },
  'apgd-t': { steps: 8, targets: 3 },
  square: { queries: 60, restarts: 2 },
  fab: { steps: 6, restarts: 2 },
  'fab-t': { steps: 6, targets: 3 },
  deepfool: { steps: 6 },
  cw: { searches: 3, steps: 12, learningRate: 0.05 },
  nes: { steps: 5, directions: 20 },
  autoattack: { suite: 'rand' },
};

const cases = attackNames.flatMap((attack) => (['linf', 'l2'] as const).map((norm) => [attack, norm] as const));

describe.each(cases)('%s under %s', (attack, norm) => {
  const given = { ...short[attack], norm, epsilon: epsilons[norm], batchSize, samples: 100 };
  const plan = attackPlan(attack, given) as AttackPlan;

  it('fools some, each by a picture in the ball and in [0, 1] that the network is wrong about', async () => {
    const found: Fooled[] = [];
    const { counts } = await run(plan, { onFooled: (fooled) => found.push(fooled) });
    const { test } = smallDataset(nSamples);
    const asTheyWere = await test.read(Uint32Array.from({ length: nSamples }, (_, row) => row));
    const network = smallNetwork();
    const isNearest = measuresDistances(plan);
    for (const { row, image, distance, prediction } of found) {
      const clean = asTheyWere.values.subarray(row * 108, (row + 1) * 108);
      const offset = image.map((value, index) => value - clean[index]!);
      const length = norm === 'linf' ? Math.max(...offset.map(Math.abs)) : Math.hypot(...offset);
      expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...image)).toBeLessThanOrEqual(1);
      // float32's rounding of values up to 1, of 108 of them under L2
      if (isNearest) expect(Math.abs(length - distance!)).toBeLessThan(2e-6);
      else expect(length).toBeLessThan(epsilons[norm] + 1e-6);
      const logits = tf.tidy(() =>
        network
          .forward(tf.tensor4d(image, [1, ...smallShape]), {
            mode: 'inference',
            key: null,
            gradients: 'input',
            batchStatistics: null,
          })
          .dataSync<'float32'>(),
      );
      expect(logits.indexOf(Math.max(...logits))).toBe(prediction);
      expect(prediction).not.toBe(asTheyWere.labels[row]);
    }
    network.dispose();
    const within = new Set(
      found.filter(({ distance }) => distance === null || distance <= plan.epsilon).map(({ row }) => row),
    );
    expect(counts).toMatchObject({ samples: nSamples, clean: nSamples - 2, robust: nSamples - 2 - within.size });
    expect(within.size).toBeGreaterThan(0);
  });

  it('counts what stands, never more than before, and each pass of each image', async () => {
    const looked = { images: 0 };
    const { counts, progress } = await run(plan, { onLook: (nImages) => (looked.images += nImages) });
    expect(counts.passes.forward).toBe(looked.images);
    const nStages = stagesOf(plan).length;
    const last = progress.slice(-nStages);
    const standing = last.flatMap(({ robust }) => [...robust]);
    expect(standing).toEqual([...standing].sort((a, b) => b - a));
    expect(standing[0]).toBeLessThanOrEqual(counts.clean);
    expect(standing.at(-1)).toBe(counts.robust);
    expect(last.at(-1)).toMatchObject({ samples: nSamples, clean: counts.clean, passes: counts.passes });
  });

  it('interrupted after a batch and taken up says what it says uninterrupted', async () => {
    const whole = await run(plan);
    const nStages = stagesOf(plan).length;
    const fold = new EvaluationsFold();
    fold.hear({ type: 'evaluationStarted', evaluation: 1, plan, step: 0, samples: nSamples });
    // Cut off in the third batch, where it has more than one stage.
    for (const progress of whole.progress.slice(0, 3 * nStages - 1))
      fold.hear({ type: 'attackProgress', evaluation: 1, ...progress });
    const { state } = fold.all[0]!;
    expect(state?.samples).toBe(2 * batchSize);
    const rest = await run(plan, { from: state! });
    expect(rest.progress).toEqual(whole.progress.slice(2 * nStages));
    expect(rest.counts).toEqual(whole.counts);
  });

  it('cut into parts by images says, put together, what it says uncut', async () => {
    const whole = await run(plan);
    const merged = mergeParts(await runParts(plan, 3))!;
    expect(merged.progress).toEqual(whole.progress);
    const { samples, clean, passes, outcomes } = merged.state;
    expect({ samples, clean, passes, outcomes }).toMatchObject({
      ...{ samples: nSamples, clean: whole.counts.clean, passes: whole.counts.passes },
      outcomes: whole.counts.outcomes,
    });
    const ended = await run(plan, { from: merged.state });
    expect(ended).toEqual({ counts: whole.counts, progress: [] });
  });

  it('stops when asked, with what the batches before gave, and leaves nothing behind', async () => {
    const whole = await run(plan);
    const after = whole.progress.filter(({ samples }) => samples === batchSize).at(-1)!;
    const controller = new AbortController();
    let news = 0;
    const stopped = await run(plan, {
      signal: controller.signal,
      onProgress: () => {
        if (++news > stagesOf(plan).length) controller.abort();
      },
    });
    // The second batch is through where the attack has one stage only.
    const isThrough = stagesOf(plan).length === 1;
    expect(stopped.counts).toMatchObject({ samples: isThrough ? 2 * batchSize : batchSize, isPartial: true });
    if (!isThrough) expect(stopped.counts).toMatchObject({ clean: after.clean, passes: after.passes });
  });

  it('says the same whatever else is attacked beside it', async () => {
    const fooledBy = async (samples: number) => {
      const rows = new Map<number, number[]>();
      await run({ ...plan, samples }, { onFooled: ({ row, image }) => rows.set(row, [...image]) });
      return rows;
    };
    const [few, many] = [await fooledBy(batchSize), await fooledBy(nSamples)];
    expect([...many].filter(([row]) => row < batchSize)).toEqual([...few]);
  });
});
