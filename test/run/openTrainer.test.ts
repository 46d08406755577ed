// What stands before training: the plan's runtime and threads, and that it fits into memory.
import os from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import { trainerOpener } from '../../server/run/openTrainer.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { scriptedEvaluation, scriptedPlan, scriptedState } from './scriptedTrainer.ts';

const plan = (change: Partial<Plan> = {}) => scriptedPlan('steps', { runtime: 'wasm', threads: 1, ...change });
const open = trainerOpener(assetsFolder);
const { signal } = new AbortController();

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a trainer', () => {
  it('has the threads of its plan, or as many as the machine has cores', async () => {
    vi.spyOn(os, 'availableParallelism').mockReturnValue(3);
    expect((await open(plan({ threads: 2 }))).device).toMatch(/^wasm · 2 threads/);
    const trainer = await open(plan({ threads: null }));
    expect(trainer.device).toMatch(/^wasm · 3 threads/);
    expect(trainer.memory().usedBytes).toBeGreaterThanOrEqual(0);
  });

  it('refuses at once what can not fit into what is free, of training and of an attack', async () => {
    const trainer = await open(plan());
    const begin = { from: null, signal };
    const attack = { state: scriptedState(1, 1), number: 1, signal };
    trainer.train(plan(), begin);
    trainer.evaluate(plan(), scriptedEvaluation, attack);
    vi.spyOn(process, 'availableMemory').mockReturnValue(1000);
    vi.spyOn(os, 'totalmem').mockReturnValue(1e15);
    expect(() => trainer.train(plan(), begin)).toThrow(/what this machine has free/);
    expect(() => trainer.evaluate(plan(), scriptedEvaluation, attack)).toThrow(/what this machine has free/);
  });
});
