import { describe, expect, test } from 'vitest';
import { outcomeOf, type RunOutcome } from '../../../server/protocol/outcomes.ts';
import { completeEvaluation } from '../../../server/protocol/evaluationPlan.ts';
import type { EvaluationPlan } from '../../../server/protocol/plan.ts';
import type { RunRecord } from '../../../server/protocol/records.ts';
import { applyRow, emptySnapshot } from '../../../server/protocol/snapshot.ts';
import { groupRuns } from '../../../webview/compare/compareTable.ts';
import { defaultCompareView, groupingOf, type CompareView } from '../../../webview/compare/compareView.ts';
import { attackCards, shiftCards, shiftLooks } from '../../../webview/compare/outcomeCards.ts';
import type { Palette } from '../../../webview/theme/palette.ts';
import { attackPlan } from '../../attack/plans.ts';
import { comparedRuns } from '../gallery/compareData.ts';
import { makePlan, makeSummary } from '../gallery/runData.ts';

const runs = comparedRuns('plain').slice(0, 3);
const [first, second, third] = runs.map(({ run }) => run.id) as [string, string, string];

interface Attacked {
  readonly plan: EvaluationPlan;
  /** By stage, of 100 images. */
  readonly robust?: readonly (readonly number[])[];
  readonly distances?: readonly number[];
  readonly step?: number;
}

function outcome(runId: string, attacks: readonly Attacked[], shifts: readonly number[] = []): RunOutcome {
  const snapshot = emptySnapshot(makeSummary({ steps: 1, status: 'finished' }), makePlan('relu'));
  const push = (record: RunRecord): void => {
    applyRow(snapshot, { seq: snapshot.cursor + 1, timeMs: 0, record });
  };
  for (const [index, { plan, robust = [[90]], distances, step = 9 }] of attacks.entries()) {
    const evaluation = index + 1;
    push({ type: 'evaluationStarted', evaluation, plan, step, samples: 100 });
    for (const [restart, counts] of robust.entries())
      push({
        ...({ type: 'attackProgress', evaluation, restart, samples: 100, clean: 90 } as const),
        ...{ robust: Int32Array.from(counts), ...(distances && { distances: Float32Array.from(distances) }) },
      });
  }
  const outputs = { low: 0, high: 1, clean: new Uint8Array(2), attacked: new Uint8Array(2) };
  if (shifts.length > 0)
    push({
      ...({ type: 'responses', step: 9, samples: 32, attack: 'PGD-10 8/255' } as const),
      layers: shifts.map((relative, index) => ({
        ...{ layer: `${runId === third ? 'kaf' : 'relu'}${String(index + 1)}`, relative, outputs },
        ...{ l2: 10 * relative, ks: relative / 2, thesis: relative ** 2 },
      })),
    });
  return outcomeOf(runId, snapshot);
}

function options(outcomes: readonly RunOutcome[], change: Partial<CompareView> = {}) {
  const view = { ...defaultCompareView, ...change };
  return {
    ...{ view, rows: groupRuns(runs, groupingOf(view)), outcomes: new Map(outcomes.map((one) => [one.runId, one])) },
    ...{ colorOf: (key: string) => `color of ${key}`, palette: { attacked: 'red', good: 'green' } as Palette },
  };
}

const pgd = attackPlan('pgd', { steps: 2, restarts: 2, samples: 100 });
const byEpsilon = attackPlan('pgd', { steps: 1, restarts: 1, epsilons: [4 / 255, 8 / 255] });

describe('attacks of several runs', () => {
  test('have a card an attack, the one of most runs first, and a curve a run by the steps of the last restart', () => {
    const cards = attackCards(
      options([
        outcome(first, [
          { plan: byEpsilon, robust: [[60], [40]] },
          {
            plan: pgd,
            robust: [
              [80, 60, 50],
              [50, 45, 40],
            ],
          },
        ]),
        outcome(second, [
          {
            plan: { ...pgd, batchSize: 7 },
            robust: [
              [80, 70, 60],
              [60, 55, 52],
            ],
          },
        ]),
      ]),
    );
    expect(cards.map(({ name, subtitle }) => [name, subtitle])).toEqual([
      ['PGD-2-2 8/255', 'by step · 100 images · 2 not at the end'],
      ['PGD-1-1 8/255', 'by ε · 100 images · 1 not at the end'],
    ]);
    const [bySteps, curve] = cards;
    expect(bySteps!.curves.map(({ name, color, x, y }) => [name, color, [...(x as number[])], y])).toEqual([
      ['vgg-relu · seed 0', `color of ${first}`, [0, 1, 2], [0.5, 0.45, 0.4]],
      ['vgg-relu · seed 1', `color of ${second}`, [0, 1, 2], [0.6, 0.55, 0.52]],
    ]);
    expect(bySteps!.curves[0]!.band).toBeDefined();
    expect(bySteps!.read(null).map(({ text }) => text)).toEqual(['≤ 40.0 %', '≤ 52.0 %']);
    expect(bySteps!.read(1).map(({ text }) => text)).toEqual(['45.0 %', '55.0 %']);
    expect(bySteps!.read(3).map(({ text }) => text)).toEqual(['–', '–']);
    expect(curve!.curves[0]).toMatchObject({ x: [0, 4 / 255, 8 / 255], y: [0.9, 0.6, 0.4], hasDots: true });
    expect([curve!.xTicks, curve!.formatX(8 / 255)]).toEqual([[0, 4 / 255, 8 / 255], '8/255']);
  });

  test('are of the latest weights, and of one name told apart', () => {
    const other = attackPlan('pgd', { steps: 2, restarts: 2, samples: 100, loss: 'dlr' });
    const cards = attackCards(
      options([
        outcome(first, [
          { plan: pgd, robust: [[30, 30, 30]], step: 9 },
          { plan: pgd, robust: [[20, 20, 20]], step: 5 },
          { plan: other, robust: [[10, 10, 10]] },
        ]),
      ]),
    );
    expect(cards.map(({ name, read }) => [name, read(null)[0]!.text])).toEqual([
      ['PGD-2-2 8/255', '≤ 30.0 %'],
      ['PGD-2-2 8/255, variant 2', '≤ 10.0 %'],
    ]);
  });

  test('of a group are its mean with its band, at common distances where each image has its own', () => {
    const cw = attackPlan('cw', { norm: 'l2', epsilon: 0.5, samples: 100 });
    const near = [0, 0.2, 0.4, Infinity];
    const far = [0, 0.4, 1, Infinity];
    const [card] = attackCards(
      options([outcome(first, [{ plan: cw, distances: near }]), outcome(second, [{ plan: cw, distances: far }])], {
        grouping: 'seeds',
      }),
    );
    expect([card!.name, card!.curves.length, card!.curves[0]!.name]).toEqual(['C&W-9-200 L2 0.5', 1, 'vgg-relu (2)']);
    expect(card!.subtitle).toContain('by distance');
    const { x, y, band } = card!.curves[0]!;
    const at = (place: number) => y[Array.from(x).findLastIndex((each) => each <= place + 1e-6)];
    expect(x.length).toBe(101);
    expect([at(0), at(0.19), at(0.21), at(0.41), at(1)]).toEqual([0.75, 0.75, 0.625, 0.375, 0.25]);
    expect(band).toBeDefined();
    expect(card!.read(null)[0]!.text).toBe('≤ 37.5 ± 17.7 %');
  });

  test('are at most what is told while no stronger attack has run to its end, and at least of a certificate', () => {
    const strong = attackPlan('autoattack', { samples: 100 });
    const sure = outcome(first, [{ plan: pgd, robust: [[30, 30, 30]] }, { plan: strong }]);
    const [proportion] = [{ value: 0.2, low: 0.1, high: 0.3 }];
    const ended = sure.evaluations.map((view, index) => ({
      ...view,
      finished:
        index === 0
          ? null
          : ({
              ...({ type: 'evaluationFinished', evaluation: 2, samples: 100, isPartial: false } as const),
              ...{ clean: proportion, robust: proportion },
            } as const),
    }));
    const certificate = completeEvaluation('ibp', {}, { trainedEpsilon: 0.1, testSamples: 4 });
    const cards = attackCards(
      options([
        { ...sure, evaluations: ended },
        outcome(second, [
          { plan: pgd, robust: [[40, 40, 40]] },
          { plan: certificate, distances: [0, 1, 1, 1] },
        ]),
      ]),
    );
    expect(cards.map(({ name, subtitle, read }) => [name, subtitle, read(null).map(({ text }) => text)])).toEqual([
      ['PGD-2-2 8/255', 'by step · 100 images · 2 not at the end', ['30.0 %', '≤ 40.0 %']],
      ['AutoAttack standard 8/255', 'runs one after another · 100 images', ['20.0 %']],
      [
        expect.stringMatching(/^IBP|interval/i),
        'certified · by distance · 100 images · 1 not at the end',
        ['≥ 75.0 %'],
      ],
    ]);
  });

  test('on averaged weights are apart from those on the trained ones', () => {
    const one = outcome(first, [{ plan: pgd, robust: [[30, 30, 30]] }]);
    const averaged = one.evaluations.map((view) => ({
      ...view,
      started: { ...view.started, weights: 'average' } as const,
    }));
    const cards = attackCards(options([one, { ...one, runId: second, evaluations: averaged }]));
    expect(cards.map(({ name }) => name)).toEqual(['PGD-2-2 8/255', 'PGD-2-2 8/255 averaged']);
  });

  test('of twenty runs have the distances of ten thousand images each', () => {
    const cw = attackPlan('cw', { norm: 'l2', epsilon: 0.5, samples: 10_000 });
    const many = Array.from({ length: 20 }, (_, index) => `run-${String(index)}`);
    const distances = Array.from({ length: 10_000 }, (_, image) => (image % 100) / 100);
    const shared = outcome(first, [{ plan: cw, distances }]);
    const [card] = attackCards(
      options([shared, ...many.map((runId) => ({ ...shared, runId }))], { grouping: 'seeds' }),
    );
    expect(Array.from(card!.curves[0]!.x).at(-1)).toBeCloseTo(0.99, 6);
  });

  test.each([
    [4, 4],
    [5, 0],
  ])('of %d runs bear %d bands', (count, nBands) => {
    const some = comparedRuns('plain').slice(0, count);
    const outcomes = some.map(({ run }) => outcome(run.id, [{ plan: pgd, robust: [[9, 8, 7]] }]));
    const [card] = attackCards({ ...options(outcomes), rows: groupRuns(some, 'run') });
    expect(card!.curves.filter(({ band }) => band)).toHaveLength(nBands);
  });
});

describe('shifts of several runs', () => {
  test('have a card a measure, by layers that are called alike or by their place', () => {
    const cards = shiftCards(
      options([outcome(first, [], [0.1, 0.2]), outcome(second, [], [0.3]), outcome(third, [], [0.5, 0.6, 0.7])]),
    );
    expect(cards.map(({ name, yScale }) => [name, yScale])).toEqual([
      ['relative shift', 'linear'],
      ['L2 shift', 'log'],
      ['KS shift', 'linear'],
      ['thesis shift', 'log'],
    ]);
    const [relative, l2] = cards;
    expect(relative!.xTicks!.map(relative!.formatX)).toEqual(['layer 1', 'layer 2', 'kaf3']);
    expect(relative!.curves.map(({ x, y }) => [x, y])).toEqual([
      [
        [0, 1],
        [0.1, 0.2],
      ],
      [[0], [0.3]],
      [
        [0, 1, 2],
        [0.5, 0.6, 0.7],
      ],
    ]);
    expect(l2!.read(null).map(({ text }) => text)).toEqual(['2.00', '3.00', '7.00']);
    expect(l2!.read(0).map(({ text }) => text)).toEqual(['1.00', '3.00', '5.00']);
  });

  test('of a group are those of the layers that all of it have', () => {
    const [relative] = shiftCards(
      options([outcome(first, [], [0.1, 0.2]), outcome(second, [], [0.3])], { grouping: 'seeds' }),
    );
    expect(relative!.curves).toHaveLength(1);
    expect(relative!.curves[0]).toMatchObject({ name: 'vgg-relu (2)', x: [0], y: [0.2] });
  });

  test('say how they were looked at, each way once, and none where there is none', () => {
    const shifted = outcome(first, [], [0.1]);
    const other = { ...shifted, shift: { ...shifted.shift!, samples: 64, weights: 'average' as const } };
    expect(shiftLooks([shifted, shifted, undefined, other])).toEqual([
      '32 test images, PGD-10 8/255',
      '64 test images, PGD-10 8/255, averaged weights',
    ]);
    expect(shiftCards(options([outcome(first, [])]))).toEqual([]);
    expect(attackCards(options([outcome(first, [])]))).toEqual([]);
  });
});
