// What transfer owes beside what every attack does: made on the same weights it is PGD; made on others it never sees the gradients
// of the network that it is shown to.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Fooled } from '../../server/attack/trial.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { run } from './runAttack.ts';

beforeAll(openCpu);

const shared = { epsilon: 0.06, steps: 6, restarts: 2, samples: 100, batchSize: 6, seed: 4 } as const;

describe('transfer', () => {
  it.each([
    ['linf', 'margin', 0],
    ['linf', 'cross-entropy', 0.8],
    ['l2', 'margin', 0],
  ] as const)('made on the same weights gives the images of PGD, bit for bit (%s, %s, μ %d)', async (...settings) => {
    const [norm, loss, momentum] = settings;
    const given = { ...shared, norm, loss, momentum, epsilon: norm === 'linf' ? 0.06 : 0.35 };
    const foundBy = async (plan: AttackPlan) => {
      const found: Fooled[] = [];
      const { counts, progress } = await run(plan, { onFooled: (one) => found.push(one), surrogateOffset: 0 });
      return { found, outcomes: counts.outcomes, robust: progress.map(({ robust }) => robust) };
    };
    const own = await foundBy(attackPlan('transfer', { ...given, from: 'itself', judged: 'all' }));
    expect(own.found.length).toBeGreaterThan(0);
    expect(own).toEqual(await foundBy(attackPlan('pgd', given)));
  });

  it('made on another network finds other images than PGD, and fewer', async () => {
    const fooledBy = async (plan: AttackPlan) => {
      const rows: number[] = [];
      await run(plan, { onFooled: ({ row }) => rows.push(row), surrogateOffset: 0.6 });
      return rows.length;
    };
    const given = { ...shared, epsilon: 0.03 };
    const transferred = await fooledBy(attackPlan('transfer', { ...given, from: 'another', judged: 'all' }));
    expect(transferred).toBeGreaterThan(0);
    expect(transferred).toBeLessThan(await fooledBy(attackPlan('pgd', given)));
  });

  it('counts the passes of both networks; the last images alone cost one of the attacked network each restart', async () => {
    const passesOf = async (judged: 'last' | 'all') => {
      const plan = attackPlan('transfer', { ...shared, epsilon: 1e-6, from: 'another', judged });
      return (await run(plan)).counts;
    };
    const [last, all] = [await passesOf('last'), await passesOf('all')];
    const standing = last.robust;
    expect(standing).toBe(last.clean);
    expect(last.passes).toEqual({ forward: last.samples + standing * 2 * (6 + 1), backward: standing * 2 * 6 });
    expect(all.passes).toEqual({ forward: all.samples + standing * 2 * (2 * 6 + 1), backward: standing * 2 * 6 });
  });
});
