// Each check of the audit at its bounds, on suspects made up for it; test/attack/audit.test.ts has whole evaluations.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { blackBox } from '../../server/attack/audit/blackBox.ts';
import { labelLeak } from '../../server/attack/audit/labelLeak.ts';
import { ownSurrogate } from '../../server/attack/audit/ownSurrogate.ts';
import { roughness } from '../../server/attack/audit/roughness.ts';
import { singleStep } from '../../server/attack/audit/singleStep.ts';
import { unbounded } from '../../server/attack/audit/unbounded.ts';
import { batchDependent } from '../../server/attack/audit/batchDependent.ts';
import { epsilonScale } from '../../server/attack/audit/epsilonScale.ts';
import { largestDifference, logitScale } from '../../server/attack/audit/logits.ts';
import { nonSmooth } from '../../server/attack/audit/nonSmooth.ts';
import { random } from '../../server/attack/audit/random.ts';
import { restarts } from '../../server/attack/audit/restarts.ts';
import { steps } from '../../server/attack/audit/steps.ts';
import { fooledBy, isMany, raisedLoss, type Suspect } from '../../server/attack/audit/suspect.ts';
import { zeroGradients } from '../../server/attack/audit/zeroGradients.ts';
import { attackNames } from '../../server/protocol/attackTable.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { logitsOf, samples, slopeTo, withLinearTrial, type LinearTrialOptions } from './linearTrial.ts';
import { attackPlan } from './plans.ts';

beforeAll(openCpu);

let images: tf.Tensor | null = null;
afterEach(() => {
  images?.dispose();
  images = null;
});

/** How far class k is from class 0 by the linear network. */
function farTo(k: number, norm: 'linf' | 'l2', x: readonly number[]): number {
  const [z, slope] = [logitsOf(x), slopeTo(k, 0)];
  const dual = norm === 'l2' ? Math.hypot(...slope) : slope.reduce((sum, value) => sum + Math.abs(value), 0);
  return (z[0]! - z[k]!) / dual;
}

function withoutTrace<T extends Float32Array>(use: () => T): T {
  let result: T | null = null;
  tf.tidy(() => {
    result = use();
  });
  return result!;
}

interface Made extends Partial<Omit<Suspect, 'target' | 'images'>> {
  /** By image. */
  readonly values?: readonly (readonly number[])[];
  readonly target?: object;
}

function suspect({ values = [[0, 1]], target = {}, ...more }: Made): Suspect {
  images?.dispose();
  images = tf.tensor2d(values.map((row) => [...row]));
  return {
    ...{ plan: attackPlan('pgd', { epsilon: 8 / 255 }) as AttackPlan, images, labels: new Int32Array(values.length) },
    ...{ bounds: [0, 1], outcomes: new Uint8Array(values.length).fill(2), samples: 100, robust: [], std: null },
    ...{ activations: [], seed: 0, ...more },
    target: { nClasses: 2, shape: [values[0]!.length], ...target },
  } as unknown as Suspect;
}

describe('findings', () => {
  it('are no accident from two images on, and from two in a hundred', () => {
    expect([isMany(1, 10), isMany(2, 10), isMany(3, 200), isMany(4, 200)]).toEqual([false, true, false, true]);
  });

  it('compare logits by their largest difference and largest size, which is 1 at least', () => {
    expect(largestDifference(Float32Array.of(1, -2, 4), Float32Array.of(1, 3, 3))).toBe(5);
    expect(largestDifference(Float32Array.of(1, 2), Float32Array.of(1, 2))).toBe(0);
    expect([logitScale(Float32Array.of(0.5, -0.25)), logitScale(Float32Array.of(2, -3))]).toEqual([1, 3]);
  });

  it('ask for the gradient that the attack follows, and for none where it follows none', () => {
    const nameOf = (plan: AttackPlan) => raisedLoss(suspect({ plan }))?.name ?? null;
    const names = attackNames.map((attack) => [attack, nameOf(attackPlan(attack) as AttackPlan)]);
    expect(Object.fromEntries(names)).toEqual({
      ...{ pgd: 'margin', fgsm: 'margin', noise: null, transfer: null, square: null, nes: null },
      ...{ 'apgd-ce': 'cross-entropy', 'apgd-dlr': 'margin', 'apgd-t': 'margin', autoattack: 'margin' },
      ...{ fab: 'margin', 'fab-t': 'margin', deepfool: 'margin', cw: 'margin' },
    });
    expect(nameOf(attackPlan('pgd', { loss: 'dlr' }))).toBe('dlr');
    const valueOf = (plan: AttackPlan) =>
      tf.tidy(
        () =>
          raisedLoss(suspect({ plan }))!
            .loss(tf.tensor2d([[1, 0]]))
            .dataSync()[0],
      );
    expect(valueOf(attackPlan('apgd-ce'))).toBeCloseTo(Math.log1p(Math.exp(-1)), 5);
    expect(valueOf(attackPlan('cw'))).toBeCloseTo(-1, 6);
  });
});

describe('answers by chance', () => {
  const answering = (...passes: number[][]) => {
    let pass = 0;
    return { logits: () => Float32Array.from(passes[pass++ % passes.length]!) };
  };

  it('are those that differ by more than float32 would, by the scale of the logits', () => {
    const of = (by: number, scale = 1) =>
      random(suspect({ target: answering([scale, 0], [scale + by, 0]), values: [[0, 1]] }));
    expect([of(0), of(0.9e-5), of(0.9e-4, 10)]).toEqual([null, null, null]);
    expect([of(1.2e-5)?.flag, of(1.2e-4, 10)?.flag]).toEqual(['random', 'random']);
  });

  it('are counted where the answer itself changes', () => {
    const target = answering([1, 0, 1, 0, 1, 0], [0, 1, 1, 0, 0.5, 0]);
    expect(random(suspect({ target, values: [[0], [0], [0]] }))!.measured).toBe(
      'Two passes of the same 3 images differ by up to 1.0 in their logits; 1 answers change.',
    );
  });
});

it('an answer hangs on the batch where the first half’s logits change without the rest, by the scale of the logits', () => {
  const of = (by: number, n: number, scale = 1) => {
    const logits = (x: tf.Tensor) =>
      Float32Array.from({ length: x.shape[0]! * 2 }, (_, i) =>
        x.shape[0] === n || i > 0 ? scale / (1 + i) : scale + by,
      );
    return batchDependent(suspect({ target: { logits }, values: Array.from({ length: n }, () => [0]) }));
  };
  expect([of(0, 5), of(0.9e-3, 5), of(1, 1), of(5e-3, 5, 10)]).toEqual([null, null, null, null]);
  expect(of(1.5e-3, 2)).not.toBeNull();
  expect(of(1.5e-3, 5)!.measured).toBe(
    'Logits of 2 images change by up to 0.0015 when others beside them are taken away.',
  );
});

it('layers that are not smooth are counted by kind, unless the attack needs no gradient', () => {
  const of = (plan: AttackPlan, ...activations: string[]) => nonSmooth(suspect({ plan, activations }));
  const pgd = attackPlan('pgd') as AttackPlan;
  expect(of(pgd, 'relu', 'kaf')).toBeNull();
  expect(of(pgd, 'k-wta', 'relu', 'step', 'step')!.measured).toBe(
    'In this network 1 of 4 activation layers are k-wta and 2 of 4 activation layers are step.',
  );
  expect([of(attackPlan('nes'), 'step'), of(attackPlan('square'), 'step')]).toEqual([null, null]);
});

describe('restarts', () => {
  const robust = (...standing: number[]) => standing.map((count) => Int32Array.of(99, count));
  const of = (plan: AttackPlan, counts: Int32Array[]) => restarts(suspect({ plan, robust: counts, samples: 100 }));

  it('are too few where the last one still took two images, at one ε', () => {
    const plan = attackPlan('pgd', { restarts: 3 });
    const long = (...standing: number[]) => standing.map((count) => Int32Array.of(99, 60, count));
    expect(of(plan, long(50, 40, 38))!.measured).toContain('fooled 2 of 100');
    expect(of(plan, robust(50, 40, 39))).toBeNull();
    expect(of(plan, robust(50, 40, 38))!.measured).toBe('The last of 3 restarts of PGD fooled 2 of 100 images more.');
    expect(of(attackPlan('pgd', { restarts: 1 }), robust(50))).toBeNull();
    expect(of(attackPlan('pgd', { restarts: 2 }), robust(50, 30))!.measured).toContain('last of 2 restarts');
    expect(of(attackPlan('apgd-t', { targets: 3 }), robust(50, 40, 30))).toBeNull();
    // The first run of one attack after that of another.
    expect(of(attackPlan('autoattack', { suite: 'rand' }), robust(50, 40))).toBeNull();
  });

  it('of a curve are compared at one ε', () => {
    const plan = attackPlan('pgd', { epsilon: 0.1, epsilons: [0.1, 0.2], restarts: 2 });
    expect(of(plan, robust(50, 49, 20, 10))!.measured).toContain('fooled 10 of 100');
    expect(of(plan, robust(50, 49, 20, 20))).toBeNull();
  });
});

describe('steps', () => {
  /** Of an attack of ten steps. */
  const counts = (...last: number[]) => Int32Array.from([...new Array<number>(11 - last.length).fill(90), ...last]);
  const of = (plan: AttackPlan, robust: Int32Array[]) => steps(suspect({ plan, robust, samples: 100 }));
  const plan = attackPlan('pgd', { steps: 10, restarts: 2 });

  it('are too few where the last fifth of the first run still took two images', () => {
    expect(of(plan, [counts(80, 80, 79), counts(70, 60, 50)])).toBeNull();
    expect(of(plan, [counts(50, 80, 79, 78), counts()])!.measured).toBe(
      'The last fifth of the 10 steps of PGD fooled 2 of 100 images more.',
    );
    expect(of(plan, [])).toBeNull();
  });

  it('are not looked at of queries, of very short runs, of what looks for the nearest, and of floors', () => {
    const falling = Int32Array.from({ length: 11 }, (_, point) => 90 - 5 * point);
    expect(of(attackPlan('square', { queries: 10 }), [falling])).toBeNull();
    expect(of(attackPlan('deepfool', { steps: 10 }), [falling])).toBeNull();
    expect(of(attackPlan('noise', { draws: 10 }), [falling])).toBeNull();
    expect(of(attackPlan('pgd', { steps: 3, restarts: 1 }), [Int32Array.of(90, 80, 70, 60)])).toBeNull();
    expect(of(attackPlan('pgd', { steps: 4, restarts: 1 }), [Int32Array.of(90, 80, 70, 60, 50)])).not.toBeNull();
  });
});

describe('an ε', () => {
  const grey = [
    [0.4, 0.6],
    [0, 1],
    [0.45, 0.55],
    [0.1, 0.9],
    [0.5, 0.5],
  ];
  const of = (epsilon: number, std: readonly number[] | null = null, more: object = {}) =>
    epsilonScale(suspect({ plan: attackPlan('pgd', { epsilon, ...more }), values: grey, std }));

  it('is too large beyond the median image’s standard deviation', () => {
    expect(of(0.09)).toBeNull();
    expect(of(0.11)!.measured).toBe(
      'ε is 0.110; the values of half of the images have a standard deviation below 0.100.',
    );
    expect(of(0.11, null, { norm: 'l2' })).toBeNull();
    expect(
      epsilonScale(suspect({ plan: attackPlan('pgd', { epsilon: 0.11 }), values: grey, bounds: null })),
    ).toBeNull();
  });

  it('is one of normalised values where only its product with a channel’s deviation is a whole number of levels', () => {
    expect(of(4 / 255 / 0.247, [0.3, 0.247])!.next).toBe('Set epsilon: 4/255.');
    expect(of(4 / 255 / 0.247 / 1.001, [0.247])!.measured).toBe(
      "ε is 16.18/255, and 4/255 divided by a channel's standard deviation.",
    );
    expect(of(8 / 255 / 0.41, [0.41])!.next).toBe('Set epsilon: 8/255.');
    expect(of(3.3 / 255, [0.99 / 3.3])!.next).toBe('Set epsilon: 1/255.');
    expect(of(3.3 / 255, [0.97 / 3.3])).toBeNull();
    expect(of(3.3 / 255, [1 / 3.3])!.next).toBe('Set epsilon: 1/255.');
    // A whole number of levels or of thousandths is nobody's accident; nor is what comes to none.
    expect([of(8 / 255, [0.25]), of(0.031, [4 / (255 * 0.031)]), of(3.3 / 255, [0.001]), of(3.3 / 255)]).toEqual([
      ...[null, null, null, null],
    ]);
  });
});

describe('gradients', () => {
  const of = (gradients: number[][], more: Made = {}) => {
    const differentiate = () => ({ gradient: tf.tensor2d(gradients) });
    return zeroGradients(suspect({ values: gradients.map(() => [0, 0]), target: { differentiate }, ...more }));
  };

  it('that are 0 or not finite are counted apart, of images that are right', () => {
    expect(
      of([
        [0, 0],
        [1, 0],
        [0, 1],
      ]),
    ).toBeNull();
    expect(
      of([
        [0, 0],
        [0, 0],
        [1, 0],
      ])!.measured,
    ).toBe('The gradient of margin is 0 at 2 of 3 images.');
    expect(
      of([
        [NaN, 0],
        [1, Infinity],
        [0, 0],
      ])!.measured,
    ).toBe('The gradient of margin is 0 at 1 and not finite at 2 of 3 images.');
    expect(
      of([
        [NaN, 0],
        [NaN, 1],
      ])!.measured,
    ).toBe('The gradient of margin is not finite at 2 of 2 images.');
    expect(
      of(
        [
          [0, 0],
          [0, 0],
          [1, 0],
        ],
        { outcomes: Uint8Array.of(0, 2, 1) },
      ),
    ).toBeNull();
  });

  it('of either kind are named where there is one', () => {
    expect(
      of([
        [NaN, 0],
        [0, 0],
      ])!.measured,
    ).toContain('0 at 1 and not finite at 1 of 2');
  });

  it('of cross-entropy are to be taken of the margin, of others not at all', () => {
    const zero = [
      [0, 0],
      [0, 0],
    ];
    expect(of(zero, { plan: attackPlan('apgd-ce') })!.next).toContain('margin');
    expect(of(zero)!.next).toContain('answers only');
    expect(of(zero, { plan: attackPlan('square') })).toBeNull();
  });
});

describe('another attack', () => {
  const pgd = (epsilon: number, more: object = {}) => attackPlan('pgd', { epsilon, ...more }) as AttackPlan;
  type Check = (of: Suspect) => { readonly measured: string } | null;

  /** What a check says of two images before the linear network. */
  function found(check: Check, more: Partial<Suspect>, options: LinearTrialOptions = {}): string | null {
    const base = suspect({});
    return withLinearTrial(({ trial }) => {
      const known = { target: trial.target, images: trial.clean, labels: trial.labels, bounds: trial.bounds };
      return check({ ...base, ...known, outcomes: Uint8Array.of(2, 2), samples: 2, ...more })?.measured ?? null;
    }, options);
  }

  it('fools those that fall to it and were right as they are', () => {
    const base = suspect({});
    withLinearTrial(
      ({ trial }) => {
        const of = (epsilon: number, labels: number[]) =>
          fooledBy(
            {
              ...{ ...base, plan: pgd(epsilon) },
              ...{ target: trial.target, images: trial.clean, labels: Int32Array.from(labels), bounds: null },
            },
            'fgsm',
            {},
          );
        const far = samples.map((x0) => farTo(2, 'linf', x0));
        expect(far[0]).toBeLessThan(far[1]!);
        const between = (far[0]! + far[1]!) / 2;
        expect([of(0.9 * far[0]!, [0, 0]), of(between, [0, 0]), of(1.1 * far[1]!, [0, 0])]).toEqual([
          [false, false],
          [true, false],
          [true, true],
        ]);
        expect(of(1.1 * far[1]!, [0, 2])).toEqual([true, false]);
      },
      { bounds: null },
    );
  });

  it('of one step beats what took many: where it does, and where that saw a gradient', () => {
    const strong = { plan: pgd(1) };
    expect(found(singleStep, strong)).toBe('FGSM fools 2 of 2 images that stood.');
    expect(found(singleStep, { ...strong, outcomes: Uint8Array.of(1, 2) })).toBeNull();
    expect(found(singleStep, { plan: pgd(0.01) })).toBeNull();
    for (const attack of ['fgsm', 'noise', 'nes', 'square', 'transfer'] as const)
      expect(found(singleStep, { plan: attackPlan(attack, { epsilon: 1 }) as AttackPlan })).toBeNull();
  });

  it('by answers alone beats gradients: with squares on pictures, with noise on tables', () => {
    expect(found(blackBox, { plan: pgd(1) })).toBe('Square, with 100 queries, fools 2 of 2 images that stood.');
    expect(found(blackBox, { plan: pgd(1), outcomes: Uint8Array.of(2, 1) })).toBeNull();
    expect(found(blackBox, { plan: pgd(1), outcomes: Uint8Array.of(1, 1) })).toBeNull();
    expect(found(blackBox, { plan: pgd(0.001) })).toBeNull();
    for (const attack of ['square', 'noise', 'transfer'] as const)
      expect(found(blackBox, { plan: attackPlan(attack, { epsilon: 1 }) as AttackPlan })).toBeNull();
    const asTable = (of: Suspect) => {
      const { target } = of;
      const table = {
        nClasses: 3,
        shape: [4],
        logits: (x: tf.Tensor) => withoutTrace(() => target.logits(tf.reshape(x, [-1, 2, 2, 1]))),
      };
      const [flat, nLooks] = [tf.reshape(of.images, [2, 4]), target.passes.forward];
      const flag = blackBox({ ...of, images: flat, target: table as unknown as Suspect['target'] });
      flat.dispose();
      expect(target.passes.forward - nLooks).toBeGreaterThan(2);
      return flag;
    };
    expect(found(asTable, { plan: pgd(1) })).toBe('Noise, of 100 draws, fools 2 of 2 images that stood.');
  });

  it('without a bound fells all, unless it finds no way', () => {
    expect(found(unbounded, { plan: pgd(0.01) })).toBeNull();
    expect(found(unbounded, { plan: attackPlan('noise') as AttackPlan }, { isFlat: true })).toBeNull();
    expect(found(unbounded, { plan: pgd(0.01, { loss: 'cross-entropy' }) }, { isFlat: true })).toBe(
      'With ε = 1, where every image is allowed, 2 of 2 images stand against cross-entropy.',
    );
    expect(found(unbounded, { plan: attackPlan('square', { norm: 'l2' }) as AttackPlan }, { isFlat: true })).toBe(
      'With ε as long as any image, where every image is allowed, 2 of 2 images stand against margin.',
    );
    expect(found(unbounded, { plan: pgd(0.01), outcomes: Uint8Array.of(0, 2) }, { isFlat: true })).toBeNull();
  });
});

describe('an attack without a bound', () => {
  /** A network whose gradient is 1 everywhere, and that is wrong about all but the first `standing` images from the first step on. */
  function attacked(n: number, standing: number, more: Made = {}) {
    const looks: number[][] = [];
    let nClean = 0;
    const answer = (x: tf.Tensor) => {
      looks.push([...x.dataSync()]);
      const rows = x.shape[0]!;
      const isClean = nClean++ === 0;
      return Float32Array.from({ length: 2 * rows }, (_, i) => {
        const isRight = isClean || rows <= standing || Math.floor(i / 2) < standing;
        return (i % 2 === 0) === isRight ? 1 : 0;
      });
    };
    const differentiate = (x: tf.Tensor) => ({ gradient: tf.onesLike(x), logits: answer(x) });
    const values = Array.from({ length: n }, () => [0.5, 0.5, 0.5, 0.5]);
    const flag = unbounded(suspect({ values, target: { logits: answer, differentiate }, ...more }));
    return { flag, looks };
  }

  it('is doubtful where a tenth stands, and two at least', () => {
    expect(attacked(20, 2).flag!.measured).toContain('2 of 20 images stand');
    expect(attacked(21, 2).flag).toBeNull();
    expect(attacked(4, 1).flag).toBeNull();
    expect(attacked(4, 4, { outcomes: Uint8Array.of(0, 1, 2, 2) }).flag!.measured).toContain('of 3 images stand');
  });

  it.each([
    ['linf', null, 10],
    ['linf', [-1, 2], 3],
    ['l2', null, 20],
    ['l2', [-1, 2], 6],
  ] as const)(
    'under %s within %o is PGD-20 with one start at ε = %d, in steps of an eighth',
    (norm, bounds, epsilon) => {
      const { looks } = attacked(8, 8, { plan: attackPlan('pgd', { norm }), bounds });
      expect(looks).toHaveLength(1 + 20 + 1);
      const offsets = looks.map((look) => look.map((value) => value - 0.5));
      const largest = Math.max(...offsets.flat().map(Math.abs));
      const reach = bounds ? 1.5 : norm === 'linf' ? epsilon : epsilon / 2;
      expect(largest).toBeLessThanOrEqual((norm === 'linf' || bounds ? reach : epsilon) + 1e-5);
      expect(largest).toBeGreaterThan(0.95 * reach);
      const step = epsilon / 8 / (norm === 'linf' ? 1 : 2);
      const steps = offsets[3]!.map((value, i) => value - offsets[2]![i]!);
      expect(Math.max(...steps)).toBeLessThanOrEqual(step + 1e-5);
      expect(Math.max(...steps)).toBeGreaterThan(0.9 * step);
    },
  );
});

it('a step that puts images right tells the label', () => {
  const of = (...right: number[]) => {
    let pass = 0;
    const answers = [right[0]!, right[1]!];
    const logits = () => {
      const n = answers[pass++]!;
      return Float32Array.from({ length: 8 }, (_, i) => (i % 2 === (Math.floor(i / 2) < n ? 0 : 1) ? 1 : 0));
    };
    const differentiate = (x: tf.Tensor) => ({ gradient: tf.onesLike(x) });
    return labelLeak(suspect({ values: [[0], [0], [0], [0]], target: { logits, differentiate } }));
  };
  expect([of(2, 2), of(2, 3), of(4, 1)]).toEqual([null, null, null]);
  expect(of(1, 3)!.measured).toBe('Under FGSM the network is right about 3 of 4 images, more than the 1 as they are.');
});

describe('a loss', () => {
  const of = (pairs: readonly (readonly [number[], number[]])[], more: Made = {}) => {
    const looks: number[][] = [];
    const differentiate = (x: tf.Tensor) => {
      looks.push([...x.dataSync()]);
      return { gradient: tf.tensor2d(pairs.map((pair) => pair[looks.length - 1]!)) };
    };
    const values = pairs.map(() => [0.5, 0.5, 0.5, 0.5]);
    return { flag: roughness(suspect({ values, target: { differentiate }, ...more })), looks };
  };
  const along = (cosine: number): [number[], number[]] => [
    [3, 0, 0, 0],
    [5 * cosine, 5 * Math.sqrt(1 - cosine ** 2), 0, 0],
  ];

  it('is rough where the median cosine of gradients nearby is below one half', () => {
    expect(of([along(0.6), along(0.51), along(-1)]).flag).toBeNull();
    expect(of([along(0.6), along(0.49), along(-1)]).flag!.measured).toBe(
      'Gradients ε/32 apart have a cosine of 0.49 (median of 3 images).',
    );
    expect(of([along(0.6), along(0.2), along(-1), along(1)]).flag).toBeNull();
  });

  it('is looked at where images were right and there is a gradient', () => {
    const none = [0, 0, 0, 0];
    const pairs = [along(0.1), along(0.2), [none, [1, 0, 0, 0]], [[1, 0, 0, 0], none]] as [number[], number[]][];
    const { flag } = of(pairs, { outcomes: Uint8Array.of(0, 1, 2, 2) });
    expect(flag!.measured).toContain('0.20 (median of 1 images)');
    expect(of([[none, none]]).flag).toBeNull();
    expect(
      of([
        [
          [0.1, 0, 0, 0],
          [0, 0.1, 0, 0],
        ],
      ]).flag!.measured,
    ).toContain('0.00 (median of 1 images)');
  });

  it('is looked at ε/32 away under L∞, and as far by each value under L2 as makes that length at most', () => {
    for (const [norm, most] of [
      ['linf', 0.32 / 32],
      ['l2', 0.16 / 32],
    ] as const) {
      const { looks } = of(
        Array.from({ length: 20 }, () => along(1)),
        { plan: attackPlan('pgd', { norm, epsilon: 0.32 }) },
      );
      const offsets = looks[1]!.map((value, i) => Math.abs(value - looks[0]![i]!));
      expect(Math.max(...offsets)).toBeLessThanOrEqual(most + 1e-7);
      expect(Math.max(...offsets)).toBeGreaterThan(0.9 * most);
    }
  });
});

it('images of the very network are no transfer', () => {
  expect(ownSurrogate(suspect({}))).toBeNull();
  expect(ownSurrogate(suspect({ isOwnSurrogate: true }))!.flag).toBe('own-surrogate');
});
