// What may be changed about work on a plan that is frozen: the runtime, the threads, the place of the data.
import { expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { isOtherRuntime, planChange, refuseChanges } from '../../server/terminal/overrides.ts';
import { UsageError } from '../../server/terminal/terminal.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

const plan = compileExperiment('dataset: cifar10', { file: null, homeFolder: '/home/user' }).plans[0]!;
const nothing = { runtime: null, threads: null, data: null };

it('runtime, threads and data folder are changed where they are given, and nothing else', () => {
  const folder = temporaryFolder();
  expect(planChange(nothing)(plan)).toEqual(plan);
  expect(planChange({ runtime: 'cpu', threads: '256', data: folder })(plan)).toEqual({
    ...plan,
    runtime: 'cpu',
    threads: 256,
    dataset: { ...plan.dataset, path: folder },
  });
});

it.each(['0', '257', '1.5', 'many'])('threads are an integer in [1, 256], not %s', (threads) => {
  expect(() => planChange({ ...nothing, threads })).toThrow(UsageError);
});

it('a run that has begun takes neither a file nor a setting', () => {
  expect(() => refuseChanges('r', { file: 'a.yaml', set: [] })).toThrow(UsageError);
  expect(() => refuseChanges('r', { file: null, set: ['name=b'] })).toThrow(UsageError);
  refuseChanges('r', { file: null, set: [] });
});

it('another runtime than a run was trained on is known by its device', () => {
  expect(isOtherRuntime('cpu', 'wasm · 1 thread')).toBe(true);
  expect(isOtherRuntime('wasm', 'wasm · 1 thread')).toBe(false);
  for (const [runtime, device] of [
    ['auto', 'cpu · x'],
    [null, 'cpu · x'],
    ['cpu', null],
  ] as const)
    expect(isOtherRuntime(runtime, device)).toBe(false);
});
