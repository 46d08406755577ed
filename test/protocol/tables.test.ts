// Settings of attacks and of training methods as experiments and old plans rely on them: kind, bounds, default and what a plan
// from before the key means; and what an attack or a method consists of at its defaults.
import { describe, expect, it } from 'vitest';
import { attackNames, attackTable } from '../../server/protocol/attackTable.ts';
import {
  completeKeys,
  isPixelLength,
  isRunId,
  leadingKeys,
  trailingKeys,
  type AttackKeys,
  type DefaultContext,
} from '../../server/protocol/attackKey.ts';
import {
  completeMethod,
  heldBy,
  methodTable,
  updatesPerBatch,
  type MethodEntry,
  type MethodName,
} from '../../server/protocol/methodTable.ts';
import { entryLine, linesOf } from './keyLines.ts';

const context = { trainedEpsilon: 0.1, testSamples: 1000 };

describe('attacks', () => {
  it('share these settings', () => {
    expect([...linesOf(leadingKeys), ...linesOf(trailingKeys)]).toMatchInlineSnapshot(`
      [
        "norm linf of linf|l2",
        "epsilon the training threat's, else 8/255; 0.5 with l2 in (0, 100], pixels",
        "samples 1000, or all test images where there are fewer in [1, 100000], whole",
        "batchSize 128 in [1, 10000], whole",
        "keep 0 in [0, 1000], whole, before 0",
        "seed 0 in [0, 4294967295], whole, before 0",
        "weights averaged of averaged|raw, before "averaged"",
        "protocol worst-case of worst-case",
      ]
    `);
  });

  it('have these of their own', () => {
    expect(Object.fromEntries(attackNames.map((name) => [name, linesOf(attackTable[name].keys)])))
      .toMatchInlineSnapshot(`
      {
        "apgd-ce": [
          "steps 100 in [1, 10000], whole",
          "restarts 1 in [1, 1000], whole",
          "expectation 1 in [1, 1000], whole",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "apgd-dlr": [
          "steps 100 in [1, 10000], whole",
          "restarts 1 in [1, 1000], whole",
          "expectation 1 in [1, 1000], whole",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "apgd-t": [
          "steps 100 in [1, 10000], whole",
          "targets 9 in [1, 1000], whole",
          "expectation 1 in [1, 1000], whole",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "autoattack": [
          "suite standard of standard|plus|rand",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "cw": [
          "searches 9 in [1, 100], whole",
          "steps 200 in [1, 10000], whole",
          "learningRate 0.01 in (0, 10]",
          "constant 0.01 in (0, 1000000]",
          "confidence 0 in [0, 1000]",
        ],
        "deepfool": [
          "steps 50 in [1, 10000], whole",
          "candidates 10 in [2, 1000], whole",
          "overshoot 0.02 in [0, 1]",
        ],
        "fab": [
          "steps 100 in [1, 10000], whole",
          "restarts 1 in [1, 1000], whole",
          "alphaMax 0.1 in [0, 1]",
          "eta 1.05 in [1, 2]",
          "beta 0.9 in [0, 1]",
        ],
        "fab-t": [
          "steps 100 in [1, 10000], whole",
          "targets 9 in [1, 1000], whole",
          "restarts 1 in [1, 1000], whole",
          "alphaMax 0.1 in [0, 1]",
          "eta 1.05 in [1, 2]",
          "beta 0.9 in [0, 1]",
        ],
        "fgsm": [
          "loss margin of margin|cross-entropy|dlr, before "cross-entropy"",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
          "protocol worst-case of worst-case|thesis",
        ],
        "nes": [
          "stepSize a quarter of epsilon (2/255 at 8/255) in (0, 100], pixels",
          "steps 100 in [1, 10000], whole",
          "directions 50 in [1, 300], whole",
          "growth none of none|late",
          "sigma epsilon under linf, else 8/255 in (0, 1], pixels",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "noise": [
          "draws 100 in [1, 10000], whole",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "pgd": [
          "stepSize a quarter of epsilon (2/255 at 8/255) in (0, 100], pixels",
          "steps 50 in [1, 10000], whole",
          "restarts 10 in [1, 1000], whole",
          "loss margin of margin|cross-entropy|dlr, before "cross-entropy"",
          "target none of none|next|least-likely|random, before "none"",
          "momentum 0 in [0, 1], before 0",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
          "protocol worst-case of worst-case|thesis",
        ],
        "square": [
          "queries 5000 in [1, 60000], whole",
          "share 0.8 in (0, 1]",
          "schedule rescaled of rescaled|fixed, before "rescaled"",
          "restarts 1 in [1, 1000], whole",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
        "transfer": [
          "from a place",
          "judged last of last|all",
          "stepSize a quarter of epsilon (2/255 at 8/255) in (0, 100], pixels",
          "steps 50 in [1, 10000], whole",
          "restarts 10 in [1, 1000], whole",
          "loss margin of margin|cross-entropy|dlr, before "cross-entropy"",
          "momentum 0 in [0, 1], before 0",
          "epsilons up to 50 of (each 0.03137254901960784 in (0, 100], pixels), before []",
        ],
      }
    `);
  });

  it('consist of these runs at their defaults', () => {
    const lines = attackNames.map((name) =>
      entryLine(attackTable[name], completeKeys(attackTable[name].keys, {}, context, { norm: 'linf', epsilon: 0.1 })),
    );
    expect(lines).toMatchInlineSnapshot(`
      [
        "PGD-50-10: usual, 10 × restart of 50 × step",
        "FGSM: floor, 1 × run of 1 × step",
        "noise × 100: floor, 1 × run of 100 × draw",
        "transfer-50-10 from : floor, 10 × restart of 50 × step",
        "APGD-CE-100: usual, 1 × restart of 100 × step",
        "APGD-DLR-100: usual, 1 × restart of 100 × step",
        "APGD-T-100-9: strong, 9 × target of 100 × step",
        "Square-5000: usual, 1 × restart of 5000 × query",
        "FAB-100: usual, 1 × restart of 100 × step; nearest",
        "FAB-T-100-9: usual, 9 × target of 100 × step; nearest",
        "DeepFool-50: usual, 1 × run of 50 × step; nearest",
        "C&W-9-200: usual, 1 × run of 1800 × step; nearest",
        "NES-100-50: usual, 1 × run of 100 × step",
        "AutoAttack standard: strong, 0 × run of 0 × step; apgd-ce {}; apgd-t {}; fab-t {}; square {"schedule":"fixed"}",
      ]
    `);
  });
});

it('FAB by targets runs each target’s restarts', () => {
  expect(attackTable['fab-t'].runs({ steps: 7, targets: 3, restarts: 2 })).toMatchObject({ count: 6, length: 7 });
});

describe('defaults that are computed', () => {
  const given = (keys: AttackKeys, before: object = {}, known: Partial<DefaultContext> = {}) =>
    completeKeys(keys, {}, { ...context, ...known }, { ...before });

  it('are ε of the training threat under L∞, else the papers’; α a quarter of ε, and never 0', () => {
    const epsilon = (norm: string, trainedEpsilon: number | null) =>
      completeKeys(leadingKeys, { norm }, { ...context, trainedEpsilon })['epsilon'];
    expect([epsilon('linf', 0.1), epsilon('linf', null), epsilon('l2', 0.1)]).toEqual([0.1, 8 / 255, 0.5]);
    const { stepSize } = attackTable.pgd.keys;
    expect(given({ stepSize }, { epsilon: 0.1 })).toMatchObject({ stepSize: 0.025 });
    expect(given({ stepSize }, { epsilon: Number.MIN_VALUE })).toMatchObject({ stepSize: Number.MIN_VALUE });
  });

  it('are 1000 images, or as many as there are', () => {
    const images = (testSamples: number | null) => given(trailingKeys, {}, { testSamples })['samples'];
    expect([images(10_000), images(60), images(null)]).toEqual([1000, 60, 1000]);
  });

  it('are σ of NES, λ of GradAlign and the α of an ensemble’s L2', () => {
    const { sigma } = attackTable.nes.keys;
    expect(given({ sigma }, { norm: 'linf', epsilon: 0.1 })).toMatchObject({ sigma: 0.1 });
    expect(given({ sigma }, { norm: 'l2', epsilon: 0.1 })).toMatchObject({ sigma: 8 / 255 });
    const lambda = (epsilon: number | null) => completeMethod('gradalign', {}, epsilon);
    expect(lambda(8 / 255)).toMatchObject({ lambda: expect.closeTo(0.2, 12) as number });
    expect(lambda(16 / 255)).toMatchObject({ lambda: expect.closeTo(2, 12) as number });
    expect(lambda(1)).toMatchObject({ lambda: 1000 });
    expect(completeMethod('ensemble', { l2Epsilon: 0.2 }, 0.1)).toMatchObject({ l2Epsilon: 0.2, l2StepSize: 0.05 });
  });

  it('give way to what is given, which those behind them see', () => {
    const plan = completeKeys(attackTable.pgd.keys, { steps: 3, loss: 'dlr' }, context, { norm: 'linf', epsilon: 0.4 });
    expect(plan).toMatchObject({ norm: 'linf', epsilon: 0.4, stepSize: 0.1, steps: 3, loss: 'dlr', epsilons: [] });
  });
});

describe('what a setting holds', () => {
  it('is the id of a run where it is no path: without a folder, a dot before or a checkpoint’s ending', () => {
    expect(['20261123-034501-a', 'a/b', 'a\\b', '~', '.', 'a.safetensors', ''].map(isRunId)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('is a length in pixel values where its items are', () => {
    expect(isPixelLength(attackTable.pgd.keys.epsilons)).toBe(true);
    expect(isPixelLength(attackTable.pgd.keys.stepSize)).toBe(true);
    expect(isPixelLength(attackTable.pgd.keys.steps)).toBe(false);
    expect(isPixelLength(attackTable.pgd.keys.loss)).toBe(false);
  });
});

describe('training methods', () => {
  const entries = Object.entries<MethodEntry>(methodTable);

  it('have these settings', () => {
    expect(Object.fromEntries(entries.map(([name, { keys }]) => [name, linesOf(keys)]))).toMatchInlineSnapshot(`
      {
        "ensemble": [
          "combine max of max|average|msd",
          "steps 7 in [1, 1000], whole",
          "l2Epsilon 0.5 in (0, 100]",
          "l2StepSize a quarter of l2Epsilon in (0, 100]",
          "start zero of zero|image|ball",
          "statistics batch of batch|moving|running",
        ],
        "fgsm": [
          "statistics batch of batch|moving|running",
        ],
        "fgsm-rs": [
          "start ball of ball|image, before "ball"",
          "statistics batch of batch|moving|running, before "batch"",
        ],
        "free": [
          "replays 8 in [1, 100], whole",
        ],
        "gradalign": [
          "lambda 0.02·10^(255·ε/8): 0.2 at 8/255 in [0, 1000]",
          "through random of random|both",
          "statistics batch of batch|moving",
        ],
        "n-fgsm": [
          "noise 2 in [0, 10]",
          "start image of image|ball",
          "statistics batch of batch|moving|running",
        ],
        "pgd": [
          "steps 7 in [1, 1000], whole",
          "start image of image|ball|zero",
          "statistics batch of batch|moving|running",
        ],
        "standard": [],
        "trades": [
          "beta 6 in [0, 1000]",
          "steps 10 in [1, 1000], whole",
          "noise 0.001 in [0, 1], pixels",
          "statistics running of batch|moving|running",
        ],
      }
    `);
  });

  it('hold and update by their settings', () => {
    const held = (type: MethodName, given: object) => heldBy(completeMethod(type, { ...given }, 0.1));
    expect(held('ensemble', { combine: 'average' }).batches).toBe(2);
    expect(held('standard', {})).toEqual({ batches: 1, images: 0, gradients: 0 });
    expect(held('gradalign', { through: 'both' })).toEqual({ batches: 1, images: 5, gradients: 2 });
    expect(updatesPerBatch(completeMethod('free', { replays: 3 }, 0.1))).toBe(3);
  });

  it('defend against these norms, with this step size, and update and hold so much', () => {
    const lines = entries.map(([name, { norms, stepSize, keys, isSingleStep = false, updates, holds }]) => {
      const values = completeKeys(keys, {}, context, { norm: 'linf', epsilon: 0.1 });
      const held = holds ? `, holds ${JSON.stringify(holds(values))}` : '';
      return `${name}: ${norms.join('|')}, α ${String(stepSize)}${isSingleStep ? ', single step' : ''}, ${String(updates(values))} updates${held}`;
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "standard: , α 0, 1 updates",
        "fgsm-rs: linf, α 1.25, single step, 1 updates",
        "fgsm: linf, α 1, single step, 1 updates",
        "n-fgsm: linf, α 1, single step, 1 updates",
        "pgd: linf|l2, α 0.25, 1 updates",
        "free: linf, α 1, single step, 8 updates, holds {"batches":1,"images":2,"gradients":0}",
        "trades: linf, α 0.25, 1 updates, holds {"batches":2,"images":3,"gradients":0}",
        "gradalign: linf, α 1.25, single step, 1 updates, holds {"batches":1,"images":3,"gradients":2}",
        "ensemble: linf, α 0.25, 1 updates, holds {"batches":1,"images":1,"gradients":0}",
      ]
    `);
  });
});
