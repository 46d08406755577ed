// What the loop makes of what its watch tells: every look is scripted here, so that each way out is taken.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Plan, WatchPlan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { CollapseWatch } from '../../server/trainer/collapseWatch.ts';
import type { TrainingState } from '../../server/trainer/trainingState.ts';
import { collect, openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

/** s(ound), d(own: neither), c(ollapsed), a look a step. */
let script = '';

beforeAll(openCpu);
beforeEach(() => {
  vi.spyOn(CollapseWatch.prototype, 'look').mockImplementation(function (this: CollapseWatch, step) {
    const found = script[step - 1]!;
    const hasCollapsed = found === 'c';
    this.memory = { ...this.memory, isCollapsed: hasCollapsed };
    const record = { type: 'watch', step, samples: 4, of: 'training', fgsm: 0.754, pgd: 0.004, cosine: 1 } as const;
    return Promise.resolve({ record, hasCollapsed, isSound: found === 's' });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function planOf(onCollapse: WatchPlan['onCollapse']): Plan {
  const watch = { everySteps: 1, samples: 4, steps: 10, gap: 0.2, onCollapse, factor: 0.25 } as const;
  const observe = { ...shallowPlan.observe, normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0 };
  const schedule = { type: 'constant', learningRate: 0.1 } as const;
  return { ...shallowPlan, training: { ...shallowPlan.training, schedule, checkpointEveryEpochs: 9, watch }, observe };
}

async function run(plan: Plan, looks: string, from: TrainingState | null = null) {
  script = looks;
  const { events, records, states } = await collect(plan, tinyDataset(), { from });
  const told = events.slice(1).map((event) => {
    if (event.type === 'checkpoint') return `checkpoint ${event.state.step}`;
    return `${event.record.type} ${'step' in event.record ? event.record.step : ''}`;
  });
  const collapses = records.filter((one): one is Extract<RunRecord, { type: 'collapsed' }> => one.type === 'collapsed');
  const rates = records.flatMap((one) => (one.type === 'step' ? [one.learningRate] : []));
  return { told, collapses, rates, state: states.at(-1)! };
}

/** Without what the watch remembers. */
const weightsOf = ({ tensors }: TrainingState) =>
  new Map([...tensors].filter(([name]) => name.startsWith('model/') || name.startsWith('optimizer/')));

const begun = ['step 1', 'watch 1', 'step 2', 'watch 2'];
const whole = [...begun, 'step 3', 'watch 3', 'step 4', 'watch 4'];
const found = '75 % withstand one step, 0 % withstand 10.';

describe('where its watch tells a collapse, training', () => {
  it('says so and goes on', async () => {
    const { told, collapses, rates } = await run(planOf('tell'), 'scss');
    expect(told).toEqual([...begun, 'collapsed 2', ...whole.slice(4), 'checkpoint 4']);
    expect(collapses).toEqual([{ type: 'collapsed', step: 2, action: 'tell', to: null, message: found }]);
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.1]);
  });

  it('stops with a state of the step at hand, and says so last', async () => {
    const { told, collapses } = await run(planOf('stop'), 'scss');
    expect(told).toEqual([...begun, 'checkpoint 2', 'collapsed 2']);
    const message = `${found} Training was stopped.`;
    expect(collapses).toEqual([{ type: 'collapsed', step: 2, action: 'stop', to: null, message }]);
  });

  it('stops where there is nothing to go back to', async () => {
    const { told, collapses } = await run(planOf('roll-back'), 'dcss');
    expect(told).toEqual([...begun, 'checkpoint 2', 'collapsed 2']);
    expect(collapses[0]).toMatchObject({ action: 'stop', to: null });
  });

  it('goes back to the newest sound look, with a smaller rate each time', async () => {
    const { told, collapses, rates, state } = await run(planOf('roll-back'), 'sdcc');
    expect(told).toEqual([...whole.slice(0, 6), 'collapsed 3', ...whole.slice(6), 'collapsed 4', 'checkpoint 4']);
    const message = (rate: number) =>
      `${found} Training goes on from the weights of step 1, its learning rate times ${rate}.`;
    expect(collapses).toEqual([
      { type: 'collapsed', step: 3, action: 'roll-back', to: 1, message: message(0.25) },
      { type: 'collapsed', step: 4, action: 'roll-back', to: 1, message: message(0.25) },
    ]);
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.025]);
    const { tensors } = state;
    expect([...tensors.get('watch/memory')!.values]).toEqual([0, 0, 0.0625, 1]);
    const controller = new AbortController();
    const first = await collect(planOf('roll-back'), tinyDataset(), {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step') controller.abort();
      },
    });
    expect(weightsOf(state)).toEqual(weightsOf(first.states.at(-1)!));
    expect(weightsOf(state).size).toBeGreaterThan(3);
  });

  it('holds no weights to go back to where it never does', async () => {
    for (const onCollapse of ['tell', 'stop'] as const) {
      const { state } = await run(planOf(onCollapse), 'ssss');
      expect([...state.tensors.keys()].filter((name) => name.startsWith('watch/'))).toEqual(['watch/memory']);
    }
  });
});
