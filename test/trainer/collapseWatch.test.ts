import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Plan, WatchPlan } from '../../server/protocol/plan.ts';
import type { CollapsedRecord, RunRecord, StepRecord, WatchRecord } from '../../server/protocol/records.ts';
import { isCollapse } from '../../server/trainer/collapseWatch.ts';
import { hasResult, readResults } from '../bench/resultLines.ts';
import type { Worth } from '../bench/trainAndAttack.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();
/** Of test/bench/kafDefaults.ts. */
const defaultsFile = path.join(import.meta.dirname, '../bench/results/kafDefaults.jsonl');
/** A gap that any difference exceeds: what is left is whether PGD falls below half of its best. */
const anyGap: WatchPlan = { everySteps: 1, samples: 4, steps: 2, gap: -1, onCollapse: 'tell', factor: 0.5 };

/** Steps so large that the network forgets what it withstood. */
function planOf(watch: Partial<WatchPlan>, epochs = 4): Plan {
  return {
    ...tinyPlan,
    seed: 3,
    training: {
      ...tinyPlan.training,
      epochs,
      schedule: { type: 'constant', learningRate: 0.1 },
      watch: { ...anyGap, ...watch },
    },
    observe: { ...tinyPlan.observe, normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0 },
  };
}

function ofType<T extends RunRecord['type']>(records: readonly RunRecord[], type: T) {
  return records.filter((record): record is Extract<RunRecord, { type: T }> => record.type === type);
}

describe('isCollapse', () => {
  it('needs both: one step withstood more often than many by the gap, and at most half as many as at best', () => {
    expect(isCollapse({ fgsm: 0.7, pgd: 0.1, best: 0.3, gap: 0.25 })).toBe(true);
    expect(isCollapse({ fgsm: 0.36, pgd: 0.1, best: 0.3, gap: 0.25 })).toBe(true);
    expect(isCollapse({ fgsm: 0.34, pgd: 0.1, best: 0.3, gap: 0.25 })).toBe(false);
    expect(isCollapse({ fgsm: 0.7, pgd: 0.15, best: 0.3, gap: 0.25 })).toBe(true);
    expect(isCollapse({ fgsm: 0.7, pgd: 0.2, best: 0.3, gap: 0.25 })).toBe(false);
    expect(isCollapse({ fgsm: 0.5, pgd: 0.25, best: 0.5, gap: 0.25 })).toBe(true);
    expect(isCollapse({ fgsm: 0.375, pgd: 0.125, best: 0.25, gap: 0.25 })).toBe(true);
  });
});

describe('isCollapse by the default gap', () => {
  /** The steps at which it tells, as the watch goes through looks. */
  const told = (looks: readonly Pick<WatchRecord, 'step' | 'fgsm' | 'pgd'>[], gap = 0.1): number[] => {
    let best = 0;
    return looks.flatMap(({ step, fgsm, pgd }) => {
      const isTold = isCollapse({ fgsm, pgd, best, gap });
      best = Math.max(best, pgd);
      return isTold ? [step] : [];
    });
  };

  it('is silent over sound runs on CIFAR-10, one of which opens a gap before it withstands anything', () => {
    const runs = readResults<Worth & Readonly<Record<'activation' | 'initializer' | 'seed', unknown>>>(defaultsFile);
    const looksOf = (activation: string, initializer: string) =>
      runs.find((run) => hasResult([run], { activation, initializer, seed: 0 }))!.looks;
    const kaf = 'KAF, α ~ N(0, 0.3²)';
    const sound = [looksOf('swish', 'own'), looksOf(kaf, 'pytorch'), looksOf(kaf, 'own')];
    for (const looks of sound) {
      expect(looks.map(({ step }) => step)).toEqual([50, 100, 150, 200, 250, 300]);
      expect(told(looks)).toEqual([]);
    }
    const [first] = sound.at(-1)!;
    expect(first!.fgsm - first!.pgd).toBeGreaterThan(0.1);
  });

  it('tells a real collapse, whether or not many steps were withstood before', () => {
    // docs/training.md, "A real collapse".
    const steps = [50, 100, 200, 300, 400, 450, 500, 600];
    const [fgsm, pgd] = [
      [9.4, 17.2, 7.8, 4.7, 12.5, 6.3, 10.9, 15.6],
      [9.4, 15.6, 6.3, 4.7, 7.8, 0, 0, 1.6],
    ];
    const looks = steps.map((step, at) => ({ step, fgsm: fgsm![at]! / 100, pgd: pgd![at]! / 100 }));
    expect(told(looks)).toEqual([500, 600]);
    expect(isCollapse({ fgsm: 0.6, pgd: 0, best: 0, gap: 0.1 })).toBe(true);
    expect(isCollapse({ fgsm: 0.31, pgd: 0, best: 0.06, gap: 0.1 })).toBe(true);
    expect(isCollapse({ fgsm: 0.29, pgd: 0, best: 0.06, gap: 0.1 })).toBe(false);
  });
});

describe('the watch over training', () => {
  it('looks every so many steps, and changes nothing of what is trained', async () => {
    const plan = planOf({ everySteps: 3 });
    const { watch: _, ...training } = plan.training;
    const watched = await collect(plan, dataset);
    const alone = await collect({ ...plan, training }, dataset);
    expect(ofType(watched.records, 'watch').map(({ step }) => step)).toEqual([3, 6]);
    expect(ofType(watched.records, 'step')).toEqual(ofType(alone.records, 'step'));
    for (const look of ofType(watched.records, 'watch')) {
      expect(look).toMatchObject({ samples: 4, of: 'training' } satisfies Partial<WatchRecord>);
      expect(look.pgd).toBeLessThanOrEqual(1);
      expect(Math.abs(look.cosine)).toBeLessThanOrEqual(1 + 1e-6);
    }
    const own = alone.states.at(-1)!.tensors;
    const tensors = new Map([...watched.states.at(-1)!.tensors].filter(([name]) => !name.startsWith('watch/')));
    expect(tensors).toEqual(own);
  });

  it('tells a collapse once, and goes on', async () => {
    const { records } = await collect(planOf({}), dataset);
    const collapses = ofType(records, 'collapsed');
    expect(collapses.length).toBeGreaterThan(0);
    expect(collapses[0]).toMatchObject({ action: 'tell', to: null } satisfies Partial<CollapsedRecord>);
    expect(ofType(records, 'step')).toHaveLength(8);
    const looks = ofType(records, 'watch');
    const first = looks.findIndex(({ step }) => step === collapses[0]!.step);
    const best = Math.max(...looks.slice(0, first).map(({ pgd }) => pgd));
    expect(looks[first]!.pgd).toBeLessThanOrEqual(best / 2);
    // As long as it lasts it is not told again.
    for (const { step } of collapses.slice(1)) {
      const before = looks.findIndex((look) => look.step === step) - 1;
      expect(looks[before]!.pgd).toBeGreaterThan(Math.max(...looks.slice(0, before).map(({ pgd }) => pgd)) / 2);
    }
  });

  it('stops by the plan, with a state of the step at hand', async () => {
    const { records, states } = await collect(planOf({ onCollapse: 'stop' }), dataset);
    const last = records.at(-1) as CollapsedRecord;
    expect(last).toMatchObject({ type: 'collapsed', action: 'stop' });
    expect(last.message).toContain('Training was stopped.');
    expect(states.at(-1)!.step).toBe(last.step);
    expect(ofType(records, 'step')).toHaveLength(last.step);
  });

  it('goes back to the weights of the last look without a collapse, with a smaller learning rate, also when resumed', async () => {
    const plan = planOf({ onCollapse: 'roll-back' });
    const whole = await collect(plan, dataset);
    const [collapse] = ofType(whole.records, 'collapsed');
    expect(collapse).toMatchObject({ action: 'roll-back' });
    expect(collapse!.to).toBeLessThan(collapse!.step);
    // Not to a look that was on its way down.
    const looks = ofType(whole.records, 'watch').filter(({ step }) => step < collapse!.step);
    const isSound = looks.map(
      ({ pgd }, index) => pgd > Math.max(...looks.slice(0, index + 1).map((one) => one.pgd)) / 2,
    );
    expect(collapse!.to).toBe(looks[isSound.lastIndexOf(true)]!.step);
    const rates = ofType(whole.records, 'step').map((record: StepRecord) => [record.step, record.learningRate]);
    for (const [step, rate] of rates.slice(0, collapse!.step)) expect([step, rate]).toEqual([step, 0.1]);
    expect(rates[collapse!.step]![1]).toBeCloseTo(0.05, 12);
    for (let stopAfter = 1; stopAfter < 8; stopAfter++) {
      const controller = new AbortController();
      const head = await collect(plan, dataset, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
            controller.abort();
        },
      });
      const state = head.states.at(-1)!;
      expect(state.step).toBe(stopAfter);
      if (stopAfter === collapse!.step) {
        const good = (await collect(planOf({ onCollapse: 'roll-back' }), dataset, stopAt(collapse!.to!))).states.at(
          -1,
        )!;
        for (const [name, tensor] of good.tensors)
          if (!name.startsWith('watch/')) expect(state.tensors.get(name)).toEqual(tensor);
      }
      const tail = await collect(plan, dataset, { from: state });
      expect([...head.records, ...tail.records.slice(1)]).toEqual(whole.records);
      expect(tail.states.at(-1)).toEqual(whole.states.at(-1));
    }
  });
});

function stopAt(step: number): Partial<Parameters<typeof collect>[2]> {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'record' && event.record.type === 'step' && event.record.step === step) controller.abort();
    },
  };
}
