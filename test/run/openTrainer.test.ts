// What stands before training: the plan's runtime and threads, and that it fits into memory.
import os from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import { trainerOpener } from '../../server/run/openTrainer.ts';
import { estimateAttackBytes } from '../../server/trainer/planMemory.ts';
import { attackPlan } from '../attack/plans.ts';
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
    const surrogateOf = (of: Plan) => ({
      ...{ file: 'step-1.safetensors', plan: of, state: scriptedState(1, 1) },
      origin: { runId: 'one', step: 1, digest: '00' },
    });
    const transfer = attackPlan('transfer', { from: 'one', samples: 10, batchSize: 5 });
    const madeOn = (of: Plan) => () =>
      trainer.evaluate(plan(), transfer, { ...attack, surrogates: new Map([['one', surrogateOf(of)]]) });
    madeOn(plan())();
    const elsewhere = { ...plan(), dataset: { name: 'mnist', path: '/', trainSamples: 9, testSamples: 9 } } as Plan;
    expect(madeOn(elsewhere)).toThrow(/the network of step-1\.safetensors takes samples of 28×28×1/);
    // What one network needs, which is not enough for two.
    const ends = { sampleShape: [32, 32, 3], nClasses: 10 };
    const ofOne = estimateAttackBytes(plan(), 5, { ends, threads: 1 });
    vi.spyOn(process, 'availableMemory').mockReturnValue(ofOne);
    trainer.evaluate(plan(), scriptedEvaluation, attack);
    expect(madeOn(plan())).toThrow(/what this machine has free/);
    // The same before anything is trained.
    const tried = plan({ evaluation: [transfer] });
    const trainedBeside = (surrogates: ReadonlyMap<string, ReturnType<typeof surrogateOf>>) => () =>
      trainer.train(tried, { ...begin, surrogates });
    vi.spyOn(process, 'availableMemory').mockReturnValue(1e12);
    trainedBeside(new Map([['one', surrogateOf(plan())]]))();
    expect(trainedBeside(new Map([['one', surrogateOf(elsewhere)]]))).toThrow(/takes samples of 28×28×1/);
    vi.spyOn(process, 'availableMemory').mockReturnValue(1000);
    vi.spyOn(os, 'totalmem').mockReturnValue(1e15);
    expect(() => trainer.train(plan(), begin)).toThrow(/what this machine has free/);
    expect(() => trainer.evaluate(plan(), scriptedEvaluation, attack)).toThrow(/what this machine has free/);
  });
});
