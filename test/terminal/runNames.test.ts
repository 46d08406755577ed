// What `kafscope report` calls runs.
import { expect, it } from 'vitest';
import { runNames } from '../../server/terminal/runNames.ts';
import { tinyPlan } from '../trainer/tinyPlan.ts';

const relu = { ...tinyPlan, model: { ...tinyPlan.model, activation: { type: 'relu' } as const } };

it.each([
  ['by name and seed', [tinyPlan, { ...tinyPlan, seed: 1 }], ['tiny · seed 7', 'tiny · seed 1']],
  [
    'by what was trained where name and seed are the same, as those of a sweep are',
    [tinyPlan, relu, { ...tinyPlan, seed: 1 }],
    [/^tiny · seed 7 · .*KAF 5/, /^tiny · seed 7 · .*ReLU/, 'tiny · seed 1'],
  ],
  ['by their folders where that is the same, too', [relu, relu], ['tiny · seed 7 · run-0', 'tiny · seed 7 · run-1']],
])('runs are told apart %s', (_, plans, expected) => {
  const names = runNames(plans.map((plan, index) => ({ folder: `/runs/run-${String(index)}`, plan })));
  expect([...names.keys()]).toEqual(plans.map((_plan, index) => `/runs/run-${String(index)}`));
  [...names.values()].forEach((name, index) => {
    const wanted = expected[index]!;
    expect(name).toEqual(typeof wanted === 'string' ? wanted : expect.stringMatching(wanted));
  });
});
