// When APGD halves its steps, and that Square keeps only what helps.
import { beforeAll, describe, expect, it } from 'vitest';
import { checkpointsOf, halveWhereStuck } from '../../server/attack/apgd.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { run } from './runAttack.ts';

beforeAll(openCpu);

describe('APGD', () => {
  it('checks at the steps of the public code: of 100 at 22, 41, 57, 70, 80, 87, 93 and 99', () => {
    expect([...checkpointsOf(100)]).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
  });

  it.each([
    // rises of 8 steps, halved at the last check, best loss now and then, and whether it halves
    ['rises often, and better than before', 7, 0, 2, 1, false],
    ['rises in three quarters of the steps', 6, 0, 2, 1, true],
    ['rises often, but its best stands since a check that halved nothing', 7, 0, 1, 1, true],
    ['its best stands, but the last check has halved', 7, 1, 1, 1, false],
  ])('%s', (_, increases, wasHalved, bestLoss, checkedLoss, isHalved) => {
    const one = (value: number) => Float32Array.of(value);
    const state = {
      ...{ clean: one(0), x: one(0.5), previous: one(0.4), gradient: one(1), best: one(0.75), bestGradient: one(-1) },
      ...{ loss: one(bestLoss), bestLoss: one(bestLoss), eta: one(0.25), increases: one(increases) },
      ...{ checkedLoss: one(checkedLoss), wasHalved: one(wasHalved) },
    };
    halveWhereStuck(state, 8);
    expect([state.eta[0], state.x[0], state.gradient[0]]).toEqual(isHalved ? [0.125, 0.75, -1] : [0.25, 0.5, 1]);
    expect([state.increases[0], state.checkedLoss[0], state.wasHalved[0]]).toEqual([0, bestLoss, isHalved ? 1 : 0]);
  });
});

describe('Square', () => {
  it.each([
    ['linf', 0.03],
    ['l2', 0.2],
  ] as const)('under %s comes near what the gradient finds: what does not help is not kept', async (norm, epsilon) => {
    const size = { norm, epsilon, samples: 17, batchSize: 17 };
    const byGradient = (await run(attackPlan('apgd-t', { ...size, targets: 4 }))).counts.robust;
    const bySquares = (await run(attackPlan('square', { ...size, queries: 1500 }))).counts.robust;
    expect(bySquares).toBeGreaterThanOrEqual(byGradient);
    expect(bySquares).toBeLessThanOrEqual(byGradient + 3);
  });
});
