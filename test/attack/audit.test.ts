// Each flag is raised by a network, or an attack, that was made bad in just that way, and none by a sound one.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { auditEvaluation } from '../../server/attack/audit/audit.ts';
import { evaluateAttack } from '../../server/attack/evaluation.ts';
import type { Dataset } from '../../server/data/split.ts';
import type { Network } from '../../server/model/network.ts';
import { attackNames, type AttackName } from '../../server/protocol/attackTable.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import type { AuditFlag } from '../../server/protocol/records.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { smallDataset, smallNetwork } from './smallNetwork.ts';

let dataset: Dataset;

beforeAll(async () => {
  await openCpu();
  dataset = smallDataset(nImages);
});

const given = { epsilon: 0.03, samples: 100, batchSize: 100 } as const;
const pgd = (settings: object = {}) => attackPlan('pgd', { ...given, steps: 40, restarts: 2, ...settings });
const nImages = 40;

interface Case {
  readonly plan?: AttackPlan;
  /** What becomes of the images on their way in, and of the logits on their way out. */
  readonly before?: (x: tf.Tensor) => tf.Tensor;
  readonly after?: (logits: tf.Tensor2D) => tf.Tensor2D;
  readonly scale?: number;
  readonly std?: readonly number[];
  readonly activations?: readonly string[];
  readonly of?: Dataset;
  readonly isOwnSurrogate?: boolean;
}

async function audit({ plan = pgd(), before, after, scale = 1, of = dataset, ...known }: Case): Promise<AuditFlag[]> {
  const tensorsBefore = tf.memory().numTensors;
  const sound = smallNetwork({ scale });
  const forward: Network['forward'] = (x, pass) => {
    const logits = sound.forward(before ? before(x) : x, pass);
    return after ? after(logits) : logits;
  };
  const network = { ...sound, forward };
  const signal = new AbortController().signal;
  const robust: Int32Array[] = [];
  const surrogate = plan.attack === 'transfer' ? smallNetwork({ offset: 0.3 }) : undefined;
  const attack = evaluateAttack(network, of, plan, { seed: 9, signal, surrogate });
  for (;;) {
    const { value, done } = await attack.next();
    if (!done) {
      robust[value.restart] = value.robust;
      continue;
    }
    const { outcomes, samples } = value;
    const options = { outcomes, samples, robust, std: null, activations: ['swish'], ...known, seed: 9, signal };
    const flags = await auditEvaluation(network, of, plan, options);
    network.dispose();
    surrogate?.dispose();
    expect(tf.memory().numTensors).toBe(tensorsBefore);
    return flags!;
  }
}

const names = (flags: readonly AuditFlag[]) => flags.map(({ flag }) => flag);

/** Rounds to so many levels; the gradient passes, as of a straight-through estimator, or is 0. */
function rounded(levels: number, { isMasked }: { isMasked: boolean }): (x: tf.Tensor) => tf.Tensor {
  const round = tf.customGrad((x) => ({
    value: tf.div(tf.round(tf.mul(x as tf.Tensor, levels)), levels),
    gradFunc: (dy: tf.Tensor) => (isMasked ? tf.zerosLike(dy) : dy.clone()),
  }));
  return (x) => round(x);
}

describe('a sound network', () => {
  const short: Partial<Record<AttackName, object>> = {
    noise: { draws: 20 },
    'apgd-ce': { steps: 50, restarts: 2 },
    'apgd-dlr': { steps: 50 },
    'apgd-t': { steps: 30, targets: 4 },
    square: { queries: 300 },
    fab: { steps: 20 },
    'fab-t': { steps: 20, targets: 4 },
    cw: { norm: 'l2', epsilon: 0.2, searches: 6, steps: 80 },
    transfer: { from: 'another' },
    nes: { steps: 20, directions: 20 },
    autoattack: { suite: 'rand' },
  };
  // Noise and one step fool less than the others can, which no audit finds doubtful: that they are weak is said elsewhere.
  it.each(attackNames)('raises no flag under %s', async (attack) => {
    const plan = attackPlan(attack, { ...given, ...short[attack] }) as AttackPlan;
    expect(await audit({ plan })).toEqual([]);
  });

  it.each([1, 100, 10_000])(
    'raises none with logits × %d, where the loss does not hang on their scale',
    async (scale) => {
      expect(await audit({ scale })).toEqual([]);
    },
  );
});

it('images made on the very weights that they are shown to are said to be no transfer', async () => {
  const plan = attackPlan('transfer', { ...given, from: 'itself' });
  expect(names(await audit({ plan, isOwnSurrogate: true }))).toContain('own-surrogate');
});

describe('a network that was made bad', () => {
  it.each([1000, 10_000])(
    'masked by logits × %d under cross-entropy: zero gradients, with the count',
    async (scale) => {
      const flags = await audit({ scale, plan: pgd({ loss: 'cross-entropy' }) });
      expect(names(flags)).toContain('zero-gradients');
      const [, zero, of] = /is 0 at (\d+) of (\d+) images/.exec(
        flags.find(({ flag }) => flag === 'zero-gradients')!.measured,
      )!;
      expect(Number(of)).toBe(nImages - 2);
      expect(Number(zero)).toBeGreaterThan(2);
      expect(flags[0]!.next).toContain('margin');
    },
  );

  it('that rounds its input: zero gradients, nothing falls though all is allowed', async () => {
    const flags = await audit({ before: rounded(8, { isMasked: true }) });
    expect(names(flags)).toEqual(expect.arrayContaining(['zero-gradients', 'unbounded']));
  });

  it('whose gradient points the wrong way: answers alone beat it', async () => {
    const backwards = tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor) => tf.neg(dy),
    }));
    const flags = await audit({ before: (x) => backwards(x), plan: pgd({ epsilon: 0.06, restarts: 1 }) });
    expect(names(flags)).toEqual(expect.arrayContaining(['black-box', 'unbounded']));
  });

  it('that answers by chance: random', async () => {
    let pass = 0;
    const noisy = tf.customGrad((logits) => ({
      value: tf.add(logits as tf.Tensor, (++pass % 7) / 100),
      gradFunc: (dy: tf.Tensor) => dy.clone(),
    }));
    expect(names(await audit({ after: (logits) => noisy(logits) as tf.Tensor2D }))).toContain('random');
  });

  it('that normalises by its batch, as in training: depends on it', async () => {
    const centred = tf.customGrad((x) => ({
      value: tf.tidy(() => tf.sub(tf.add(x as tf.Tensor, 0.5), tf.mean(x as tf.Tensor, 0, true))),
      gradFunc: (dy: tf.Tensor) => dy.clone(),
    }));
    expect(names(await audit({ before: (x) => centred(x) }))).toContain('batch-dependent');
  });

  it('whose gradient is of another place: rough', async () => {
    let pass = 0;
    const scrambled = tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.randomNormal(dy.shape, 0, 1, 'float32', ++pass)),
    }));
    expect(names(await audit({ before: (x) => scrambled(x) }))).toContain('rough-loss');
  });

  it('of k-winners-take-all: not smooth, how many layers', async () => {
    const [flag] = await audit({ activations: ['k-wta', 'k-wta', 'relu'] });
    expect(flag).toMatchObject({ flag: 'non-smooth' });
    expect(flag!.measured).toContain('2 of 3 activation layers are k-wta');
  });

  it('that reads the label off a single step: right more often than as it is', async () => {
    const flipped = tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor) => tf.neg(dy),
    }));
    // A gradient that leads towards the label puts wrong images right: here all labels are another class's.
    const wrong = { ...dataset, test: relabelled() };
    const flags = await audit({ before: (x) => flipped(x), of: wrong, plan: pgd({ epsilon: 0.1, restarts: 1 }) });
    expect(names(flags)).toContain('label-leak');
  });
});

/** The likeliest other class of every image. */
function relabelled(): Dataset['test'] {
  return {
    ...dataset.test,
    read: async (rows: Uint32Array) => {
      const read = await dataset.test.read(rows);
      return { ...read, labels: read.labels.map((label) => (label + 1) % 5) };
    },
  } as Dataset['test'];
}

describe('an attack that was made weak', () => {
  it('by small steps: one step beats it', async () => {
    expect(names(await audit({ plan: pgd({ steps: 2, stepSize: 0.001, restarts: 1 }) }))).toContain('single-step');
  });

  it('by few steps: images still fell when it ended', async () => {
    const flags = await audit({ plan: pgd({ epsilon: 0.05, steps: 10, stepSize: 0.002, restarts: 1 }) });
    expect(names(flags)).toContain('not-converged');
    expect(flags.find(({ flag }) => flag === 'not-converged')!.measured).toMatch(/fooled \d+ of 40 images more/);
  });

  it('by few restarts of a search at random: the last still took some', async () => {
    const plan = attackPlan('square', { ...given, queries: 15, restarts: 2 });
    expect(names(await audit({ plan }))).toContain('restarts');
  });

  it.each([
    ['larger than the contrast', 0.5, null],
    ['of normalised values', 8 / 255 / 0.247, [0.247]],
  ] as const)('by an ε that is %s', async (_, epsilon, std) => {
    const flags = await audit({ plan: pgd({ epsilon, restarts: 1 }), ...(std && { std }) });
    expect(names(flags)).toContain('epsilon-scale');
  });
});

describe('an audit', () => {
  const plan = attackPlan('fgsm', given);
  const known = { samples: nImages, robust: [Int32Array.of(0)], std: null, activations: ['swish'], seed: 9 };
  const outcomes = new Uint8Array(nImages).fill(1);

  it('is nothing where it was stopped on its way, which it hears of between its checks', async () => {
    const network = smallNetwork();
    const controller = new AbortController();
    setImmediate(() => {
      controller.abort();
    });
    const options = { ...known, outcomes, signal: controller.signal };
    expect(await auditEvaluation(network, dataset, plan, options)).toBeNull();
    network.dispose();
  });

  it('leaves nothing of a table’s space behind', async () => {
    const network = smallNetwork();
    const before = tf.memory().numTensors;
    const table = { ...dataset, columns: { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] } } as unknown as Dataset;
    await auditEvaluation(network, table, plan, { ...known, outcomes, signal: new AbortController().signal });
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
  });
});
