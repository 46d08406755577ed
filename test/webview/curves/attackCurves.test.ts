import { describe, expect, test } from 'vitest';
import {
  afterFirstRestart,
  attackViews,
  curvesByEpsilon,
  medianDistance,
  atStepText,
  curvesByRestart,
  curvesByStep,
  curvesOfWhole,
  robustOf,
} from '../../../webview/curves/attackCurves.ts';
import type { EvaluationPlan } from '../../../server/protocol/plan.ts';
import type { Palette } from '../../../webview/theme/palette.ts';
import { attackPlan } from '../../attack/plans.ts';
import { makeSnapshot } from '../gallery/runData.ts';

const palette = { attacked: 'orange', clean: 'blue' } as Palette;
const live = makeSnapshot({ steps: 10, status: 'evaluating', restartsUnderWay: 3 }).evaluations[0]!;
const done = makeSnapshot({ steps: 10, status: 'finished', evaluations: 1 }).evaluations[0]!;

describe('an attack under way', () => {
  test('shows one curve a restart, each over its own images, the deepest with its interval and last', () => {
    const curves = curvesByStep(live, 'linear', palette);
    expect(curves.map(({ name }) => name)).toEqual(['restart 1', 'restart 2', 'worst case']);
    const worst = curves[2]!;
    expect(worst.y[50]).toBe(live.restarts[2]!.robust[50]! / 256);
    expect(worst.band!.low[50]!).toBeLessThan(worst.y[50]!);
    expect(worst.x).toHaveLength(51);
  });

  test('says the worst case so far, and no clean accuracy yet', () => {
    expect(robustOf(live)?.value).toBe(live.restarts[2]!.robust[50]! / 256);
    expect(curvesByStep(live, 'linear', palette).some(({ name }) => name === 'clean')).toBe(false);
  });

  test('leaves the random start out of a log axis', () => {
    expect(curvesByStep(live, 'log', palette)[0]?.x[0]).toBe(1);
    expect(curvesOfWhole(live, 'log', palette)[0]?.x[0]).toBe(1);
  });
});

describe('a finished attack', () => {
  test('has the server’s own figures and the clean accuracy as a line', () => {
    expect(robustOf(done)).toBe(done.finished!.robust);
    expect(curvesByStep(done, 'linear', palette)[0]).toMatchObject({
      name: 'clean',
      y: [0.774, 0.774],
      isDashed: true,
    });
  });

  test('as a whole falls from the first step to the last restart', () => {
    const y = Array.from(curvesOfWhole(done, 'linear', palette)[0]!.y);
    expect(y).toHaveLength(510);
    expect(y.every((value, index) => index === 0 || value <= y[index - 1]! + 1e-12)).toBe(true);
    expect(y.at(-1)).toBe(done.finished!.robust.value);
  });

  test('by restart has one point each', () => {
    expect(curvesByRestart(done, palette)[0]?.x).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('tells what a place on the axis means', () => {
    const share = ((done.restarts[2]!.robust[7]! / 1000) * 100).toFixed(1);
    expect(atStepText(done, 2 * 51 + 7, true)).toBe(`restart 3, step 7: ${share} %`);
    expect(afterFirstRestart(done, -1)?.value).toBe(done.restarts[0]!.robust[50]! / 1000);
  });
});

describe('an evaluation by another attack', () => {
  const of = (plan: EvaluationPlan) => makeSnapshot({ steps: 10, status: 'finished', attacks: [plan] }).evaluations[0]!;
  const curve = attackPlan('pgd', { epsilons: [2 / 255, 16 / 255], restarts: 2 });

  test('is shown in the ways that its figures allow, the most telling first', () => {
    expect(attackViews(done)).toEqual(['restarts', 'whole']);
    expect(attackViews(of(attackPlan('autoattack')))).toEqual(['whole']);
    expect(attackViews(of(attackPlan('fab')))).toEqual(['epsilon', 'whole']);
    expect(attackViews(of(curve))).toEqual(['epsilon', 'whole']);
  });

  test('of stages of several lengths takes a unit a stage, and says which is under the cursor', () => {
    const view = of(attackPlan('autoattack'));
    const { x } = curvesOfWhole(view, 'linear', palette)[0]!;
    expect(Array.from(x).at(-1)!).toBeLessThan(20);
    expect(atStepText(view, 2.5, true)).toMatch(/^APGD-T, target 2, step 5[01]: /);
    expect(atStepText(view, 19.5, true)).toMatch(/^Square, restart 1, query 2,50\d: /);
  });

  test('over a list of ε has a dot at each, from the clean accuracy on, and the figure at its own', () => {
    const view = of(curve);
    const [line] = curvesByEpsilon(view, palette);
    expect(Array.from(line!.x)).toEqual([0, 2 / 255, 8 / 255, 16 / 255]);
    expect(line!.y[0]).toBe(0.774);
    expect(line!.y[2]).toBe(robustOf(view)!.value);
    expect(Array.from(line!.y)).toEqual(Array.from(line!.y).sort((a, b) => b - a));
  });

  test('with distances falls by a step at each, from the clean accuracy on, through the figure at ε', () => {
    const view = { ...of(attackPlan('fab')), distances: Float32Array.of(0, 0.25, 0.5, Infinity, 0.25) };
    const [line] = curvesByEpsilon(view, palette);
    expect(Array.from(line!.x)).toEqual([0, 0.25, 0.25, 0.5, 0.5]);
    expect(Array.from(line!.y)).toEqual([0.8, 0.8, 0.4, 0.4, 0.2]);
    expect(medianDistance(view)).toBe(0.25);
    expect(robustOf({ ...view, finished: null })?.value).toBe(0.8);
  });
});
